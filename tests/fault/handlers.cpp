#include "handlers.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/process.h"
#include "search/worker_handlers.h"

namespace whet {
namespace {

Result<Json> Echo(const Json& payload, JobContext&) { return payload; }

[[noreturn]] Result<Json> Hang(const Json&, JobContext&) {
  while (true) pause();
}

// Hangs together with a process that it started, whose id it leaves in a file.
Result<Json> HangWithCompany(const Json& payload, JobContext& context) {
  const pid_t pid = fork();
  if (pid == 0) {
    execlp("sleep", "sleep", "600", nullptr);
    _exit(1);
  }
  std::ofstream(payload["file"].get<std::string>()) << pid << std::endl;
  return Hang(payload, context);
}

Result<Json> Crash(const Json&, JobContext&) {
  fmt::print(stderr, "first line\nthe stage 'conv' has no loop 'q'\n");
  std::raise(SIGSEGV);
  return Json();
}

Result<Json> Abort(const Json&, JobContext&) {
  fmt::print(stderr, "Internal Error at Lower.cpp:7\nCondition failed: x\n");
  std::abort();
}

Result<Json> AllocateNew(const Json&, JobContext&) {
  while (true) std::memset(new char[1 << 20], 1, 1 << 20);
}

Result<Json> AllocateMalloc(const Json&, JobContext&) {
  while (true) std::memset(std::malloc(1 << 20), 1, 1 << 20);
}

// What LLVM does when it is refused memory.
Result<Json> AbortForMemory(const Json&, JobContext&) {
  fmt::print(stderr, "LLVM ERROR: out of memory\nAllocation failed\n");
  std::abort();
}

Result<Json> Throw(const Json&, JobContext&) { throw std::runtime_error("thrown on purpose"); }

Result<Json> Refuse(const Json&, JobContext&) {
  return Fail(ErrorCode::kFailed, "the trace names a stage that there is not");
}

Result<Json> LeaveWithoutAnswer(const Json&, JobContext&) { _exit(0); }

Result<Json> Chatter(const Json&, JobContext&) {
  for (int i = 0; i < 100'000; ++i) {
    fmt::print(stdout, "much ado about nothing\n");
    fmt::print(stderr, "much ado about nothing\n");
  }
  return Json("done");
}

// Kills the worker, every time or, with a "file" that does not exist yet, once.
Result<Json> KillWorker(const Json& payload, JobContext& context) {
  const std::string file = payload.value("file", "");
  if (!file.empty() && std::filesystem::exists(file)) return Json("survived");
  if (!file.empty()) std::ofstream(file) << "killed" << std::endl;
  kill(getppid(), SIGKILL);
  return Hang(payload, context);
}

Result<Json> Pids(const Json& payload, JobContext& context) {
  std::ofstream(payload["file"].get<std::string>()) << getppid() << " " << getpid() << std::endl;
  return Hang(payload, context);
}

Result<Json> CountWorkerThreads(const Json&, JobContext&) {
  int threads = 0;
  for ([[maybe_unused]] const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", getppid())))
    ++threads;
  return Json(threads);
}

Result<Json> BuildPlant(const std::string& plant, const std::string& library) {
  ASSIGN_OR_RETURN(const ProcessResult cc,
                   RunProcess({WHET_TEST_CC, "-O1", "-fPIC", "-shared", "-DPLANT_" + plant, "-o",
                               library, WHET_TEST_PLANTS}));
  if (cc.exit_code != 0) return Fail(ErrorCode::kFailed, "{}", cc.output);
  return Json::object();
}

JobHandler BuildOrFail(JobHandler real) {
  return [real = std::move(real)](const Json& payload, JobContext& context) -> Result<Json> {
    ASSIGN_OR_RETURN(const Trace trace, Trace::FromJson(payload["trace"]));
    if (trace.sketch == "compiler:crash") return Abort(payload, context);
    if (trace.sketch == "compiler:hang") return Hang(payload, context);
    if (trace.sketch == "compiler:allocate") return AllocateNew(payload, context);
    if (trace.sketch == "compiler:refuse") return Refuse(payload, context);
    if (trace.sketch.rfind("plant:", 0) == 0)
      return BuildPlant(trace.sketch.substr(6), payload["library_path"].get<std::string>());
    return real(payload, context);
  };
}

}  // namespace

WorkerHandlers FaultHandlers() {
  WorkerHandlers handlers = AllWorkerHandlers();
  handlers.warm_up = nullptr;  // plants need no warm compiler
  handlers.jobs["build"] = BuildOrFail(handlers.jobs["build"]);
  handlers.jobs["echo"] = Echo;
  handlers.jobs["hang"] = Hang;
  handlers.jobs["hang_with_company"] = HangWithCompany;
  handlers.jobs["crash"] = Crash;
  handlers.jobs["abort"] = Abort;
  handlers.jobs["allocate_new"] = AllocateNew;
  handlers.jobs["allocate_malloc"] = AllocateMalloc;
  handlers.jobs["abort_for_memory"] = AbortForMemory;
  handlers.jobs["throw"] = Throw;
  handlers.jobs["refuse"] = Refuse;
  handlers.jobs["leave"] = LeaveWithoutAnswer;
  handlers.jobs["chatter"] = Chatter;
  handlers.jobs["kill_worker"] = KillWorker;
  handlers.jobs["pids"] = Pids;
  handlers.jobs["count_worker_threads"] = CountWorkerThreads;
  return handlers;
}

}  // namespace whet
