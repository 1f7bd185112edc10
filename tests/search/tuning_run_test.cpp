#include "search/tuning_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "search/guess.h"
#include "tests/search/invented_space.h"

namespace whet {
namespace {

using testing::HasSubstr;

constexpr char kTarget[] = "x86-64-linux-avx2-2t";

Task MakeTask(const std::string& spelling) {
  auto task = ParseTaskSpelling(spelling, kTarget);
  if (!task) ADD_FAILURE() << task.error().message;
  return task.value_or(Task());
}

class NoProgress : public Progress {
 public:
  void Update(const ProgressState& state) override { states.push_back(state); }
  void Message(std::string_view text) override { messages.emplace_back(text); }
  void Finish() override {}
  std::vector<ProgressState> states;
  std::vector<std::string> messages;
};

class TuningRunTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  // With an empty database.
  void StartOver() {
    ++databases_;
    Reopen();
  }
  void Reopen() {
    database_.reset();
    DatabaseOptions options;
    options.clock = &clock_;
    auto opened =
        Database::Open((directory_->path() / fmt::format("tuning{}.db", databases_)).string(),
                       Database::Mode::kReadWrite, options);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = *std::move(opened);
  }

  Result<TuningOutcome> Run() {
    model_ = *MakeXgboostModel(options_.seed, 1);
    options_.evolution.threads = 1;
    options_.evolution.population = 256;
    options_.info.target = kTarget;
    const TuningContext context{
        clock_,
        measurer_,
        *database_,
        *model_,
        progress_,
        MachineModel(),
        &stop_,
        [this](const Task& task, const MachineModel&) -> Result<std::unique_ptr<CandidateSource>> {
          if (task.Describe() == unreadable_) {
            return Fail(ErrorCode::kUnsupported, "no sketch fits");
          }
          return std::make_unique<InventedSource>(space_size_);
        },
        base_};
    return RunTuning(tasks_, options_, context);
  }
  TuningOutcome Tune() {
    auto outcome = Run();
    if (!outcome) ADD_FAILURE() << outcome.error().message;
    return outcome.value_or(TuningOutcome());
  }
  std::vector<Record> Records() const { return *database_->Records(tasks_[0].task.Fingerprint()); }

  Result<TemporaryDirectory> directory_ = TemporaryDirectory::Create("whet-tuning");
  int databases_ = 0;
  FakeClock clock_;
  FakeMeasurer measurer_{clock_};
  NoProgress progress_;
  std::atomic<bool> stop_ = false;
  std::unique_ptr<CostModel> model_;
  CostModel* base_ = nullptr;
  std::unique_ptr<Database> database_;
  int64_t space_size_ = 12;
  std::string unreadable_ = "-";
  std::vector<TuningTask> tasks_ = {{MakeTask("MatMul(a=64x64,b=64x64)"), 3, "first"}};
  TuningOptions options_ = {.trials = 64, .seed = 1};
};

TEST_F(TuningRunTest, FindsAMuchFasterScheduleThanTheDefault) {
  const TuningOutcome outcome = Tune();
  ASSERT_EQ(outcome.tasks.size(), 1u);
  const TaskOutcome& task = outcome.tasks[0];
  EXPECT_EQ(task.trials, 64);
  EXPECT_EQ(task.failed, 0);
  EXPECT_EQ(task.uses, 3);
  EXPECT_NEAR(task.default_ms, InventedMs({0, 0, 0, 0}), 1e-3);
  EXPECT_LT(task.best_ms, 1.6);
  EXPECT_NEAR(task.gflops, 2 * 64.0 * 64 * 64 / task.best_ms / 1e6, 1e-3);
  EXPECT_EQ(outcome.measured, 64);
  EXPECT_NEAR(outcome.CandidatesPerSecond(), 10, 0.01);
  EXPECT_FALSE(outcome.interrupted);
}

TEST_F(TuningRunTest, TrialZeroIsTheDefaultSchedule) {
  Tune();
  const Record first = Records().front();
  EXPECT_TRUE(first.is_default);
  EXPECT_EQ(InventedSource::PointOf(first.trace), (std::vector<int64_t>{0, 0, 0, 0}));
}

TEST_F(TuningRunTest, BeatsRandomSearchInAsManyTrials) {
  const double evolved = Tune().tasks[0].best_ms;
  StartOver();
  options_.evolution.strategy = SearchStrategy::kRandom;
  const TuningOutcome random = Tune();
  EXPECT_EQ(random.scored, 0);
  EXPECT_LT(evolved * 1.1, random.tasks[0].best_ms);
}

TEST_F(TuningRunTest, TheSameCommandAgainMeasuresNothingNew) {
  const TuningOutcome first = Tune();
  const size_t measured = measurer_.measured.size();
  const int comparisons = measurer_.comparisons;
  Reopen();
  const TuningOutcome again = Tune();
  EXPECT_EQ(measurer_.measured.size(), measured);
  EXPECT_EQ(measurer_.comparisons, comparisons);
  EXPECT_EQ(again.measured, 0);
  EXPECT_EQ(again.tasks[0].trials, 64);
  EXPECT_EQ(again.tasks[0].best_ms, first.tasks[0].best_ms);
  EXPECT_EQ(again.tasks[0].default_ms, first.tasks[0].default_ms);
  EXPECT_EQ(again.tasks[0].best_record, first.tasks[0].best_record);
}

TEST_F(TuningRunTest, MoreTrialsGoOnWhereItStoppedAndMeasureNoCandidateTwice) {
  options_.trials = 24;
  Tune();
  Reopen();
  options_.trials = 48;
  const TuningOutcome outcome = Tune();
  EXPECT_EQ(outcome.measured, 24);
  EXPECT_EQ(outcome.tasks[0].trials, 48);
  const std::set<std::vector<int64_t>> distinct(measurer_.measured.begin(),
                                                measurer_.measured.end());
  EXPECT_EQ(distinct.size(), measurer_.measured.size());
}

TEST_F(TuningRunTest, RecordsOfTheOtherCacheModeAreNoTrials) {
  const auto tune = [&](CacheMode cache) {
    Reopen();
    options_.cache = cache;
    options_.info.settings = {{"cache", Name(cache)}};
    return Tune();
  };
  tune(CacheMode::kWarm);
  EXPECT_EQ(measurer_.measured.size(), 64u);
  const TuningOutcome cold = tune(CacheMode::kCold);
  EXPECT_EQ(cold.measured, 64);
  EXPECT_EQ(cold.tasks[0].trials, 64);
  EXPECT_EQ(measurer_.comparisons, 2);
  // Each goes on from its own.
  EXPECT_EQ(tune(CacheMode::kWarm).measured, 0);
  EXPECT_EQ(tune(CacheMode::kCold).measured, 0);
  EXPECT_EQ(measurer_.measured.size(), 128u);
}

TEST_F(TuningRunTest, AWinnerOfTheOtherCacheModeIsNotComparedWithThisOnesDefault) {
  Tune();
  Reopen();
  options_.cache = CacheMode::kCold;
  options_.info.settings = {{"cache", "cold"}};
  options_.trials = 1;  // the default alone: nothing to compare
  const TuningOutcome cold = Tune();
  EXPECT_GT(cold.tasks[0].best_ms, 0);
  EXPECT_EQ(cold.tasks[0].default_ms, 0);
}

TEST_F(TuningRunTest, AnInterruptedRunSavesWhatItMeasured) {
  measurer_.after_each = [&](size_t count) { stop_ = count == 21; };
  const TuningOutcome outcome = Tune();
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(Records().size(), 21u);
  EXPECT_EQ(measurer_.comparisons, 0);
  EXPECT_EQ(database_->Runs()->back().outcome, "interrupted");
  EXPECT_GT(outcome.tasks[0].best_ms, 0);

  stop_ = false;
  measurer_.after_each = nullptr;
  Reopen();
  const TuningOutcome rest = Tune();
  EXPECT_EQ(rest.measured, 64 - 21);
  EXPECT_EQ(rest.tasks[0].trials, 64);
  const std::set<std::vector<int64_t>> distinct(measurer_.measured.begin(),
                                                measurer_.measured.end());
  EXPECT_EQ(distinct.size(), 64u);
}

TEST_F(TuningRunTest, ATaskWithoutAGainForLongEndsBeforeItsBudget) {
  options_.trials = 1000;
  options_.patience = 64;
  const TuningOutcome outcome = Tune();
  EXPECT_TRUE(outcome.tasks[0].converged);
  EXPECT_LT(outcome.tasks[0].trials, 400);
  EXPECT_GE(outcome.tasks[0].trials, 64);
  EXPECT_EQ(measurer_.comparisons, 1);
  options_.patience = 0;
  EXPECT_EQ(Tune().tasks[0].trials, 1000);
}

TEST(CandidateSet, CountsTheCandidatesSinceTheLastGainAboveTheNoise) {
  CandidateSet set;
  const InventedSource source;
  const double times[] = {3.0, 2.0, 1.99, 2.5, 1.97};  // milliseconds
  for (int64_t i = 0; i < 5; ++i) set.Add(Measured(source.At({i, 0, 0, 0}), times[i]));
  EXPECT_EQ(set.SinceGain(0.02), 3);
  EXPECT_EQ(set.SinceGain(0.001), 0);
  EXPECT_EQ(CandidateSet().SinceGain(0.02), 0);
}

TEST_F(TuningRunTest, AFailureIsARowAndTheRunGoesOn) {
  measurer_.status = [](const std::vector<int64_t>& point) {
    return point[2] % 3 == 1 ? MeasureStatus::kRunCrash : MeasureStatus::kOk;
  };
  const TuningOutcome outcome = Tune();
  const std::vector<Record> records = Records();
  int64_t failed = 0;
  for (const Record& record : records) {
    if (record.measurement.ok()) continue;
    ++failed;
    EXPECT_EQ(record.measurement.message, "invented failure");
    EXPECT_TRUE(record.measurement.samples_ns.empty());
  }
  EXPECT_GT(failed, 0);
  EXPECT_EQ(outcome.tasks[0].failed, failed);
  EXPECT_EQ(outcome.tasks[0].trials, 64);
  EXPECT_LT(outcome.tasks[0].best_ms, 2.5);
}

TEST_F(TuningRunTest, ATaskOnWhichEverythingFailsIsLeftAlone) {
  measurer_.status = [](const auto&) { return MeasureStatus::kCompileError; };
  options_.trials = 1000;
  const TuningOutcome outcome = Tune();
  EXPECT_LT(outcome.tasks[0].trials, 100);
  EXPECT_EQ(outcome.tasks[0].failed, outcome.tasks[0].trials);
  EXPECT_EQ(outcome.tasks[0].best_ms, 0);
  EXPECT_EQ(outcome.tasks[0].best_record, 0);
}

TEST_F(TuningRunTest, TheSameSeedMakesTheSameDecisions) {
  Tune();
  const auto first = measurer_.measured;
  measurer_.measured.clear();
  StartOver();
  Tune();
  EXPECT_EQ(measurer_.measured, first);
  measurer_.measured.clear();
  StartOver();
  options_.seed = 2;
  Tune();
  EXPECT_NE(measurer_.measured, first);
}

TEST_F(TuningRunTest, FinalistsAreComparedWithTheDefaultSchedule) {
  const TuningOutcome outcome = Tune();
  EXPECT_EQ(measurer_.comparisons, 1);
  ASSERT_EQ(measurer_.compared.size(), 8u);
  EXPECT_EQ(measurer_.compared[0], (std::vector<int64_t>{0, 0, 0, 0}));
  int64_t finals = 0;
  for (const Record& record : Records()) finals += record.is_final();
  EXPECT_EQ(finals, 8);
  EXPECT_TRUE(database_->RecordById(outcome.tasks[0].best_record)->is_final());
}

TEST_F(TuningRunTest, WhatTheBaseModelWouldRunIsATrialAndAFinalist) {
  const auto expected = GuessSchedule(InventedSource(space_size_), *MakeRandomModel(7), 1);
  ASSERT_TRUE(expected) << expected.error().message;
  const std::vector<int64_t> guess = InventedSource::PointOf(*expected);
  const auto base = MakeRandomModel(7);
  base_ = base.get();
  Tune();
  EXPECT_THAT(measurer_.measured, testing::Contains(guess));
  ASSERT_EQ(measurer_.compared.size(), 8u);
  EXPECT_EQ(measurer_.compared[1], guess);
}

TEST_F(TuningRunTest, TheDefaultWinsWhereTheFinalsDoNotConfirmAGain) {
  // In the final comparison every tuned candidate is as slow as the default, but for noise of one
  // percent.
  const double default_ms = InventedMs({0, 0, 0, 0});
  measurer_.compare_factor = [&](const std::vector<int64_t>& point) {
    const bool is_default = point == std::vector<int64_t>{0, 0, 0, 0};
    return (is_default ? 1.0 : 0.99) * default_ms / InventedMs(point);
  };
  const TuningOutcome outcome = Tune();
  const Record best = *database_->RecordById(outcome.tasks[0].best_record);
  EXPECT_TRUE(best.is_default);
  EXPECT_NEAR(outcome.tasks[0].best_ms, default_ms, 0.01);
}

TEST_F(TuningRunTest, RecordsWhatTheModelPredicted) {
  Tune();
  for (const Record& record : Records()) EXPECT_EQ(record.predicted.has_value(), record.is_trial());
}

TEST_F(TuningRunTest, AnExhaustedSpaceEndsTheTask) {
  space_size_ = 2;
  const TuningOutcome outcome = Tune();
  EXPECT_EQ(outcome.tasks[0].trials, 16);
}

TEST_F(TuningRunTest, TheTimeBudgetIncludesTheFinals) {
  options_.trials = 0;
  options_.time_budget_s = 30;
  measurer_.seconds = 0.25;
  const TuningOutcome outcome = Tune();
  EXPECT_LE(outcome.seconds, 30.5);
  EXPECT_GT(outcome.seconds, 24);
  EXPECT_EQ(measurer_.comparisons, 1);
  EXPECT_EQ(database_->Runs()->back().outcome, "done");
}

TEST_F(TuningRunTest, AShortTimeBudgetReachesEveryTask) {
  tasks_.clear();
  for (int i = 1; i <= 20; ++i) {
    tasks_.push_back({MakeTask(fmt::format("MatMul(a={}x64,b=64x64)", 16 * i)), 1, ""});
  }
  options_.trials = 0;
  options_.time_budget_s = 60;
  measurer_.seconds = 0.2;
  const TuningOutcome outcome = Tune();
  EXPECT_LE(outcome.seconds, 61);
  for (const TaskOutcome& task : outcome.tasks) {
    EXPECT_GE(task.trials, 4) << task.spelling;
    EXPECT_LT(task.best_ms, task.default_ms) << task.spelling;
  }
}

TEST_F(TuningRunTest, GivesMoreTrialsToTheTaskThatIsUsedMore) {
  tasks_ = {{MakeTask("MatMul(a=64x64,b=64x64)"), 1, ""},
            {MakeTask("MatMul(a=65x64,b=64x64)"), 30, ""}};
  options_.trials = 0;
  options_.time_budget_s = 60;
  const TuningOutcome outcome = Tune();
  EXPECT_GT(outcome.tasks[1].trials, 2 * outcome.tasks[0].trials);
}

TEST_F(TuningRunTest, EqualTasksAreTunedOnce) {
  tasks_ = {{MakeTask("MatMul(a=64x64,b=64x64)"), 2, ""},
            {MakeTask("MatMul(a=64x64,b=64x64)"), 3, ""}};
  const TuningOutcome outcome = Tune();
  ASSERT_EQ(outcome.tasks.size(), 1u);
  EXPECT_EQ(outcome.tasks[0].uses, 5);
}

TEST_F(TuningRunTest, ATaskThatCannotBeTunedIsToldAndTheOthersAre) {
  tasks_.push_back({MakeTask("MatMul(a=32x64,b=64x64)"), 1, ""});
  unreadable_ = tasks_[0].task.Describe();
  const TuningOutcome outcome = Tune();
  EXPECT_EQ(outcome.tasks[0].error, "no sketch fits");
  EXPECT_EQ(outcome.tasks[0].trials, 0);
  EXPECT_EQ(outcome.tasks[1].trials, 64);
  ASSERT_EQ(progress_.messages.size(), 1u);
  EXPECT_THAT(progress_.messages[0], HasSubstr("cannot be tuned: no sketch fits"));
}

TEST_F(TuningRunTest, ASimilarTaskLearnsFromTheFirst) {
  Tune();
  Reopen();
  const std::vector<int64_t> best =
      InventedSource::PointOf(database_->Best(tasks_[0].task.Fingerprint())->value().trace);
  tasks_ = {{MakeTask("MatMul(a=128x64,b=64x64)"), 1, ""}};
  options_.trials = 4;
  measurer_.measured.clear();
  Tune();
  EXPECT_THAT(measurer_.measured, testing::Contains(best));
}

TEST_F(TuningRunTest, ProgressShowsTheRunAsItGoes) {
  Tune();
  ASSERT_FALSE(progress_.states.empty());
  const ProgressState& last = progress_.states.back();
  EXPECT_TRUE(last.finals);
  EXPECT_EQ(last.trials, 64);
  EXPECT_EQ(last.max_trials, 64);
  EXPECT_EQ(last.label, "first");
  EXPECT_EQ(last.short_label, "first");
  EXPECT_EQ(last.peak_share, 0);  // nobody measured the peak
  ASSERT_TRUE(last.rho);
  EXPECT_GE(*last.rho, -1);
  EXPECT_LE(*last.rho, 1);
}

TEST_F(TuningRunTest, AMeasurerThatCannotStartEndsTheRunWithItsReason) {
  measurer_.broken = true;
  const auto outcome = Run();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("no worker starts"));
  EXPECT_EQ(database_->Runs()->back().outcome, "failed");
}

TEST_F(TuningRunTest, WantsABudgetAndATask) {
  options_.trials = 0;
  ASSERT_FALSE(Run());
  EXPECT_THAT(Run().error().message, HasSubstr("needs a budget"));
  options_.trials = 4;
  tasks_.clear();
  EXPECT_THAT(Run().error().message, HasSubstr("no task"));
}

TEST_F(TuningRunTest, TheReportIsJson) {
  const Json json = ToJson(Tune());
  EXPECT_EQ(json["outcome"], "done");
  EXPECT_GT(json["candidates_per_s"].get<double>(), 0);
  EXPECT_EQ(json["tasks"][0]["trials"], 64);
  EXPECT_EQ(json["tasks"][0]["uses"], 3);
  EXPECT_TRUE(json["tasks"][0]["error"].is_null());
  EXPECT_TRUE(ToJson(TuningOutcome{.tasks = {{}}})["tasks"][0]["best_ms"].is_null());
}

}  // namespace
}  // namespace whet
