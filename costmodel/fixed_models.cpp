// The models that learn nothing: random scores and the analytic roofline.
#include "costmodel/cost_model.h"
#include "costmodel/feature_list.h"

namespace whet {
namespace {

Status CheckRows(std::span<const float> rows, int64_t width) {
  if (width > 0 && rows.size() % static_cast<size_t>(width) == 0) return {};
  return Fail(ErrorCode::kInvalidInput, "{} numbers are no whole rows of {} features", rows.size(),
              width);
}

class RandomModel : public CostModel {
 public:
  explicit RandomModel(uint64_t seed) : rng_(seed) {}
  std::string_view name() const override { return "random"; }
  bool trained() const override { return false; }
  Status Train(const TrainingSet&) override { return {}; }
  Result<std::vector<float>> Predict(std::span<const float> rows, int64_t width) override {
    RETURN_IF_ERROR(CheckRows(rows, width));
    std::vector<float> scores(rows.size() / static_cast<size_t>(width));
    for (float& score : scores) score = static_cast<float>(rng_.Uniform());
    return scores;
  }

 private:
  Rng rng_;
};

class RooflineModel : public CostModel {
 public:
  std::string_view name() const override { return "roofline"; }
  bool trained() const override { return false; }
  Status Train(const TrainingSet&) override { return {}; }
  Result<std::vector<float>> Predict(std::span<const float> rows, int64_t width) override {
    RETURN_IF_ERROR(CheckRows(rows, width));
    std::vector<float> scores(rows.size() / static_cast<size_t>(width), 0.0F);
    if (width != kFeatureCount) return scores;
    for (size_t r = 0; r < scores.size(); ++r) {
      scores[r] = rows[r * static_cast<size_t>(width) + kRoofEfficiency];
    }
    return scores;
  }
};

}  // namespace

std::unique_ptr<CostModel> MakeRandomModel(uint64_t seed) {
  return std::make_unique<RandomModel>(seed);
}

std::unique_ptr<CostModel> MakeRooflineModel() { return std::make_unique<RooflineModel>(); }

}  // namespace whet
