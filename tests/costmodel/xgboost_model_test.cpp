#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <memory>

#include "base/file.h"
#include "base/rng.h"
#include "costmodel/cost_model.h"
#include "costmodel/features.h"

namespace whet {
namespace {

using testing::HasSubstr;

constexpr int64_t kWidth = 12;

// An invented machine: throughput is a product of two optima, an interaction and a cliff.
float InventedThroughput(const float* row) {
  const double tile = std::exp(-std::pow(row[0] - 5.0, 2) / 8);
  const double unroll = std::exp(-std::pow(row[1] - 3.0, 2) / 4);
  const double cliff = row[2] * row[3] > 30 ? 0.3 : 1.0;
  return static_cast<float>(0.02 + 0.98 * tile * (0.4 + 0.6 * unroll) * cliff);
}

TrainingSet Invent(int64_t rows, uint64_t seed, int tasks = 1, double failing = 0) {
  Rng rng(seed);
  TrainingSet set;
  set.width = kWidth;
  for (int64_t r = 0; r < rows; ++r) {
    std::vector<float> row(kWidth);
    for (float& value : row) value = static_cast<float>(rng.Below(11));
    set.throughput.push_back(rng.Chance(failing) ? 0.0F : InventedThroughput(row.data()));
    set.features.insert(set.features.end(), row.begin(), row.end());
    set.task.push_back(static_cast<int>(r) % tasks);
  }
  return set;
}

std::unique_ptr<CostModel> Trained(const TrainingSet& set, uint64_t seed = 1, int threads = 2) {
  auto model = *MakeXgboostModel(seed, threads);
  const Status status = model->Train(set);
  EXPECT_TRUE(status) << status.error().message;
  return model;
}

std::vector<float> Scores(CostModel& model, const TrainingSet& set) {
  auto scores = model.Predict(set.features, set.width);
  if (!scores) ADD_FAILURE() << scores.error().message;
  return scores.value_or(std::vector<float>());
}

TEST(XgboostModel, LearnsAnInventedMachine) {
  auto model = Trained(Invent(800, 1));
  EXPECT_TRUE(model->trained());
  const TrainingSet unseen = Invent(400, 2);
  EXPECT_GT(PairwiseAccuracy(Scores(*model, unseen), unseen.throughput), 0.9);
  EXPECT_GT(SpearmanRho(Scores(*model, unseen), unseen.throughput), 0.9);
}

TEST(XgboostModel, LearnsTheOrderOfEachTasksCandidates) {
  TreeOptions trees;
  trees.ranking = true;
  auto model = *MakeXgboostModel(1, 2, nullptr, trees);
  TrainingSet set = Invent(800, 1, 4);          // rows of the tasks in turns
  for (size_t r = 0; r < set.task.size(); ++r)  // tasks differ in what is best, not in the order
    set.throughput[r] *= 1.0F / static_cast<float>(1 + set.task[r]);
  ASSERT_TRUE(model->Train(set));
  const TrainingSet unseen = Invent(400, 2);
  EXPECT_GT(PairwiseAccuracy(Scores(*model, unseen), unseen.throughput), 0.85);
}

TEST(XgboostModel, LearnsWithAForestARound) {
  TreeOptions trees;
  trees.parallel_trees = 4;
  trees.subsample = 0.6;
  auto model = *MakeXgboostModel(1, 2, nullptr, trees);
  ASSERT_TRUE(model->Train(Invent(800, 1)));
  const TrainingSet unseen = Invent(400, 2);
  EXPECT_GT(PairwiseAccuracy(Scores(*model, unseen), unseen.throughput), 0.9);
}

TEST(XgboostModel, LearnsFromFewRows) {
  auto model = Trained(Invent(32, 1));
  const TrainingSet unseen = Invent(400, 2);
  EXPECT_GT(PairwiseAccuracy(Scores(*model, unseen), unseen.throughput), 0.6);
}

TEST(XgboostModel, LearnsInSpiteOfFailures) {
  auto model = Trained(Invent(800, 1, 3, 0.1));
  const TrainingSet unseen = Invent(400, 2);
  EXPECT_GT(PairwiseAccuracy(Scores(*model, unseen), unseen.throughput), 0.8);
}

TEST(XgboostModel, RanksWhatFailsLast) {
  TrainingSet set = Invent(400, 1);
  for (int64_t r = 0; r < set.rows(); ++r) {
    if (set.features[static_cast<size_t>(r * kWidth + 7)] > 6)
      set.throughput[static_cast<size_t>(r)] = 0;
  }
  auto model = Trained(set);
  TrainingSet probe = Invent(200, 5);
  std::vector<float> sound;
  std::vector<float> broken;
  for (size_t r = 0; r < 200; ++r) {
    std::vector<float> row(&probe.features[r * kWidth], &probe.features[(r + 1) * kWidth]);
    row[7] = 3;
    sound.push_back(model->Predict(row, kWidth)->front());
    row[7] = 9;
    broken.push_back(model->Predict(row, kWidth)->front());
  }
  for (size_t r = 0; r < sound.size(); ++r) EXPECT_GT(sound[r], broken[r]);
}

TEST(XgboostModel, IsDeterministic) {
  const TrainingSet set = Invent(300, 1, 4);
  const TrainingSet unseen = Invent(50, 2);
  auto a = Trained(set, 7);
  auto b = Trained(set, 7);
  EXPECT_EQ(Scores(*a, unseen), Scores(*b, unseen));
}

TEST(XgboostModel, GoesOnFromWhatItKnowsWhenRowsAreMany) {
  auto model = Trained(Invent(3200, 1));
  const TrainingSet unseen = Invent(400, 9);
  const double before = SpearmanRho(Scores(*model, unseen), unseen.throughput);
  ASSERT_TRUE(model->Train(Invent(3400, 1)));
  EXPECT_GE(SpearmanRho(Scores(*model, unseen), unseen.throughput), before - 0.02);
}

TEST(XgboostModel, IsTheRooflineBeforeItIsTrained) {
  auto model = *MakeXgboostModel(1, 1);
  EXPECT_FALSE(model->trained());
  const auto width = static_cast<int64_t>(FeatureTable().size());
  std::vector<float> rows(static_cast<size_t>(2 * width), 0.0F);
  const auto efficiency = static_cast<size_t>(FeatureIndex("roofline.efficiency"));
  rows[efficiency] = 0.25F;
  rows[static_cast<size_t>(width) + efficiency] = 0.5F;
  EXPECT_THAT(*model->Predict(rows, width), testing::ElementsAre(0.25F, 0.5F));
}

TEST(XgboostModel, TrustsTheRooflineWhereMeasurementsBearItOut) {
  // Throughput follows the estimate; the few rows do not tell which of the other features matter.
  const auto width = FeatureTable().size();
  const auto efficiency = static_cast<size_t>(FeatureIndex("roofline.efficiency"));
  Rng rng(3);
  TrainingSet set;
  set.width = static_cast<int64_t>(width);
  const auto add = [&](TrainingSet& to) {
    std::vector<float> row(width);
    for (float& value : row) value = static_cast<float>(rng.Uniform());
    to.features.insert(to.features.end(), row.begin(), row.end());
    to.throughput.push_back(row[efficiency] * static_cast<float>(0.9 + 0.1 * rng.Uniform()));
    to.task.push_back(0);
  };
  for (int r = 0; r < 16; ++r) add(set);
  TrainingSet unseen;
  unseen.width = set.width;
  for (int r = 0; r < 200; ++r) add(unseen);
  auto model = Trained(set);
  EXPECT_GT(SpearmanRho(Scores(*model, unseen), unseen.throughput), 0.9);
}

TEST(XgboostModel, RefusesRowsOfAnotherWidth) {
  auto model = Trained(Invent(50, 1));
  const auto scores = model->Predict(std::vector<float>(10), 5);
  ASSERT_FALSE(scores);
  EXPECT_THAT(scores.error().message, HasSubstr("the 12 features that the model knows"));
}

TEST(XgboostModel, RefusesATrainingSetThatDoesNotFitTogether) {
  TrainingSet set = Invent(50, 1);
  set.task.pop_back();
  const Status status = (*MakeXgboostModel(1, 1))->Train(set);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
}

TEST(RandomModel, GivesTheSameNumbersForTheSameSeed) {
  const std::vector<float> rows(30);
  auto a = MakeRandomModel(5);
  auto b = MakeRandomModel(5);
  const auto first = *a->Predict(rows, 3);
  EXPECT_EQ(first, *b->Predict(rows, 3));
  EXPECT_NE(first, *a->Predict(rows, 3));
  EXPECT_EQ(first.size(), 10u);
}

class ModelFile : public testing::Test {
 protected:
  void SetUp() override {
    model_ = Trained(Invent(200, 1));
    ASSERT_TRUE(SaveModel(*model_, path()));
    text_ = *ReadFile(path());
  }
  std::string path() const { return (directory_->path() / "model.json").string(); }
  void Write(const std::string& text) { std::ofstream(path(), std::ios::binary) << text; }
  std::string ErrorOfLoading() {
    const auto model = LoadXgboostModel(path(), 1);
    return model ? "" : model.error().message;
  }
  void ReplaceInHeader(const std::string& from, const std::string& to) {
    std::string text = text_;
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    Write(text.replace(at, from.size(), to));
  }

  Result<TemporaryDirectory> directory_ = TemporaryDirectory::Create("whet-model");
  std::unique_ptr<CostModel> model_;
  std::string text_;
};

TEST_F(ModelFile, PredictsAfterLoadingWhatItPredictedBefore) {
  auto loaded = LoadXgboostModel(path(), 1);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE((*loaded)->trained());
  const TrainingSet unseen = Invent(100, 2);
  EXPECT_EQ(Scores(**loaded, unseen), Scores(*model_, unseen));
}

TEST_F(ModelFile, LearnsOnAfterLoading) {
  auto loaded = LoadXgboostModel(path(), 1);
  ASSERT_TRUE(loaded);
  EXPECT_TRUE((*loaded)->Train(Invent(400, 3)));
}

TEST_F(ModelFile, IsRefusedWhenATruncatedOrFlippedByteShows) {
  Write(text_.substr(0, text_.size() / 2));
  EXPECT_THAT(ErrorOfLoading(), HasSubstr("fingerprint"));
  std::string flipped = text_;
  flipped[flipped.size() - 100] ^= 1;
  Write(flipped);
  EXPECT_THAT(ErrorOfLoading(), HasSubstr("fingerprint"));
  Write(text_.substr(0, 10));
  EXPECT_THAT(ErrorOfLoading(), HasSubstr("no header line"));
  Write("");
  EXPECT_THAT(ErrorOfLoading(), HasSubstr(path()));
}

TEST_F(ModelFile, IsRefusedWhenItIsOfALaterVersion) {
  ReplaceInHeader("\"version\":1", "\"version\":2");
  const auto model = LoadXgboostModel(path(), 1);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kTooNew);
  EXPECT_THAT(model.error().message, HasSubstr("format version 2, this Whet reads up to 1"));
}

TEST_F(ModelFile, IsRefusedWhenItsFeaturesAreOthers) {
  ReplaceInHeader("\"feature_version\":2", "\"feature_version\":9");
  EXPECT_THAT(ErrorOfLoading(), HasSubstr("trained on version 9 of the features"));
}

TEST_F(ModelFile, OfTheFirstFeaturesIsReadSinceOthersCameBehindThem) {
  const int64_t width = FeatureIndex("machine.threads");
  const TrainingSet set = Invent(200, 5);
  TrainingSet wide = set;
  wide.width = width;
  wide.features.assign(static_cast<size_t>(set.rows() * width), 0.5F);
  for (int64_t row = 0; row < set.rows(); ++row)
    for (int64_t f = 0; f < set.width; ++f)
      wide.features[row * width + f] = set.features[row * set.width + f];
  const auto trained = *MakeXgboostModel(7, 1);
  ASSERT_TRUE(trained->Train(wide));
  ASSERT_TRUE(SaveModel(*trained, path()));
  text_ = *ReadFile(path());
  ReplaceInHeader("\"feature_version\":2", "\"feature_version\":1");
  const auto model = LoadXgboostModel(path(), 1);
  ASSERT_TRUE(model) << model.error().message;
  const auto now = static_cast<int64_t>(FeatureTable().size());
  std::vector<float> rows(static_cast<size_t>(now), 3.0F);
  EXPECT_EQ((*model)->Predict(rows, now)->size(), 1u);
  EXPECT_FALSE((*model)->Predict(std::vector<float>(static_cast<size_t>(width)), width));
}

TEST_F(ModelFile, IsRefusedWhenItIsSomethingElse) {
  Write("{\"format\":\"cookbook\",\"version\":1}\n");
  EXPECT_THAT(ErrorOfLoading(), HasSubstr("cookbook"));
  Write("hello\nworld\n");
  EXPECT_FALSE(ErrorOfLoading().empty());
}

TEST_F(ModelFile, IsOnlyWrittenForATrainedModel) {
  EXPECT_FALSE(SaveModel(**MakeXgboostModel(1, 1), path()));
  EXPECT_FALSE(SaveModel(*MakeRandomModel(1), path()));
  EXPECT_EQ(*ReadFile(path()), text_);
}

}  // namespace
}  // namespace whet
