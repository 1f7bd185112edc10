#include "costmodel/xgboost_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "costmodel/feature_list.h"

namespace whet {
namespace {

constexpr int kRoundsAdded = 15;
constexpr int64_t kRowsFromScratch = 3000;
constexpr double kSlowestTarget =
    -6;  // log2 of the throughput below which differences do not matter
constexpr double kFailedTarget = -7;
constexpr double kLeastWeight = 0.15;

struct MatrixDeleter {
  void operator()(void* matrix) const { XGDMatrixFree(matrix); }
};
using Matrix = std::unique_ptr<void, MatrixDeleter>;

constexpr double kLeastPrior = 1e-6;

// What the trees learn: targets and weights by row, and the prior's weight.
struct Targets {
  std::vector<float> residual;
  std::vector<float> weight;
  std::vector<float> prior;  // weighted, centred
  double prior_weight = 0;
};

Targets MakeTargets(const TrainingSet& set, std::vector<double> prior,
                    const double* fixed_prior_weight) {
  const auto rows = static_cast<size_t>(set.rows());
  std::vector<double> target(rows);
  Targets targets;
  targets.weight.resize(rows);
  struct Mean {
    double weight = 0, target = 0, prior = 0;
  };
  std::map<int, Mean> means;  // by task
  for (size_t r = 0; r < rows; ++r) {
    const double throughput = set.throughput[r];
    target[r] = throughput > 0 ? std::max(kSlowestTarget, std::log2(throughput)) : kFailedTarget;
    const double weight = kLeastWeight + throughput;
    targets.weight[r] = static_cast<float>(weight);
    Mean& mean = means[set.task[r]];
    mean.weight += weight;
    mean.target += weight * target[r];
    mean.prior += weight * prior[r];
  }
  double products = 0;
  double squares = 1e-9;
  for (size_t r = 0; r < rows; ++r) {
    const Mean& mean = means[set.task[r]];
    target[r] -= mean.target / mean.weight;
    prior[r] -= mean.prior / mean.weight;
    products += targets.weight[r] * target[r] * prior[r];
    squares += targets.weight[r] * prior[r] * prior[r];
  }
  targets.prior_weight = fixed_prior_weight != nullptr ? *fixed_prior_weight
                                                       : std::clamp(products / squares, 0.0, 1.5);
  targets.residual.resize(rows);
  targets.prior.resize(rows);
  for (size_t r = 0; r < rows; ++r) {
    targets.prior[r] = static_cast<float>(targets.prior_weight * prior[r]);
    targets.residual[r] = static_cast<float>(target[r]) - targets.prior[r];
  }
  return targets;
}

Status CheckSet(const TrainingSet& set) {
  const auto rows = set.throughput.size();
  if (set.width > 0 && rows > 0 && set.task.size() == rows &&
      set.features.size() == rows * static_cast<size_t>(set.width)) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput,
              "a training set of {} rows, {} task numbers and {} features of width {} does not fit "
              "together",
              rows, set.task.size(), set.features.size(), set.width);
}

Status SetFloats(DMatrixHandle matrix, const char* name, const std::vector<float>& values) {
  return CheckXgboost(
      XGDMatrixSetFloatInfo(matrix, name, values.data(), static_cast<bst_ulong>(values.size())),
      name);
}

Status SetRegression(DMatrixHandle matrix, const Targets& targets) {
  RETURN_IF_ERROR(SetFloats(matrix, "label", targets.residual));
  return SetFloats(matrix, "weight", targets.weight);
}

// The same rows, those of a task one after the other.
TrainingSet ByTask(const TrainingSet& set) {
  std::vector<size_t> order(set.task.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return set.task[a] < set.task[b]; });
  TrainingSet sorted;
  sorted.width = set.width;
  for (const size_t row : order) {
    const auto begin = set.features.begin() + static_cast<ptrdiff_t>(row) * set.width;
    sorted.features.insert(sorted.features.end(), begin, begin + set.width);
    sorted.throughput.push_back(set.throughput[row]);
    sorted.task.push_back(set.task[row]);
  }
  return sorted;
}

// Requires the rows of a task one after the other: a group each, ordered by throughput. Trees begin
// at the weighted prior.
Status SetRanking(DMatrixHandle matrix, const TrainingSet& set, const Targets& targets) {
  std::vector<unsigned> groups;
  for (size_t r = 0; r < set.task.size(); ++r) {
    if (r == 0 || set.task[r] != set.task[r - 1]) groups.push_back(0);
    ++groups.back();
  }
  RETURN_IF_ERROR(SetFloats(matrix, "label", set.throughput));
  RETURN_IF_ERROR(SetFloats(matrix, "base_margin", targets.prior));
  return CheckXgboost(
      XGDMatrixSetUIntInfo(matrix, "group", groups.data(), static_cast<bst_ulong>(groups.size())),
      "group the rows");
}

}  // namespace

Status CheckXgboost(int code, const char* what) {
  if (code == 0) return {};
  std::string message = XGBGetLastError();
  message.resize(std::min(message.find('\n'), message.size()));
  return Fail(ErrorCode::kInternal, "XGBoost failed to {}: {}", what, message);
}

Status XgboostModel::MakeBooster(const void* matrix) {
  const DMatrixHandle matrices[] = {const_cast<void*>(matrix)};
  BoosterHandle handle = nullptr;
  RETURN_IF_ERROR(CheckXgboost(
      XGBoosterCreate(matrix != nullptr ? matrices : nullptr, matrix != nullptr ? 1 : 0, &handle),
      "make a model"));
  booster_.reset(handle);
  // XGBoost reads the seed as an int.
  const std::string seed = std::to_string(static_cast<int>(seed_ & 0x7fffffff));
  const std::string threads = std::to_string(std::max(1, threads_));
  const std::string depth = std::to_string(trees_.max_depth), eta = fmt::format("{}", trees_.eta),
                    child = fmt::format("{}", trees_.min_child_weight),
                    forest = std::to_string(trees_.parallel_trees),
                    subsample = fmt::format("{}", trees_.subsample),
                    colsample = fmt::format("{}", trees_.colsample);
  const std::pair<const char*, const char*> parameters[] = {
      {"objective", trees_.ranking ? "rank:pairwise" : "reg:squarederror"},
      {"booster", "gbtree"},
      {"tree_method", "hist"},
      {"max_depth", depth.c_str()},
      {"eta", eta.c_str()},
      {"min_child_weight", child.c_str()},
      {"lambda", "1"},
      {"base_score", "0"},
      {"colsample_bytree", colsample.c_str()},
      {"subsample", subsample.c_str()},
      {"num_parallel_tree", forest.c_str()},
      {"verbosity", "0"},
      {"seed", seed.c_str()},
      {"nthread", threads.c_str()},
  };
  for (const auto& [name, value] : parameters) {
    RETURN_IF_ERROR(CheckXgboost(XGBoosterSetParam(handle, name, value), "set a parameter"));
  }
  return {};
}

Status XgboostModel::Train(const TrainingSet& given) {
  RETURN_IF_ERROR(CheckSet(given));
  const TrainingSet grouped = trees_.ranking ? ByTask(given) : TrainingSet();
  const TrainingSet& set = trees_.ranking ? grouped : given;
  const bool scratch = booster_ == nullptr || set.width != header_.width ||
                       set.rows() < kRowsFromScratch || set.rows() >= 2 * rows_from_scratch_;
  ASSIGN_OR_RETURN(std::vector<double> priors, Priors(set.features, set.width));
  const Targets targets =
      MakeTargets(set, std::move(priors), scratch ? nullptr : &header_.prior_weight);
  DMatrixHandle handle = nullptr;
  RETURN_IF_ERROR(CheckXgboost(
      XGDMatrixCreateFromMat(set.features.data(), static_cast<bst_ulong>(set.rows()),
                             static_cast<bst_ulong>(set.width), std::nanf(""), &handle),
      "read the training set"));
  const Matrix matrix(handle);
  RETURN_IF_ERROR(trees_.ranking ? SetRanking(handle, set, targets)
                                 : SetRegression(handle, targets));
  if (scratch) {
    RETURN_IF_ERROR(MakeBooster(handle));
    rows_from_scratch_ = set.rows();
  }
  int done = 0;
  RETURN_IF_ERROR(CheckXgboost(XGBoosterBoostedRounds(booster_.get(), &done), "count its trees"));
  const int rounds = scratch ? trees_.rounds : kRoundsAdded;
  for (int round = 0; round < rounds; ++round) {
    RETURN_IF_ERROR(
        CheckXgboost(XGBoosterUpdateOneIter(booster_.get(), done + round, handle), "grow a tree"));
  }
  header_ = {set.width, set.rows(), targets.prior_weight};
  ASSIGN_OR_RETURN(const std::string trees, SerializeTrees());
  forest_ = FlatForest::Parse(trees, header_.width);
  return {};
}

Result<std::vector<double>> XgboostModel::Priors(std::span<const float> rows, int64_t width) {
  const size_t count = rows.size() / static_cast<size_t>(std::max<int64_t>(1, width));
  std::vector<double> priors(count, 0.0);
  // Rows that are not the feature table's have no estimate.
  if (base_ == nullptr && width != kFeatureCount) return priors;
  ASSIGN_OR_RETURN(const std::vector<float> scores,
                   (base_ != nullptr ? *base_ : *MakeRooflineModel()).Predict(rows, width));
  for (size_t r = 0; r < count; ++r)
    priors[r] = std::log2(std::max(kLeastPrior, static_cast<double>(scores[r])));
  return priors;
}

Result<std::vector<float>> XgboostModel::PredictResidual(std::span<const float> rows,
                                                         int64_t width) const {
  if (forest_) return forest_->Predict(rows);
  const size_t count = rows.size() / static_cast<size_t>(width);
  const std::string array = fmt::format(
      R"({{"data":[{},true],"shape":[{},{}],"strides":null,"typestr":"<f4","version":3}})",
      reinterpret_cast<uintptr_t>(rows.data()), count, width);
  const char* config =
      R"({"type":1,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"missing":NaN,"cache_id":0})";
  const bst_ulong* shape = nullptr;
  bst_ulong dims = 0;
  const float* values = nullptr;
  RETURN_IF_ERROR(CheckXgboost(XGBoosterPredictFromDense(booster_.get(), array.c_str(), config,
                                                         nullptr, &shape, &dims, &values),
                               "predict"));
  return std::vector<float>(values, values + count);
}

Result<std::vector<float>> XgboostModel::Predict(std::span<const float> rows, int64_t width) {
  if (booster_ == nullptr)
    return base_ != nullptr ? base_->Predict(rows, width)
                            : MakeRooflineModel()->Predict(rows, width);
  if (width != header_.width || rows.size() % static_cast<size_t>(width) != 0) {
    return Fail(ErrorCode::kInvalidInput,
                "{} numbers are no rows of the {} features that the model knows", rows.size(),
                header_.width);
  }
  const size_t count = rows.size() / static_cast<size_t>(width);
  if (count == 0) return std::vector<float>();
  ASSIGN_OR_RETURN(const std::vector<float> values, PredictResidual(rows, width));
  ASSIGN_OR_RETURN(const std::vector<double> priors, Priors(rows, width));
  std::vector<float> scores(count);
  for (size_t r = 0; r < count; ++r) {
    const double score = header_.prior_weight * priors[r] + values[r];
    scores[r] = static_cast<float>(std::exp2(std::clamp(score, -60.0, 60.0)));
  }
  return scores;
}

Result<std::string> XgboostModel::SerializeTrees() const {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  RETURN_IF_ERROR(CheckXgboost(
      XGBoosterSaveModelToBuffer(booster_.get(), R"({"format":"ubj"})", &size, &bytes), "save"));
  return std::string(bytes, size);
}

Status XgboostModel::RestoreTrees(const Header& header, const std::string& trees) {
  RETURN_IF_ERROR(MakeBooster(nullptr));
  const int code = XGBoosterLoadModelFromBuffer(booster_.get(), trees.data(), trees.size());
  if (Status status = CheckXgboost(code, "read the trees"); !status) {
    booster_.reset();
    return Fail(ErrorCode::kCorrupt, "{}", status.error().message);
  }
  header_ = header;
  rows_from_scratch_ = header.rows;
  ASSIGN_OR_RETURN(const std::string ubjson, SerializeTrees());
  forest_ = FlatForest::Parse(ubjson, header.width);
  return {};
}

Result<std::unique_ptr<CostModel>> MakeXgboostModel(uint64_t seed, int threads,
                                                    std::shared_ptr<CostModel> base,
                                                    const TreeOptions& trees) {
  if (threads < 1)
    return Fail(ErrorCode::kInvalidInput, "the cost model needs at least 1 thread, not {}",
                threads);
  return std::make_unique<XgboostModel>(seed, threads, std::move(base), trees);
}

}  // namespace whet
