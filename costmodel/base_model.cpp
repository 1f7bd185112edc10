// The pretrained model, whose file the build puts into the program (base_model.S).
#include <string_view>

#include "costmodel/cost_model.h"

extern "C" {
extern const char whet_base_model[];
extern const char whet_base_model_end[];
}

namespace whet {

Result<std::shared_ptr<CostModel>> LoadBaseModel(int threads) {
  const std::string_view bytes(whet_base_model,
                               static_cast<size_t>(whet_base_model_end - whet_base_model));
  auto model = ParseXgboostModel(bytes, threads);
  if (!model) return Prefixed(model.error(), "the base model");
  return std::shared_ptr<CostModel>(*std::move(model));
}

}  // namespace whet
