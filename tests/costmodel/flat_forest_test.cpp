#include "costmodel/flat_forest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "costmodel/xgboost_model.h"

namespace whet {
namespace {

constexpr int64_t kWidth = 7;

// Rows of small numbers, of which many are equal, so that values lie on thresholds.
TrainingSet RandomRows(int rows) {
  TrainingSet set;
  set.width = kWidth;
  Rng rng(5);
  for (int r = 0; r < rows; ++r) {
    for (int64_t f = 0; f < kWidth; ++f)
      set.features.push_back(static_cast<float>(rng.Below(f < 3 ? 9 : 100000)) / 8);
    set.throughput.push_back(static_cast<float>(rng.Uniform()));
    set.task.push_back(r % 2);
  }
  return set;
}

std::vector<float> ByXgboost(const std::string& trees, const std::vector<float>& rows) {
  BoosterHandle handle = nullptr;
  XGBoosterCreate(nullptr, 0, &handle);
  const Booster booster(handle);
  XGBoosterLoadModelFromBuffer(handle, trees.data(), trees.size());
  DMatrixHandle matrix = nullptr;
  const size_t count = rows.size() / kWidth;
  XGDMatrixCreateFromMat(rows.data(), count, kWidth, std::nanf(""), &matrix);
  bst_ulong size = 0;
  const float* values = nullptr;
  XGBoosterPredict(handle, matrix, 1, 0, 0, &size, &values);
  std::vector<float> result(values, values + size);
  XGDMatrixFree(matrix);
  return result;
}

void ExpectXgboostsSums(const TreeOptions& options) {
  const TrainingSet set = RandomRows(301);
  XgboostModel model(1, 1, nullptr, options);
  ASSERT_TRUE(model.Train(set));
  const auto trees = model.SerializeTrees();
  ASSERT_TRUE(trees);
  const auto forest = FlatForest::Parse(*trees, kWidth);
  ASSERT_TRUE(forest);
  EXPECT_EQ(forest->Predict(set.features), ByXgboost(*trees, set.features));
}

TEST(FlatForest, SumsAsXgboostDoesToTheLastBit) { ExpectXgboostsSums({}); }

TEST(FlatForest, SumsTreesOfEveryShape) {
  TreeOptions options;
  options.max_depth = 11;
  options.min_child_weight = 0;
  options.parallel_trees = 3;
  options.subsample = 0.5;
  ExpectXgboostsSums(options);
  options.max_depth = 1;
  ExpectXgboostsSums(options);
  options.min_child_weight = 1e9;  // a leaf each
  ExpectXgboostsSums(options);
}

TEST(FlatForest, IsNoneOfWhatIsNoModel) {
  EXPECT_FALSE(FlatForest::Parse("", kWidth));
  EXPECT_FALSE(FlatForest::Parse("{}", kWidth));
}

TEST(FlatForest, IsNoneWhereTreesAskForFeaturesThatRowsDoNotHave) {
  XgboostModel model(1, 1);
  ASSERT_TRUE(model.Train(RandomRows(301)));
  EXPECT_FALSE(FlatForest::Parse(*model.SerializeTrees(), 2));
}

}  // namespace
}  // namespace whet
