// The pretrained model that is part of the program, and trees over it.
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "costmodel/cost_model.h"
#include "costmodel/features.h"

namespace whet {
namespace {

const auto kWidth = static_cast<int64_t>(FeatureTable().size());

std::vector<float> RandomRows(size_t count, uint64_t seed, float vector_bytes = 64) {
  Rng rng(seed);
  const size_t width = FeatureTable().size();
  std::vector<float> rows(count * width);
  for (float& value : rows) value = static_cast<float>(4 * rng.Uniform());
  for (size_t row = 0; row < count; ++row)
    rows[row * width + static_cast<size_t>(FeatureIndex("machine.vector_bytes"))] =
        std::log2(1 + vector_bytes);
  return rows;
}

TEST(BaseModel, IsTrainedOnTheFeaturesOfThisProgram) {
  const auto model = MakeBaseModel(1);
  EXPECT_TRUE(model->trained());
  for (const float vector_bytes : {16, 32, 64}) {
    const auto scores = model->Predict(RandomRows(20, 1, vector_bytes), kWidth);
    ASSERT_TRUE(scores) << scores.error().message;
    EXPECT_EQ(scores->size(), 20u);
    for (float score : *scores) EXPECT_GT(score, 0);
  }
}

TEST(BaseModel, ScoresEachRowByTheModelOfItsMachine) {
  const auto model = MakeBaseModel(1);
  const std::vector<float> wide = RandomRows(3, 1, 64), narrow = RandomRows(2, 1, 32);
  std::vector<float> rows = wide;
  rows.insert(rows.end(), narrow.begin(), narrow.end());
  std::vector<float> expected = *model->Predict(wide, kWidth);
  const std::vector<float> others = *model->Predict(narrow, kWidth);
  EXPECT_NE(expected[0], others[0]);
  expected.insert(expected.end(), others.begin(), others.end());
  EXPECT_EQ(*model->Predict(rows, kWidth), expected);
}

TEST(BaseModel, RefusesRowsOfAnotherWidth) {
  const auto scores = MakeBaseModel(1)->Predict(std::vector<float>(7), 7);
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::kInvalidInput);
}

TEST(BaseModel, IsWhatAnUntrainedModelOverItSays) {
  const auto base = MakeBaseModel(1);
  const auto model = *MakeXgboostModel(3, 1, base);
  const std::vector<float> rows = RandomRows(50, 2);
  EXPECT_EQ(*model->Predict(rows, kWidth), *base->Predict(rows, kWidth));
}

TEST(BaseModel, IsTrustedWhereMeasurementsBearItOut) {
  const auto base = MakeBaseModel(1);
  TrainingSet set;
  set.width = kWidth;
  set.features = RandomRows(12, 3);
  const std::vector<float> truth = *base->Predict(set.features, kWidth);
  const float best = *std::max_element(truth.begin(), truth.end());
  for (float score : truth) set.throughput.push_back(score / best);
  set.task.assign(truth.size(), 0);
  const auto model = *MakeXgboostModel(3, 1, base);
  ASSERT_TRUE(model->Train(set));
  const std::vector<float> unseen = RandomRows(200, 4);
  EXPECT_GT(SpearmanRho(*model->Predict(unseen, kWidth), *base->Predict(unseen, kWidth)), 0.9);
}

TEST(BaseModel, CannotBeSavedWithinAnother) {
  const auto model = *MakeXgboostModel(3, 1, MakeBaseModel(1));
  EXPECT_FALSE(SaveModel(*model, "/nowhere/model"));
}

}  // namespace
}  // namespace whet
