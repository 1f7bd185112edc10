// The cost model: predicts how fast candidates are, learns from measurements.
//
// Scores are comparable within a task only; higher is faster. Failed candidates train as the
// slowest of all. Thread safety: one thread at a time per model.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/status.h"

namespace whet {

// Training rows: features of measured candidates, grouped by task.
struct TrainingSet {
  int64_t width = 0;              // features a row
  std::vector<float> features;    // row-major
  std::vector<float> throughput;  // per row: task's best time / this time, in (0, 1]; 0: failed
  std::vector<int> task;          // per row
  int64_t rows() const { return static_cast<int64_t>(throughput.size()); }
};

class CostModel {
 public:
  virtual ~CostModel() = default;
  virtual std::string_view name() const = 0;  // "xgboost", "base", "random", "roofline"
  virtual bool trained() const = 0;
  // Learns from all rows so far. Deterministic given the same rows and history.
  virtual Status Train(const TrainingSet& set) = 0;
  // One score a row of `width` floats. kInvalidInput where a trained model knows another width.
  virtual Result<std::vector<float>> Predict(std::span<const float> rows, int64_t width) = 0;
};

// Scores without sense: what a model must beat. Learns nothing.
std::unique_ptr<CostModel> MakeRandomModel(uint64_t seed);
// The analytic estimate (roofline.h) as it stands in the feature row: part of the machine's peak,
// in (0, 1]. Learns nothing. What other widths of rows get is 0.
std::unique_ptr<CostModel> MakeRooflineModel();
// How trees are grown from scratch.
struct TreeOptions {
  int rounds = 60;
  int parallel_trees = 1;  // a round: a small forest instead of one tree
  int max_depth = 6;
  double eta = 0.2;  // learning rate
  double min_child_weight = 0.5;
  double subsample = 1;    // the part of the rows that each tree sees
  double colsample = 0.6;  // of the features
  // Learn the order of each task's candidates (LambdaMART's pairwise loss, Burges 2010) instead of
  // their throughputs. Chosen by evaluation: costmodel/README.md.
  bool ranking = false;
};
// Boosted trees over the scores of `base`, where one is given, else over the roofline's estimate;
// before the first training, that alone.
Result<std::unique_ptr<CostModel>> MakeXgboostModel(uint64_t seed, int threads,
                                                    std::shared_ptr<CostModel> base = nullptr,
                                                    const TreeOptions& trees = {});
// The pretrained model that is part of the program: what kernels of networks that no evaluation
// uses did on a CPU with AVX-512 and on one with AVX2 (costmodel/base/README.md); a row is scored
// by the model of its machine.vector_bytes.
std::shared_ptr<CostModel> MakeBaseModel(int threads);

// docs/formats/cost_model.md. Saving requires a trained model that MakeXgboostModel or
// LoadXgboostModel made.
Status SaveModel(const CostModel& model, const std::string& path);
Result<std::unique_ptr<CostModel>> LoadXgboostModel(const std::string& path, int threads);
// The same from the bytes of such a file.
Result<std::unique_ptr<CostModel>> ParseXgboostModel(std::string_view bytes, int threads);

// What each feature earned in the trees: its share of the total gain, the largest first; features
// that no tree asks for are left out. Requires a trained model of MakeXgboostModel or
// LoadXgboostModel.
Result<std::vector<std::pair<std::string, double>>> FeatureImportance(const CostModel& model);

// How well scores rank measured throughputs of one task. Both require spans of equal length.
// The part of pairs with different throughputs that the scores order alike; equal scores count
// half. 1 where there is no such pair.
double PairwiseAccuracy(std::span<const float> scores, std::span<const float> throughput);
// Spearman's rank correlation, ties at their mean rank; 0 where either side does not vary.
double SpearmanRho(std::span<const float> scores, std::span<const float> throughput);

}  // namespace whet
