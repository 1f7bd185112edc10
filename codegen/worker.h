// A client of one worker process: hands it jobs, collects results, starts another worker when it
// dies.
//
// The worker (worker_main.h) is a process of its own, so it can be started whatever threads the
// program has. It leads its own process group: Ctrl-C on a terminal reaches the program only. The
// client owns a scratch directory for files that jobs exchange; it goes with the client, also when
// the program is killed. Thread safety: one thread at a time per client.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "codegen/worker_protocol.h"

namespace whet {

struct WorkerOptions {
  std::string program;                   // what to start; empty: this program
  int jobs = 0;                          // children at once; 0: one an allowed CPU
  int64_t start_timeout_ms = 60'000;     // for loading and warming up
  std::function<bool()> stop_requested;  // asked while waiting, five times a second; may be empty
};

class WorkerClient {
 public:
  // Starts the worker and returns at once: it warms up while the caller goes on.
  static Result<std::unique_ptr<WorkerClient>> Start(WorkerOptions options);
  ~WorkerClient();  // kills what still runs
  WorkerClient(const WorkerClient&) = delete;
  WorkerClient& operator=(const WorkerClient&) = delete;

  // Queues a job; the worker gets it during Wait.
  int64_t Submit(Job job);

  // The next job that is done, in order of completion. Requires a pending job. A job whose worker
  // dies is tried once more and then is kWorkerLost. kInterrupted if stop_requested says so;
  // kFailed if no worker can be started. The jobs stay pending in both cases.
  Result<std::pair<int64_t, JobResult>> Wait();

  // Kills and forgets all pending jobs.
  void Cancel();

  // Submits the jobs and waits for all; one result a job, in their order. `progress`, which may be
  // empty, is called after each with how many are done. Requires that nothing is pending. Errors
  // are Wait's; nothing is left pending then.
  Result<std::vector<JobResult>> RunAll(std::vector<Job> jobs,
                                        const std::function<void(size_t done)>& progress = {});

  size_t pending() const { return queue_.size() + sent_.size() + done_.size(); }
  int jobs() const { return options_.jobs; }
  pid_t worker_pid() const { return pid_; }
  const std::filesystem::path& scratch() const { return scratch_.path(); }

 private:
  struct PendingJob {
    int64_t id = 0;
    int attempts = 0;  // workers that died under it
    Job job;
  };

  WorkerClient(WorkerOptions options, TemporaryDirectory scratch);
  Status StartWorker();
  void EndWorker();
  void ReplaceWorker();
  void SendQueued();
  Status Receive();
  Status TakeFrame(const Json& frame);

  WorkerOptions options_;
  TemporaryDirectory scratch_;
  pid_t pid_ = -1;
  int socket_ = -1;
  bool ready_ = false;     // the worker has said hello
  int failed_starts_ = 0;  // in a row
  int64_t started_ns_ = 0;
  int64_t next_id_ = 1;
  FrameReader reader_;
  std::deque<PendingJob> queue_;
  std::map<int64_t, PendingJob> sent_;
  std::deque<std::pair<int64_t, JobResult>> done_;
};

}  // namespace whet
