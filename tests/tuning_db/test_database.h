// A temporary directory with a tuning database, and tasks and records to put in.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "tuning_db/database.h"

namespace whet {

// A clock that stands still until it is moved.
class TestClock : public Clock {
 public:
  int64_t MonotonicNs() const override { return 0; }
  std::string NowUtc() const override { return now; }
  std::string now = "2026-11-21T10:00:00Z";
};

class TestDatabase : public testing::Test {
 protected:
  TestDatabase() : directory_(TemporaryDirectory::Create("whet_db_test").value()) {}

  std::string Path(const std::string& name = "tuning.db") const { return directory_.path() / name; }

  std::unique_ptr<Database> Open(const std::string& name = "tuning.db",
                                 Database::Mode mode = Database::Mode::kReadWrite) {
    auto database = Database::Open(Path(name), mode, {.clock = &clock_});
    EXPECT_TRUE(database) << database.error().message;
    return database ? *std::move(database) : nullptr;
  }

  Error OpenError(const std::string& name, Database::Mode mode = Database::Mode::kReadWrite) {
    auto database = Database::Open(Path(name), mode, {.busy_timeout_ms = 100, .clock = &clock_});
    EXPECT_FALSE(database) << "it opened";
    return database ? Error{} : database.error();
  }

  // A matrix product of `n` columns: a task of its own for each n.
  static Task MakeTask(int64_t n, const std::string& target = "x86-64-linux-avx512-2t") {
    Task task;
    task.inputs = {{"i0", {DataType::kFloat32, {8, 16}}, false},
                   {"i1", {DataType::kFloat32, {16, n}}, true}};
    task.nodes = {{.op = "MatMul", .inputs = {"i0", "i1"}, .output = "t0"}};
    task.output = "t0";
    task.target = target;
    return task;
  }

  // Distinct directives for each factor.
  static Trace MakeTrace(int64_t factor) {
    Trace trace;
    trace.sketch = "tile(matmul)";
    trace.decisions = {{"tile.x", {factor, 4}}};
    trace.directives = {{.kind = DirectiveKind::kSplit,
                         .stage = "matmul",
                         .loop = "x",
                         .names = {"x_o", "x_i"},
                         .factor = factor,
                         .tail = Tail::kGuardWithIf},
                        {.kind = DirectiveKind::kVectorize, .stage = "matmul", .loop = "x_i"}};
    return trace;
  }

  static Record MakeRecord(const Task& task, int64_t factor, std::vector<int64_t> samples_ns) {
    Record record;
    record.task = task.Fingerprint();
    record.trace = MakeTrace(factor);
    record.measurement.samples_ns = std::move(samples_ns);
    record.measurement.compile_ms = 35.5;
    record.measurement.max_error = 2.5e-7;
    record.predicted = 0.75;
    record.created_utc = "2026-11-21T10:43:25Z";
    return record;
  }

  static Record MakeFailure(const Task& task, int64_t factor, MeasureStatus status,
                            const std::string& message) {
    Record record = MakeRecord(task, factor, {});
    record.measurement.status = status;
    record.measurement.message = message;
    record.measurement.max_error = 0;
    return record;
  }

  static RunInfo MakeRun() {
    RunInfo info;
    info.command = "whet tune model.onnx --db tuning.db";
    info.model = "model";
    info.version = "0.1.0";
    info.target = "x86-64-linux-avx512-2t";
    info.seed = 0xffff'ffff'ffff'fff0ULL;
    info.threads = 2;
    info.machine = {{"cpu", "Test CPU"}, {"cores", 2}};
    return info;
  }

  // Runs `work` in a child process; its exit code, or minus the signal that killed it.
  static int InChild(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  TestClock clock_;
  TemporaryDirectory directory_;
};

// Requires `result` (a Status or Result) to hold no error, and says which it holds.
#define ASSERT_OK(result)                                    \
  do {                                                       \
    const auto& whet_result = (result);                      \
    ASSERT_TRUE(whet_result) << whet_result.error().message; \
  } while (false)

}  // namespace whet
