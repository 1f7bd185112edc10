// The inside of one job: what a forked child of the worker does between fork and _exit.
//
// The child limits its own memory, turns core dumps off, dies with the worker, sends what it prints
// to the worker and never returns. Thread safety: the child has one thread until its handler starts
// others.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "codegen/worker_protocol.h"

namespace whet {

// What a handler may ask of the child that it runs in.
class JobContext {
 public:
  // From now on a memory fault at an address in [begin, begin + bytes) is not a crash: it ends the
  // job at once, ok, with `payload` as its answer. At most 1024 ranges.
  void AnswerFaultsIn(const void* begin, size_t bytes, const Json& payload);

 private:
  std::deque<std::string> answers_;  // the signal handler points into these
};

using JobHandler = std::function<Result<Json>(const Json& payload, JobContext& context)>;

// What a worker can do. The worker itself knows no Halide: handlers bring it.
struct WorkerHandlers {
  // Runs once in the worker before the first job, so that children inherit what is slow to start.
  // It must leave no thread running. `scratch` is a directory it may write to.
  std::function<Status(const std::string& scratch)> warm_up;
  std::map<std::string, JobHandler, std::less<>> jobs;
};

// Runs `job` in the current process, which was just forked by `worker`. The answer goes to
// `answer_fd`, stdout and stderr go to `output_fd`.
[[noreturn]] void RunJobInChild(const Job& job, const WorkerHandlers& handlers, int answer_fd,
                                int output_fd, pid_t worker);

}  // namespace whet
