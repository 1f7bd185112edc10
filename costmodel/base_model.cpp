// The pretrained models, whose files the build puts into the program (base_model.S): one for
// machines with vectors of 64 bytes, one for those with shorter ones. What makes a schedule fast
// differs between them, and so do the machines that their candidates were measured on.
#include <cmath>
#include <memory>
#include <string_view>

#include "costmodel/cost_model.h"
#include "costmodel/feature_list.h"

extern "C" {
extern const char whet_base_model_avx512[];
extern const char whet_base_model_avx512_end[];
extern const char whet_base_model_avx2[];
extern const char whet_base_model_avx2_end[];
}

namespace whet {
namespace {

class BaseModel : public CostModel {
 public:
  explicit BaseModel(int threads) : threads_(threads) {}

  std::string_view name() const override { return "base"; }
  bool trained() const override { return true; }

  Status Train(const TrainingSet&) override {
    return Fail(ErrorCode::kUnsupported, "the base model is trained already; put trees over it");
  }

  Result<std::vector<float>> Predict(std::span<const float> rows, int64_t width) override {
    if (width != kFeatureCount || rows.size() % kFeatureCount != 0) {
      return Fail(ErrorCode::kInvalidInput,
                  "{} numbers are no rows of the {} features that the base model knows",
                  rows.size(), static_cast<int>(kFeatureCount));
    }
    // Rows of one machine each time, but for a database of several.
    std::vector<float> scores;
    for (size_t begin = 0; begin < rows.size();) {
      size_t end = begin + kFeatureCount;
      while (end < rows.size() &&
             IsWide(rows[end + kMachineVectorBytes]) == IsWide(rows[begin + kMachineVectorBytes]))
        end += kFeatureCount;
      ASSIGN_OR_RETURN(CostModel* const model, ModelOf(rows[begin + kMachineVectorBytes]));
      ASSIGN_OR_RETURN(const std::vector<float> some,
                       model->Predict(rows.subspan(begin, end - begin), width));
      scores.insert(scores.end(), some.begin(), some.end());
      begin = end;
    }
    return scores;
  }

 private:
  static bool IsWide(float log_vector_bytes) { return log_vector_bytes > std::log2(1.0F + 32); }

  // Read when it is first needed: that takes some hundredths of a second.
  Result<CostModel*> ModelOf(float log_vector_bytes) {
    const bool wide = IsWide(log_vector_bytes);
    std::unique_ptr<CostModel>& model = wide ? wide_ : narrow_;
    if (model == nullptr) {
      const char* begin = wide ? whet_base_model_avx512 : whet_base_model_avx2;
      const char* end = wide ? whet_base_model_avx512_end : whet_base_model_avx2_end;
      auto parsed =
          ParseXgboostModel(std::string_view(begin, static_cast<size_t>(end - begin)), threads_);
      if (!parsed) return Prefixed(parsed.error(), "the base model");
      model = *std::move(parsed);
    }
    return model.get();
  }

  int threads_;
  std::unique_ptr<CostModel> wide_, narrow_;
};

}  // namespace

std::shared_ptr<CostModel> MakeBaseModel(int threads) {
  return std::make_shared<BaseModel>(threads);
}

}  // namespace whet
