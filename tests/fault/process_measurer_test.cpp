#include "search/process_measurer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "codegen/target.h"
#include "schedules/sketch.h"
#include "search/canary.h"

namespace whet {
namespace {

using ::testing::HasSubstr;

// The task that plants.c computes.
Task Relu() {
  Task task;
  task.inputs = {{"x", {DataType::kFloat32, {7, 9}}, false}};
  task.nodes = {{"Relu", {"x"}, "y", {}}};
  task.output = "y";
  task.target = Target::Host(2).ToString();
  return task;
}

Trace Named(const std::string& sketch) {
  Trace trace;
  trace.sketch = sketch;
  return trace;
}

class ProcessMeasurerTest : public testing::Test {
 protected:
  void SetUp() override { Create(PlantOptions()); }

  // Limits that plants meet quickly.
  static ProcessMeasurerOptions PlantOptions() {
    ProcessMeasurerOptions options;
    options.worker.jobs = 2;
    options.memory_bytes = int64_t{256} << 20;
    options.compile_limit_ms = 3'000;
    return options;
  }

  void Create(ProcessMeasurerOptions options) {
    auto measurer = ProcessMeasurer::Create(std::move(options));
    ASSERT_TRUE(measurer) << measurer.error().message;
    measurer_ = std::move(*measurer);
  }

  std::vector<Measurement> Measure(const std::vector<std::string>& sketches) {
    std::vector<Trace> traces;
    for (const std::string& sketch : sketches) traces.push_back(Named(sketch));
    std::vector<Measurement> measurements;
    const Status status =
        measurer_->Measure(Relu(), traces, [&](size_t index, const Measurement& measurement) {
          EXPECT_EQ(index, measurements.size());
          measurements.push_back(measurement);
          return true;
        });
    EXPECT_TRUE(status) << status.error().message;
    EXPECT_EQ(measurements.size(), sketches.size());
    measurements.resize(sketches.size());
    return measurements;
  }

  // A plant between two right kernels: it gets its class, and they are measured as if it were not
  // there.
  Measurement MeasureBetweenRightOnes(const std::string& sketch) {
    const auto measurements = Measure({"plant:right", sketch, "plant:right"});
    EXPECT_TRUE(measurements[0].ok()) << measurements[0].message;
    EXPECT_TRUE(measurements[2].ok()) << measurements[2].message;
    EXPECT_EQ(measurements[1].ok(), measurements[1].message.empty());
    EXPECT_EQ(measurements[1].ok(), !measurements[1].samples_ns.empty());
    return measurements[1];
  }

  void Expect(const std::string& sketch, MeasureStatus status, const std::string& message) {
    const Measurement measurement = MeasureBetweenRightOnes(sketch);
    EXPECT_EQ(Name(measurement.status), Name(status)) << measurement.message;
    EXPECT_THAT(measurement.message, HasSubstr(message));
  }

  std::unique_ptr<ProcessMeasurer> measurer_;
};

TEST_F(ProcessMeasurerTest, TimesARightKernel) {
  const Measurement measurement = MeasureBetweenRightOnes("plant:right");
  EXPECT_TRUE(measurement.ok()) << measurement.message;
  EXPECT_GE(measurement.samples_ns.size(), 10u);
  EXPECT_GT(measurement.compile_ms, 0);
  EXPECT_EQ(measurement.max_error, 0);
}

TEST_F(ProcessMeasurerTest, LetsKernelsUseTheThreadPoolOfTheProgram) {
  const Measurement measurement = MeasureBetweenRightOnes("plant:parallel");
  EXPECT_TRUE(measurement.ok()) << measurement.message;
}

TEST_F(ProcessMeasurerTest, CatchesAWrongResult) {
  Expect("plant:wrong", MeasureStatus::kWrongResult, "element [3, 2] is ");
  Expect("plant:nothing", MeasureStatus::kWrongResult, "is nan instead of");
  Expect("plant:late", MeasureStatus::kWrongResult, "element [0, 0] is 7");
}

TEST_F(ProcessMeasurerTest, CatchesACrashingKernel) {
  Expect("plant:segfault", MeasureStatus::kRunCrash, "the kernel died of signal 11");
  Expect("plant:division", MeasureStatus::kRunCrash, "the kernel died of signal 8");
  Expect("plant:error", MeasureStatus::kRunCrash, "the kernel returned error code -42");
}

TEST_F(ProcessMeasurerTest, StopsAHangingKernel) {
  Expect("plant:hang", MeasureStatus::kRunTimeout, "the kernel was stopped at its limit");
}

TEST_F(ProcessMeasurerTest, StopsAKernelThatAllocatesWithoutEnd) {
  Expect("plant:allocate", MeasureStatus::kOutOfMemory, "memory limit");
}

TEST_F(ProcessMeasurerTest, CatchesWritesOutsideOfTheOutput) {
  Expect("plant:overrun", MeasureStatus::kGuardOverrun, "0 bytes behind its end");
  Expect("plant:far_overrun", MeasureStatus::kGuardOverrun, "guard zone");
  Expect("plant:underrun", MeasureStatus::kGuardOverrun, "bytes before its begin");
  Expect("plant:input_write", MeasureStatus::kGuardOverrun, "its input 'x'");
}

TEST_F(ProcessMeasurerTest, CatchesAFailingCompiler) {
  Expect("compiler:crash", MeasureStatus::kCompileCrash, "Internal Error");
  Expect("compiler:refuse", MeasureStatus::kCompileError, "names a stage that there is not");
  Expect("compiler:allocate", MeasureStatus::kOutOfMemory,
         "the compiler ran into its memory limit");
  Expect("plant:unresolved", MeasureStatus::kCompileError, "no_such_function");
}

TEST_F(ProcessMeasurerTest, StopsAHangingCompiler) {
  Expect("compiler:hang", MeasureStatus::kCompileTimeout, "the compiler was stopped at its limit");
}

TEST_F(ProcessMeasurerTest, GoesOnWhenTheWorkerIsKilled) {
  const std::vector<Trace> traces(4, Named("plant:right"));
  int ok = 0;
  const Status status =
      measurer_->Measure(Relu(), traces, [&](size_t, const Measurement& measurement) {
        ok += measurement.ok();
        kill(measurer_->client().worker_pid(), SIGKILL);
        return true;
      });
  EXPECT_TRUE(status);
  EXPECT_EQ(ok, 4);
}

TEST_F(ProcessMeasurerTest, StopsWhenTheCallerHasEnough) {
  const std::vector<Trace> traces(5, Named("plant:right"));
  int seen = 0;
  const Status status =
      measurer_->Measure(Relu(), traces, [&](size_t, const Measurement&) { return ++seen < 2; });
  EXPECT_TRUE(status);
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(Measure({"plant:right"})[0].ok());
}

TEST_F(ProcessMeasurerTest, ReturnsWhenTheUserInterrupts) {
  bool stop = false;
  ProcessMeasurerOptions options = PlantOptions();
  options.worker.stop_requested = [&] { return stop; };
  Create(std::move(options));
  const std::vector<Trace> traces(3, Named("plant:right"));
  int seen = 0;
  const Status status = measurer_->Measure(Relu(), traces, [&](size_t, const Measurement&) {
    ++seen;
    return stop = true;
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInterrupted);
  EXPECT_EQ(seen, 1);
}

TEST_F(ProcessMeasurerTest, ComparesInTurnsOfEqualLength) {
  const std::vector<Trace> traces = {Named("plant:slow"), Named("plant:right"),
                                     Named("compiler:refuse"), Named("plant:wrong")};
  const auto measurements = measurer_->Compare(Relu(), traces);
  ASSERT_TRUE(measurements) << measurements.error().message;
  ASSERT_EQ(measurements->size(), 4u);
  EXPECT_GE((*measurements)[0].samples_ns.size(), 20u);
  EXPECT_LT((*measurements)[0].samples_ns.size(), (*measurements)[1].samples_ns.size());
  EXPECT_GT((*measurements)[0].MedianNs(), (*measurements)[1].MedianNs());
  EXPECT_EQ((*measurements)[2].status, MeasureStatus::kCompileError);
  EXPECT_EQ((*measurements)[3].status, MeasureStatus::kWrongResult);
}

TEST_F(ProcessMeasurerTest, ComparesOneByOneWhenOneCrashes) {
  const std::vector<Trace> traces = {Named("plant:right"), Named("plant:segfault"),
                                     Named("plant:far_overrun")};
  const auto measurements = measurer_->Compare(Relu(), traces);
  ASSERT_TRUE(measurements) << measurements.error().message;
  EXPECT_TRUE((*measurements)[0].ok());
  EXPECT_EQ((*measurements)[1].status, MeasureStatus::kRunCrash);
  EXPECT_EQ((*measurements)[2].status, MeasureStatus::kGuardOverrun);
}

TEST_F(ProcessMeasurerTest, TellsWhatBecameOfACanary) {
  const auto right = measurer_->TryMachine(Relu(), Named("plant:right"));
  ASSERT_TRUE(right) << right.error().message;
  EXPECT_TRUE(right->ok());
  const auto crashed = measurer_->TryMachine(Relu(), Named("plant:segfault"));
  ASSERT_TRUE(crashed) << crashed.error().message;
  EXPECT_EQ(crashed->status, MeasureStatus::kRunCrash);
  EXPECT_TRUE(RunCanary(Target::Host(2), *measurer_));
  EXPECT_TRUE(Measure({"plant:right"})[0].ok());
}

TEST_F(ProcessMeasurerTest, KeepsTheReferenceDataOfAFewTasksOnly) {
  ProcessMeasurerOptions options = PlantOptions();
  options.reference_cache_bytes = 1;
  Create(std::move(options));
  Task other = Relu();
  other.inputs[0].name = "other";
  other.nodes[0].inputs = {"other"};
  const std::vector<Trace> traces = {Named("plant:right")};
  for (const Task& task : {Relu(), other, Relu()}) {
    bool ok = false;
    const Status status = measurer_->Measure(
        task, traces,
        [&](size_t, const Measurement& measurement) { return ok = measurement.ok(); });
    EXPECT_TRUE(status) << status.error().message;
    EXPECT_TRUE(ok);
  }
  EXPECT_FALSE(std::filesystem::exists(measurer_->client().scratch() / other.Fingerprint()));
  EXPECT_TRUE(std::filesystem::exists(measurer_->client().scratch() / Relu().Fingerprint()));
}

TEST_F(ProcessMeasurerTest, MeasuresTheDefaultScheduleOfARealTask) {
  Create({});
  const Target target = Target::Host(2);
  const auto task =
      ParseTaskSpelling("Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu", target.ToString());
  ASSERT_TRUE(task) << task.error().message;
  const auto machine = target.Machine();
  ASSERT_TRUE(machine) << machine.error().message;
  const auto space = SketchSpace::Create(*task, *machine);
  ASSERT_TRUE(space) << space.error().message;
  const std::vector<Trace> traces = {space->Default()};
  std::vector<Measurement> measurements;
  const Status status =
      measurer_->Measure(*task, traces, [&](size_t, const Measurement& measurement) {
        measurements.push_back(measurement);
        return true;
      });
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_EQ(measurements.size(), 1u);
  EXPECT_TRUE(measurements[0].ok())
      << Name(measurements[0].status) << ": " << measurements[0].message;
}

TEST(CompileLimitMs, FollowsTheMedianOnceEnoughIsSeen) {
  EXPECT_EQ(CompileLimitMs({}, 2'000, 20'000), 20'000);
  EXPECT_EQ(CompileLimitMs(std::vector<double>(7, 100), 2'000, 20'000), 20'000);
  EXPECT_EQ(CompileLimitMs(std::vector<double>(8, 100), 2'000, 20'000), 2'000);
  EXPECT_EQ(CompileLimitMs(std::vector<double>(8, 1'000), 2'000, 20'000), 8'000);
  EXPECT_EQ(CompileLimitMs(std::vector<double>(8, 5'000), 2'000, 20'000), 20'000);
}

TEST(RunLimitMs, FollowsTheBestKnown) {
  EXPECT_EQ(RunLimitMs(0), 10'000);
  EXPECT_EQ(RunLimitMs(1'000'000), 1'000);
  EXPECT_EQ(RunLimitMs(1'000'000'000), 20'000);
}

}  // namespace
}  // namespace whet
