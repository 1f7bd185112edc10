#include "schedules/loop_nest.h"

#include <utility>

#include "schedules/nest_builder.h"
#include "schedules/nest_context.h"

namespace whet {

Result<LoopNest> FinishLoopNest(NestContext& context, NestBuilder builder) {
  ASSIGN_OR_RETURN(LoopNest nest, std::move(builder).Finish());
  std::vector<bool> stored;
  for (const int n : nest.nest_of) stored.push_back(n >= 0);
  nest.inlined = context.inlined().For(stored);
  if (nest.inlined == nullptr) {
    return Fail(ErrorCode::kFailed,
                "stages are inlined into each other until a definition has more than {} of them",
                kMostInlined);
  }
  return nest;
}

Result<LoopNest> BuildLoopNest(NestContext& context, const std::vector<Directive>& directives) {
  return FinishLoopNest(context, NestBuilder(context, directives));
}

Result<LoopNest> BuildLoopNest(const Dag& dag, const std::vector<Directive>& directives) {
  NestContext context(dag);
  return BuildLoopNest(context, directives);
}

}  // namespace whet
