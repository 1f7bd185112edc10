#include "schedules/loop_nest.h"

#include <utility>

#include "schedules/nest_builder.h"
#include "schedules/nest_context.h"

namespace whet {

Result<LoopNest> BuildLoopNest(NestContext& context, const std::vector<Directive>& directives) {
  ASSIGN_OR_RETURN(LoopNest nest, NestBuilder(context, directives).Finish());
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

Result<LoopNest> BuildLoopNest(const Dag& dag, const std::vector<Directive>& directives) {
  NestContext context(dag);
  return BuildLoopNest(context, directives);
}

}  // namespace whet
