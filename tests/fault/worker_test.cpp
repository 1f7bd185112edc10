#include "codegen/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "search/worker_handlers.h"

extern char** environ;

namespace whet {
namespace {

using ::testing::HasSubstr;

class WorkerTest : public testing::Test {
 protected:
  void SetUp() override { Start({.jobs = 2}); }

  void Start(WorkerOptions options) {
    auto client = WorkerClient::Start(std::move(options));
    ASSERT_TRUE(client) << client.error().message;
    client_ = std::move(*client);
  }

  static Job Make(std::string kind, Json payload = nullptr, int64_t timeout_ms = 20'000) {
    Job job;
    job.kind = std::move(kind);
    job.payload = std::move(payload);
    job.timeout_ms = timeout_ms;
    job.memory_bytes = int64_t{256} << 20;
    return job;
  }

  JobResult Run(Job job) {
    const int64_t id = client_->Submit(std::move(job));
    auto result = client_->Wait();
    EXPECT_TRUE(result) << result.error().message;
    if (!result) return {};
    EXPECT_EQ(result->first, id);
    return std::move(result->second);
  }

  // Whatever happened before, the next job works.
  void ExpectWorks() { EXPECT_EQ(Run(Make("echo", Json{{"x", 1}})).payload, (Json{{"x", 1}})); }

  std::unique_ptr<WorkerClient> client_;
};

// Waits for something that another process does, at most ten seconds.
template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// Whether the process lives; a zombie does not.
bool IsAlive(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  const size_t name_end = text.rfind(") ");
  return name_end != std::string::npos && text[name_end + 2] != 'Z' && text[name_end + 2] != 'X';
}

pid_t ReadPid(const std::filesystem::path& file, int index = 0) {
  std::ifstream stream(file);
  pid_t pid = 0;
  for (int i = 0; i <= index; ++i) stream >> pid;
  return stream ? pid : 0;
}

TEST_F(WorkerTest, AnswersManyJobs) {
  std::vector<Job> jobs;
  for (int i = 0; i < 100; ++i) jobs.push_back(Make("echo", Json{{"i", i}}));
  size_t last_progress = 0;
  const auto results = client_->RunAll(std::move(jobs), [&](size_t done) { last_progress = done; });
  ASSERT_TRUE(results) << results.error().message;
  ASSERT_EQ(results->size(), 100u);
  EXPECT_EQ(last_progress, 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ((*results)[static_cast<size_t>(i)].payload["i"], i);
  EXPECT_EQ(client_->pending(), 0u);
}

TEST_F(WorkerTest, PassesPayloadsLargerThanASocketHolds) {
  const std::string text(3 << 20, 'x');
  EXPECT_EQ(Run(Make("echo", Json(text))).payload, Json(text));
}

TEST_F(WorkerTest, ReportsACrashWithTheLastWords) {
  const JobResult result = Run(Make("crash"));
  EXPECT_EQ(result.status, JobStatus::kCrash);
  EXPECT_THAT(result.message, HasSubstr("signal 11"));
  EXPECT_THAT(result.message, HasSubstr("the stage 'conv' has no loop 'q'"));
  ExpectWorks();
}

TEST_F(WorkerTest, ReportsAnAbortWithTheLastWords) {
  const JobResult result = Run(Make("abort"));
  EXPECT_EQ(result.status, JobStatus::kCrash);
  EXPECT_THAT(result.message, HasSubstr("Internal Error at Lower.cpp:7 / Condition failed: x"));
  ExpectWorks();
}

TEST_F(WorkerTest, KillsAJobAtItsLimit) {
  const JobResult result = Run(Make("hang", nullptr, 100));
  EXPECT_EQ(result.status, JobStatus::kTimeout);
  EXPECT_EQ(result.message, "was stopped at its limit of 100 ms");
  EXPECT_GE(result.ms, 100);
  ExpectWorks();
}

TEST_F(WorkerTest, KillsWhatAJobStartedTogetherWithIt) {
  const auto file = client_->scratch() / "pid";
  EXPECT_EQ(Run(Make("hang_with_company", Json{{"file", file.string()}}, 500)).status,
            JobStatus::kTimeout);
  const pid_t pid = ReadPid(file);
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(Eventually([&] { return !IsAlive(pid); }));
}

TEST_F(WorkerTest, TellsWantOfMemoryFromOtherEnds) {
  for (const char* kind : {"allocate_new", "allocate_malloc", "abort_for_memory"}) {
    EXPECT_EQ(Run(Make(kind)).status, JobStatus::kOutOfMemory) << kind;
    ExpectWorks();
  }
}

TEST_F(WorkerTest, ReportsErrorsAndExceptionsOfHandlers) {
  JobResult result = Run(Make("refuse"));
  EXPECT_EQ(result.status, JobStatus::kError);
  EXPECT_EQ(result.message, "the trace names a stage that there is not");
  result = Run(Make("throw"));
  EXPECT_EQ(result.status, JobStatus::kError);
  EXPECT_EQ(result.message, "thrown on purpose");
  result = Run(Make("dance"));
  EXPECT_EQ(result.status, JobStatus::kError);
  EXPECT_THAT(result.message, HasSubstr("no handler for 'dance'"));
}

TEST_F(WorkerTest, TakesAnExitWithoutAnAnswerForACrash) {
  EXPECT_EQ(Run(Make("leave")).status, JobStatus::kCrash);
  ExpectWorks();
}

TEST_F(WorkerTest, KeepsWhatJobsPrintOffTheTerminal) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(Run(Make("chatter")).payload, Json("done"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(WorkerTest, OneBadJobDoesNotHarmItsNeighbours) {
  std::vector<Job> jobs;
  for (const char* kind : {"echo", "crash", "echo", "hang", "echo", "abort", "echo"})
    jobs.push_back(Make(kind, Json(kind), 300));
  const auto results = client_->RunAll(std::move(jobs));
  ASSERT_TRUE(results);
  for (size_t i = 0; i < results->size(); i += 2) EXPECT_TRUE((*results)[i].ok()) << i;
  EXPECT_EQ((*results)[1].status, JobStatus::kCrash);
  EXPECT_EQ((*results)[3].status, JobStatus::kTimeout);
  EXPECT_EQ((*results)[5].status, JobStatus::kCrash);
}

TEST_F(WorkerTest, TriesAJobOnceMoreWhenTheWorkerIsKilledUnderIt) {
  const auto file = client_->scratch() / "killed";
  const JobResult result = Run(Make("kill_worker", Json{{"file", file.string()}}));
  EXPECT_TRUE(result.ok()) << result.message;
  EXPECT_EQ(result.payload, Json("survived"));
  ExpectWorks();
}

TEST_F(WorkerTest, GivesAJobUpThatLosesTwoWorkers) {
  EXPECT_EQ(Run(Make("kill_worker", Json::object())).status, JobStatus::kWorkerLost);
  ExpectWorks();
  EXPECT_TRUE(std::filesystem::is_directory(client_->scratch()));
}

TEST_F(WorkerTest, SurvivesAKillFromOutsideBetweenJobs) {
  ExpectWorks();
  kill(client_->worker_pid(), SIGKILL);
  ExpectWorks();
}

TEST_F(WorkerTest, ForgetsCancelledJobs) {
  const auto file = client_->scratch() / "pids";
  client_->Submit(Make("pids", Json{{"file", file.string()}}));
  client_->Submit(Make("echo"));
  ASSERT_TRUE(client_->Wait());  // the echo; the other one hangs
  ASSERT_TRUE(Eventually([&] { return ReadPid(file, 1) > 0; }));
  client_->Cancel();
  EXPECT_EQ(client_->pending(), 0u);
  ExpectWorks();
  const pid_t child = ReadPid(file, 1);
  EXPECT_TRUE(Eventually([&] { return !IsAlive(child); }));
}

TEST_F(WorkerTest, StopsWaitingWhenTheUserDoes) {
  Start({.jobs = 1, .stop_requested = [] { return true; }});
  client_->Submit(Make("hang"));
  const auto result = client_->Wait();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
}

TEST_F(WorkerTest, RunsNoThreadOfItsOwn) {
  ExpectWorks();
  EXPECT_EQ(Run(Make("count_worker_threads")).payload, Json(1));
}

TEST(Worker, SaysThatAProgramCannotBeStarted) {
  const auto client = WorkerClient::Start({.program = "/no/such/program"});
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message, HasSubstr("/no/such/program"));
}

TEST(Worker, GivesUpOnAProgramThatIsNoWorker) {
  auto client = WorkerClient::Start({.program = "/bin/true"});
  ASSERT_TRUE(client);
  (*client)->Submit({.kind = "echo"});
  const auto result = (*client)->Wait();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kFailed);
  EXPECT_THAT(result.error().message, HasSubstr("/bin/true"));
}

TEST(Worker, LeavesNothingBehindWhenItsProgramIsKilled) {
  auto directory = TemporaryDirectory::Create("whet-test");
  ASSERT_TRUE(directory);
  const std::string file = directory->path() / "pids";
  const char* const argv[] = {"/proc/self/exe", "abandon", file.c_str(), nullptr};
  pid_t program = -1;
  ASSERT_EQ(
      posix_spawn(&program, argv[0], nullptr, nullptr, const_cast<char* const*>(argv), environ), 0);
  ASSERT_TRUE(Eventually([&] { return ReadPid(file, 1) > 0; }));
  const pid_t worker = ReadPid(file, 0), child = ReadPid(file, 1);
  std::string scratch;
  std::ifstream(file + ".scratch") >> scratch;
  ASSERT_TRUE(std::filesystem::is_directory(scratch));
  kill(program, SIGKILL);
  waitpid(program, nullptr, 0);
  EXPECT_TRUE(Eventually([&] { return !IsAlive(child); }));
  EXPECT_TRUE(Eventually([&] { return !IsAlive(worker); }));
  EXPECT_FALSE(std::filesystem::exists(scratch));
}

TEST(Worker, RemovesItsScratchDirectoryAtTheEnd) {
  std::filesystem::path scratch;
  {
    auto client = WorkerClient::Start({.jobs = 1});
    ASSERT_TRUE(client);
    scratch = (*client)->scratch();
    EXPECT_TRUE(std::filesystem::is_directory(scratch));
  }
  EXPECT_FALSE(std::filesystem::exists(scratch));
}

// Forking from a process with threads would leave their locks taken for ever.
TEST(Worker, StaysWithoutThreadsWhenItWarmsTheCompilerUp) {
  auto directory = TemporaryDirectory::Create("whet-test");
  ASSERT_TRUE(directory);
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  const Status warm = AllWorkerHandlers().warm_up(directory->path());
  ASSERT_TRUE(warm) << warm.error().message;
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace whet
