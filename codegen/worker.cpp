#include "codegen/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/clock.h"
#include "base/cpu.h"
#include "codegen/worker_main.h"

extern char** environ;

namespace whet {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int kStopPollMs = 200;
constexpr int64_t kEndTimeoutMs = 2'000;  // for a worker to kill its children and leave

// Starts `program _worker JOBS SCRATCH` with `socket` as its descriptor 3, in a process group of
// its own.
Result<pid_t> SpawnWorker(const std::string& program, int jobs, const std::string& scratch,
                          int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, kWorkerSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions, kWorkerSocket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Signals as a fresh process has them, whatever the program blocks, ignores or handles.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const std::string jobs_text = std::to_string(jobs);
  const char* const argv[] = {program.c_str(), kWorkerVerb, jobs_text.c_str(), scratch.c_str(),
                              nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                const_cast<char* const*>(argv), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return Fail(ErrorCode::kFailed, "cannot start the worker process {}: {}", program,
                strerror(error));
  return pid;
}

}  // namespace

Result<std::unique_ptr<WorkerClient>> WorkerClient::Start(WorkerOptions options) {
  if (options.program.empty()) options.program = "/proc/self/exe";
  if (options.jobs <= 0) options.jobs = AllowedCpuCount();
  ASSIGN_OR_RETURN(auto scratch, TemporaryDirectory::Create("whet-worker"));
  std::unique_ptr<WorkerClient> client(new WorkerClient(std::move(options), std::move(scratch)));
  RETURN_IF_ERROR(client->StartWorker());
  return client;
}

WorkerClient::WorkerClient(WorkerOptions options, TemporaryDirectory scratch)
    : options_(std::move(options)), scratch_(std::move(scratch)) {}

WorkerClient::~WorkerClient() { EndWorker(); }

Status WorkerClient::StartWorker() {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return Fail(ErrorCode::kFailed, "cannot make a socket for the worker process: {}",
                strerror(errno));
  // dup2 onto itself would leave close-on-exec set: keep the worker's end off its final number.
  if (sockets[1] == kWorkerSocket) {
    const int moved = fcntl(sockets[1], F_DUPFD_CLOEXEC, kWorkerSocket + 1);
    close(sockets[1]);
    sockets[1] = moved;
  }
  auto pid = SpawnWorker(options_.program, options_.jobs, scratch_.path().string(), sockets[1]);
  close(sockets[1]);
  if (!pid) {
    close(sockets[0]);
    return tl::unexpected<Error>(std::move(pid).error());
  }
  pid_ = *pid;
  socket_ = sockets[0];
  ready_ = false;
  reader_ = FrameReader();
  started_ns_ = Clock::System().MonotonicNs();
  return {};
}

void WorkerClient::EndWorker() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  if (pid_ < 0) return;
  // A worker that has not warmed up yet does not look at its socket. Otherwise the end of the
  // stream tells it to kill its children and to leave.
  if (!ready_) kill(pid_, SIGKILL);
  const int64_t deadline_ns = Clock::System().MonotonicNs() + kEndTimeoutMs * kNsPerMs;
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (Clock::System().MonotonicNs() > deadline_ns) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  pid_ = -1;
}

void WorkerClient::ReplaceWorker() {
  if (!ready_) ++failed_starts_;
  // Not EndWorker: it must not remove the scratch directory that the next worker needs.
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  close(socket_);
  socket_ = -1;
  for (auto job = sent_.rbegin(); job != sent_.rend(); ++job) {
    if (++job->second.attempts >= 2) {
      JobResult result;
      result.status = JobStatus::kWorkerLost;
      result.message = "was lost with its worker process, twice";
      done_.emplace_back(job->first, std::move(result));
    } else {
      queue_.push_front(std::move(job->second));
    }
  }
  sent_.clear();
}

int64_t WorkerClient::Submit(Job job) {
  queue_.push_back({next_id_, 0, std::move(job)});
  return next_id_++;
}

void WorkerClient::SendQueued() {
  // A few jobs ahead keep all children busy, and neither side can fill the other's socket.
  while (ready_ && !queue_.empty() && sent_.size() < 2 * static_cast<size_t>(options_.jobs)) {
    PendingJob pending = std::move(queue_.front());
    queue_.pop_front();
    const Json request{{"id", pending.id},
                       {"kind", pending.job.kind},
                       {"payload", pending.job.payload},
                       {"timeout_ms", pending.job.timeout_ms},
                       {"memory_bytes", pending.job.memory_bytes}};
    const int64_t id = pending.id;
    sent_.emplace(id, std::move(pending));
    if (!SendAll(socket_, EncodeFrame(request))) return;  // Receive will see the end of the stream
  }
}

Result<std::pair<int64_t, JobResult>> WorkerClient::Wait() {
  if (pending() == 0) return Fail(ErrorCode::kInternal, "no job is pending");
  while (done_.empty()) {
    if (options_.stop_requested && options_.stop_requested())
      return Fail(ErrorCode::kInterrupted, "stopped while {} jobs were pending", pending());
    if (pid_ < 0) {
      if (failed_starts_ >= 2)
        return Fail(ErrorCode::kFailed, "the worker process {} does not get ready",
                    options_.program);
      RETURN_IF_ERROR(StartWorker());
    }
    SendQueued();
    pollfd fd{socket_, POLLIN, 0};
    const int timeout_ms = options_.stop_requested || !ready_ ? kStopPollMs : -1;
    const int ready = poll(&fd, 1, timeout_ms);
    if (ready > 0) {
      RETURN_IF_ERROR(Receive());
    } else if (!ready_ &&
               Clock::System().MonotonicNs() - started_ns_ > options_.start_timeout_ms * kNsPerMs) {
      ReplaceWorker();
    }
  }
  auto result = std::move(done_.front());
  done_.pop_front();
  return result;
}

Status WorkerClient::Receive() {
  char bytes[64 << 10];
  const ssize_t size = read(socket_, bytes, sizeof(bytes));
  if (size < 0 && errno == EINTR) return {};
  if (size <= 0) {
    ReplaceWorker();
    return {};
  }
  reader_.Append({bytes, static_cast<size_t>(size)});
  while (true) {
    auto frame = reader_.Next();
    if (!frame) ReplaceWorker();
    if (!frame || !*frame) return {};
    RETURN_IF_ERROR(TakeFrame(**frame));
  }
}

Status WorkerClient::TakeFrame(const Json& frame) {
  if (!ready_) {
    ASSIGN_OR_RETURN(ready_, Field<bool>(frame, "ready"));
    if (ready_) {
      failed_starts_ = 0;
      return {};
    }
    ASSIGN_OR_RETURN(const auto message, FieldOr<std::string>(frame, "message", ""));
    return Fail(ErrorCode::kFailed, "the worker process cannot warm up: {}", message);
  }
  ASSIGN_OR_RETURN(const auto id, Field<int64_t>(frame, "id"));
  ASSIGN_OR_RETURN(auto result, JobResult::FromJson(frame));
  if (sent_.erase(id) > 0) done_.emplace_back(id, std::move(result));  // else: a cancelled job
  return {};
}

void WorkerClient::Cancel() {
  queue_.clear();
  done_.clear();
  if (!sent_.empty() && ready_) SendAll(socket_, EncodeFrame(Json{{"cancel", true}}));
  sent_.clear();
}

Result<std::vector<JobResult>> WorkerClient::RunAll(
    std::vector<Job> jobs, const std::function<void(size_t done)>& progress) {
  if (pending() > 0) return Fail(ErrorCode::kInternal, "the worker has other jobs pending");
  std::vector<JobResult> results(jobs.size());
  const int64_t first_id = next_id_;  // ids are consecutive
  for (Job& job : jobs) Submit(std::move(job));
  for (size_t done = 1; done <= results.size(); ++done) {
    auto next = Wait();
    if (!next) {
      Cancel();
      return tl::unexpected<Error>(std::move(next).error());
    }
    results[static_cast<size_t>(next->first - first_id)] = std::move(next->second);
    if (progress) progress(done);
  }
  return results;
}

}  // namespace whet
