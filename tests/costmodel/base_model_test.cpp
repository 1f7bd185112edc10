// The pretrained model that is part of the program, and trees over it.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "costmodel/cost_model.h"
#include "costmodel/features.h"

namespace whet {
namespace {

std::vector<float> RandomRows(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> rows(count * FeatureTable().size());
  for (float& value : rows) value = static_cast<float>(4 * rng.Uniform());
  return rows;
}

TEST(BaseModel, IsTrainedOnTheFeaturesOfThisProgram) {
  const auto model = LoadBaseModel(1);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE((*model)->trained());
  const auto scores =
      (*model)->Predict(RandomRows(20, 1), static_cast<int64_t>(FeatureTable().size()));
  ASSERT_TRUE(scores);
  for (float score : *scores) EXPECT_GT(score, 0);
}

TEST(BaseModel, IsWhatAnUntrainedModelOverItSays) {
  const auto base = *LoadBaseModel(1);
  const auto model = *MakeXgboostModel(3, 1, base);
  const auto width = static_cast<int64_t>(FeatureTable().size());
  const std::vector<float> rows = RandomRows(50, 2);
  EXPECT_EQ(*model->Predict(rows, width), *base->Predict(rows, width));
}

TEST(BaseModel, IsTrustedWhereMeasurementsBearItOut) {
  const auto base = *LoadBaseModel(1);
  const auto width = static_cast<int64_t>(FeatureTable().size());
  TrainingSet set;
  set.width = width;
  set.features = RandomRows(12, 3);
  const std::vector<float> truth = *base->Predict(set.features, width);
  const float best = *std::max_element(truth.begin(), truth.end());
  for (float score : truth) set.throughput.push_back(score / best);
  set.task.assign(truth.size(), 0);
  const auto model = *MakeXgboostModel(3, 1, base);
  ASSERT_TRUE(model->Train(set));
  const std::vector<float> unseen = RandomRows(200, 4);
  EXPECT_GT(SpearmanRho(*model->Predict(unseen, width), *base->Predict(unseen, width)), 0.9);
}

TEST(BaseModel, CannotBeSavedWithinAnother) {
  const auto model = *MakeXgboostModel(3, 1, *LoadBaseModel(1));
  EXPECT_FALSE(SaveModel(*model, "/nowhere/model"));
}

}  // namespace
}  // namespace whet
