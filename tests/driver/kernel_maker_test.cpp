#include "driver/kernel_maker.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/version.h"
#include "codegen/target.h"
#include "driver/kernel_key.h"
#include "driver/refusal_log.h"
#include "tests/driver/spoiling.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConv = "Conv(x=1x16x12x12,w=16x16x3x3,pads=1)+Relu";

class KernelMakerTest : public testing::Test {
 protected:
  KernelMakerTest() : directory_(*TemporaryDirectory::Create("whet-driver-test")) {}

  Task TaskOf(const std::string& spelling, int threads = 2) const {
    return ParseTaskSpelling(spelling, Target::Host(threads).ToString()).value();
  }

  KernelMaker::Options OptionsOf(int threads = 2) {
    KernelMaker::Options options;
    options.machine = Target::Host(threads).Machine().value();
    options.workers = [this] { return workers_.Get(); };
    options.refused = [this](const RefusedKernel& refused) { refused_.push_back(refused); };
    return options;
  }

  // What a maker with these options makes of the task; a new folder of objects for each.
  MadeKernels Make(const KernelMaker::Options& options, const Task& task) {
    const fs::path folder = directory_.path() / std::to_string(++folders_);
    fs::create_directory(folder);
    refused_.clear();
    auto made = KernelMaker(options).Make(std::span(&task, 1), folder);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : MadeKernels();
  }

  TemporaryDirectory directory_;
  LazyWorkers workers_{WorkerOptions{.jobs = 2}};
  std::vector<RefusedKernel> refused_;
  int folders_ = 0;
};

TEST_F(KernelMakerTest, ARightKernelIsBuiltAndCheckedOnce) {
  const MadeKernels made = Make(OptionsOf(), TaskOf(kConv));
  ASSERT_TRUE(made.AllRight()) << made.AllRight().error().message;
  EXPECT_EQ(made.built, 1);
  EXPECT_EQ(made.checked, 1);
  EXPECT_TRUE(refused_.empty());
  EXPECT_TRUE(fs::exists(made.object_paths[0]));
}

TEST_F(KernelMakerTest, WhatTheCacheHoldsIsNeitherBuiltNorCheckedAgain) {
  auto options = OptionsOf();
  options.cache = KernelCache(directory_.path() / "cache", 1 << 30);
  const MadeKernels first = Make(options, TaskOf(kConv));
  options.workers = []() -> Result<WorkerClient*> {
    return Fail(ErrorCode::kInternal, "nothing was left to do");
  };
  const MadeKernels second = Make(options, TaskOf(kConv));
  ASSERT_TRUE(second.AllRight()) << second.AllRight().error().message;
  EXPECT_EQ(second.built, 0);
  EXPECT_EQ(second.checked, 0);
  EXPECT_EQ(first.schedules[0].trace, second.schedules[0].trace);
  EXPECT_EQ(ReadFile(first.object_paths[0]).value(), ReadFile(second.object_paths[0]).value());
}

TEST_F(KernelMakerTest, AnEntryThatIsDamagedIsBuiltAgain) {
  auto options = OptionsOf();
  options.cache = KernelCache(directory_.path() / "cache", 1 << 30);
  Make(options, TaskOf(kConv));
  for (const auto& entry : fs::directory_iterator(directory_.path() / "cache"))
    if (entry.path().extension() == ".kernel") fs::resize_file(entry.path(), 1000);
  const MadeKernels made = Make(options, TaskOf(kConv));
  ASSERT_TRUE(made.AllRight());
  EXPECT_EQ(made.built, 1);
}

TEST_F(KernelMakerTest, ANoteOfAKernelThatWasWrongIsBelieved) {
  auto options = OptionsOf();
  options.cache = KernelCache(directory_.path() / "cache", 1 << 30);
  {
    const SpoilKernels spoil("constant", (directory_.path() / "once").string());
    ASSERT_TRUE(Make(options, TaskOf(kConv)).AllRight());
    ASSERT_EQ(refused_.size(), 1u);
    EXPECT_FALSE(refused_[0].known);
  }
  const MadeKernels again = Make(options, TaskOf(kConv));
  ASSERT_TRUE(again.AllRight());
  EXPECT_EQ(again.built, 0);
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_TRUE(refused_[0].known);
}

TEST_F(KernelMakerTest, WhereNoChoiceIsRightTheTaskHasNoKernel) {
  const SpoilKernels spoil("lane");
  const MadeKernels made = Make(OptionsOf(), TaskOf("Add(a=8x8,b=8x8)"));
  ASSERT_FALSE(made.AllRight());
  EXPECT_EQ(made.AllRight().error().code, ErrorCode::kWrongResult);
  EXPECT_NE(made.AllRight().error().message.find("wrong_result"), std::string::npos);
  EXPECT_GE(refused_.size(), 1u);
}

TEST_F(KernelMakerTest, ARecordOfThisVersionVouchesAndOfAnotherDoesNot) {
  const Task task = TaskOf(kConv);
  const Trace trace = Make(OptionsOf(), task).schedules[0].trace;
  for (const std::string version : {kWhetVersion, "0.0.1"}) {
    const std::string path = (directory_.path() / (version + ".db")).string();
    const auto database = Database::Open(path).value();
    RunInfo info;
    info.version = version;
    info.halide_version = kHalideVersion;
    info.target = task.target;
    Record record;
    record.task = task.Fingerprint();
    record.trace = trace;
    record.measurement.samples_ns = {1000, 1001, 1002};
    ASSERT_TRUE(database->AddTask(task));
    record.run_id = database->StartRun(info).value();
    ASSERT_TRUE(database->AddRecord(record));
    auto options = OptionsOf();
    options.database = database.get();
    const MadeKernels made = Make(options, task);
    ASSERT_TRUE(made.AllRight());
    EXPECT_EQ(made.tuned, 1);
    EXPECT_EQ(made.checked, version == kWhetVersion ? 0 : 1) << version;
  }
}

TEST_F(KernelMakerTest, KernelsThatThisMachineDoesNotRunAreCountedAsUnchecked) {
  const bool runs_here = LargestIsaHere() == "avx512_vnni";  // then they are checked
  const std::string target = "x86-64-linux-avx512_vnni-2t";
  auto options = OptionsOf();
  options.machine = Target::Parse(target)->Machine().value();
  options.cache = KernelCache(directory_.path() / "cache", 1 << 30);
  const Task task = ParseTaskSpelling("Relu(x=64x64)", target).value();
  for (const int built : {1, 0}) {
    const MadeKernels made = Make(options, task);
    ASSERT_TRUE(made.AllRight()) << made.AllRight().error().message;
    EXPECT_EQ(made.built, built);
    EXPECT_EQ(made.checked, runs_here ? built : 0);
    EXPECT_EQ(made.unchecked, runs_here ? 0 : 1);
  }
}

TEST_F(KernelMakerTest, ARefusedKernelIsOneRowOfTheDatabase) {
  const std::string path = (directory_.path() / "tuning.db").string();
  const Task task = TaskOf(kConv);
  {
    const SpoilKernels spoil("tail", (directory_.path() / "once").string());
    ASSERT_TRUE(Make(OptionsOf(), task).AllRight());
  }
  ASSERT_EQ(refused_.size(), 1u);
  RunInfo info;
  info.command = "whet run model.onnx";
  info.version = kWhetVersion;
  info.target = task.target;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(RecordRefusal(path, info, refused_[0]));
  const auto records =
      Database::Open(path, Database::Mode::kReadOnly).value()->Records(task.Fingerprint()).value();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].role, RecordRole::kCheck);
  EXPECT_EQ(records[0].measurement.status, MeasureStatus::kWrongResult);
  EXPECT_EQ(records[0].trace.DirectivesHash(), refused_[0].schedule.trace.DirectivesHash());
}

TEST_F(KernelMakerTest, WhatTheDatabaseSaysIsWrongIsNotChosenAgain) {
  const std::string path = (directory_.path() / "tuning.db").string();
  const Task task = TaskOf(kConv);
  const Trace trace = Make(OptionsOf(), task).schedules[0].trace;
  RefusedKernel refused{task, {trace, 0}, {}};
  refused.verdict.status = MeasureStatus::kWrongResult;
  RunInfo info;
  info.target = task.target;
  ASSERT_TRUE(RecordRefusal(path, info, refused));
  const auto database = Database::Open(path).value();
  auto options = OptionsOf();
  options.database = database.get();
  const MadeKernels made = Make(options, task);
  ASSERT_TRUE(made.AllRight());
  EXPECT_NE(made.schedules[0].trace.DirectivesHash(), trace.DirectivesHash());
  EXPECT_TRUE(refused_.empty()) << "it was not even tried";
}

struct Spoilt {
  std::string how;
  int threads;
};

class SpoiltKernels : public KernelMakerTest, public testing::WithParamInterface<Spoilt> {};

TEST_P(SpoiltKernels, AreFoundOutAndAnotherTakesTheirPlace) {
  const auto& [how, threads] = GetParam();
  const SpoilKernels spoil(how, (directory_.path() / "once").string());
  const Task task = TaskOf(how == "denormals" ? "Relu(x=64x64)" : kConv, threads);
  const MadeKernels made = Make(OptionsOf(threads), task);
  ASSERT_TRUE(made.AllRight()) << made.AllRight().error().message;
  ASSERT_EQ(refused_.size(), 1u);
  EXPECT_EQ(refused_[0].verdict.status,
            how == "overrun" ? MeasureStatus::kGuardOverrun : MeasureStatus::kWrongResult)
      << refused_[0].verdict.message;
  EXPECT_NE(refused_[0].schedule.trace.DirectivesHash(), made.schedules[0].trace.DirectivesHash());
}

std::vector<Spoilt> AllWays() {
  std::vector<Spoilt> ways;
  for (const char* how : {"lane", "tail", "halo", "uninitialised", "off_by_one", "constant", "race",
                          "overrun", "denormals", "transposed"})
    for (const int threads : {1, 2, 4})
      if (how != std::string("race") || threads > 1) ways.push_back({how, threads});
  return ways;
}

INSTANTIATE_TEST_SUITE_P(Ways, SpoiltKernels, testing::ValuesIn(AllWays()), [](const auto& info) {
  return info.param.how + "_on_" + std::to_string(info.param.threads);
});

}  // namespace
}  // namespace whet
