// What the trees ask for: gain by feature.
#include <algorithm>
#include <cstdlib>

#include "costmodel/features.h"
#include "costmodel/xgboost_model.h"

namespace whet {

Result<std::vector<double>> XgboostModel::Gains() const {
  bst_ulong count = 0, dimensions = 0;
  const char** names = nullptr;
  const bst_ulong* shape = nullptr;
  const float* scores = nullptr;
  RETURN_IF_ERROR(
      CheckXgboost(XGBoosterFeatureScore(booster_.get(), R"({"importance_type": "total_gain"})",
                                         &count, &names, &dimensions, &shape, &scores),
                   "weigh the features"));
  std::vector<double> gains(static_cast<size_t>(header_.width), 0.0);
  for (bst_ulong i = 0; i < count; ++i) {
    const size_t feature =
        std::strtoul(names[i] + 1, nullptr, 10);  // XGBoost calls them f0, f1, ..
    if (feature < gains.size()) gains[feature] = scores[i];
  }
  return gains;
}

Result<std::vector<std::pair<std::string, double>>> FeatureImportance(const CostModel& model) {
  const auto* trees = dynamic_cast<const XgboostModel*>(&model);
  if (trees == nullptr || !trees->trained())
    return Fail(ErrorCode::kInvalidInput,
                "only a trained xgboost model knows which features matter");
  ASSIGN_OR_RETURN(const std::vector<double> gains, trees->Gains());
  double total = 0;
  for (double gain : gains) total += gain;
  std::vector<std::pair<std::string, double>> importance;
  const std::span<const FeatureInfo> features = FeatureTable();
  for (size_t i = 0; i < gains.size(); ++i) {
    if (gains[i] <= 0) continue;
    importance.emplace_back(i < features.size() ? features[i].name : fmt::format("f{}", i),
                            gains[i] / total);
  }
  std::stable_sort(importance.begin(), importance.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return importance;
}

}  // namespace whet
