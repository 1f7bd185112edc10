// Boosted trees over the analytic estimate.
//
// The target of a row is log2 of its throughput. What is boosted is the residual over
//     prior_weight * log2(prior),
// where the prior is the score of a base model, or roofline.efficiency where there is none; both
// are centred on their task's mean, since scores need to compare within a task only: with few rows
// the model is the roofline, corrected; with many the trees have the say. prior_weight is fitted by
// least squares. Rows of fast candidates weigh more. The score is 2 to the predicted value. Thread
// safety: one thread at a time.
#pragma once

#include <xgboost/c_api.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "costmodel/cost_model.h"
#include "costmodel/flat_forest.h"

namespace whet {

struct BoosterDeleter {
  void operator()(void* booster) const { XGBoosterFree(booster); }
};
using Booster = std::unique_ptr<void, BoosterDeleter>;

// Turns the return code of an XGBoost function into a Status with the first line of XGBoost's
// message.
Status CheckXgboost(int code, const char* what);

class XgboostModel : public CostModel {
 public:
  XgboostModel(uint64_t seed, int threads, std::shared_ptr<CostModel> base = nullptr,
               const TreeOptions& trees = {})
      : seed_(seed), threads_(threads), base_(std::move(base)), trees_(trees) {}

  std::string_view name() const override { return "xgboost"; }
  bool trained() const override { return booster_ != nullptr; }
  bool has_base() const { return base_ != nullptr; }
  // Trees are grown from scratch as long as that is quick or the rows have doubled since; beyond, a
  // few trees are added to those there are.
  Status Train(const TrainingSet& set) override;
  Result<std::vector<float>> Predict(std::span<const float> rows, int64_t width) override;

  // What a file holds beside the trees.
  struct Header {
    int64_t width = 0;
    int64_t rows = 0;  // that it was last trained on
    double prior_weight = 0;
  };
  const Header& header() const { return header_; }
  // Gain of each feature over all trees, by its place in the row; 0 for those not asked for.
  Result<std::vector<double>> Gains() const;
  // The trees in XGBoost's own JSON. Requires trained().
  Result<std::string> SerializeTrees() const;
  Status RestoreTrees(const Header& header, const std::string& trees);

 private:
  Status MakeBooster(const void* matrix);
  // What the trees say of each row.
  Result<std::vector<float>> PredictResidual(std::span<const float> rows, int64_t width) const;
  // log2 of the prior, a row each.
  Result<std::vector<double>> Priors(std::span<const float> rows, int64_t width);

  uint64_t seed_;
  int threads_;
  std::shared_ptr<CostModel> base_;
  TreeOptions trees_;
  Booster booster_;
  std::optional<FlatForest> forest_;  // the same trees; nothing where they do not fit it
  Header header_;
  int64_t rows_from_scratch_ = 0;
};

}  // namespace whet
