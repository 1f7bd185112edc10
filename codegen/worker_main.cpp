#include "codegen/worker_main.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/clock.h"

namespace whet {
namespace {

constexpr size_t kKeptOutputBytes = 8 << 10;  // of what a child prints, the end is kept
constexpr size_t kMessageBytes = 400;
constexpr int64_t kNsPerMs = 1'000'000;

struct QueuedJob {
  int64_t id = 0;
  Job job;
};

struct Child {
  int64_t id = 0;
  pid_t pid = -1;
  int64_t started_ns = 0, deadline_ns = 0, timeout_ms = 0;
  int answer_fd = -1, output_fd = -1;
  std::string answer, output;
  bool answer_closed = false, timed_out = false;
};

// Reads what there is; false at the end of the stream.
bool Drain(int fd, std::string* into) {
  char bytes[16 << 10];
  while (true) {
    const ssize_t size = read(fd, bytes, sizeof(bytes));
    if (size > 0)
      into->append(bytes, static_cast<size_t>(size));
    else if (size == 0)
      return false;
    else if (errno != EINTR)
      return errno == EAGAIN;
  }
}

// The last lines of what a dying child printed, as one line.
std::string LastWords(const std::string& output) {
  std::vector<std::string> lines;
  size_t end = output.size();
  while (end > 0 && lines.size() < 3) {
    const size_t start = output.rfind('\n', end - 1) + 1;  // npos + 1 is 0
    const std::string line = output.substr(start, end - start);
    if (line.find_first_not_of(" \t\r") != std::string::npos) lines.push_back(line);
    end = start > 0 ? start - 1 : 0;
  }
  std::string words;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    words += (words.empty() ? "" : " / ") + *line;
  if (words.size() > kMessageBytes) words = "..." + words.substr(words.size() - kMessageBytes);
  return words.empty() ? words : ": " + words;
}

bool SpeaksOfMemory(const std::string& output) {
  for (const char* sign :
       {"bad_alloc", "out of memory", "Cannot allocate memory", "llocation failed"})
    if (output.find(sign) != std::string::npos) return true;
  return false;
}

// How a child ended, from its answer, its wait status and what it printed.
JobResult Classify(const Child& child, int wait_status) {
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_SUCCESS) {
    if (auto json = ParseJson(child.answer)) {
      if (auto result = JobResult::FromJson(*json)) return std::move(*result);
    }
  }
  JobResult result;
  if (child.timed_out) {
    result.status = JobStatus::kTimeout;
    result.message = fmt::format("was stopped at its limit of {} ms", child.timeout_ms);
  } else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL) {
    // We kill at the limit only, so it was the system, which takes children first (oom_score_adj).
    result.status = JobStatus::kOutOfMemory;
    result.message = "was killed by the system, most likely for want of memory";
  } else {
    result.status = SpeaksOfMemory(child.output) ? JobStatus::kOutOfMemory : JobStatus::kCrash;
    result.message =
        WIFSIGNALED(wait_status)
            ? fmt::format("died of signal {} ({})", WTERMSIG(wait_status),
                          strsignal(WTERMSIG(wait_status)))
            : fmt::format("exited with status {} and no answer", WEXITSTATUS(wait_status));
    result.message += LastWords(child.output);
  }
  return result;
}

class Supervisor {
 public:
  Supervisor(int socket, int jobs, const WorkerHandlers& handlers)
      : socket_(socket), jobs_(static_cast<size_t>(std::max(jobs, 1))), handlers_(handlers) {}

  void Serve() {
    while (connected_) {
      while (!queue_.empty() && children_.size() < jobs_) StartNext();
      WaitForEvents();
      EndFinishedChildren();
    }
    CancelAll();
  }

 private:
  void StartNext() {
    const QueuedJob next = std::move(queue_.front());
    queue_.pop_front();
    int answer[2], output[2];
    if (pipe2(answer, O_CLOEXEC) != 0) return Refuse(next, "a pipe");
    if (pipe2(output, O_CLOEXEC) != 0) {
      close(answer[0]);
      close(answer[1]);
      return Refuse(next, "a pipe");
    }
    const pid_t worker = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
      close(socket_);  // the peer must see the worker's end even while a child lives
      close(answer[0]);
      close(output[0]);
      RunJobInChild(next.job, handlers_, answer[1], output[1], worker);
    }
    close(answer[1]);
    close(output[1]);
    if (pid < 0) {
      close(answer[0]);
      close(output[0]);
      return Refuse(next, "a process");
    }
    setpgid(pid, pid);  // as the child does: whoever comes first
    fcntl(answer[0], F_SETFL, O_NONBLOCK);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    Child child;
    child.id = next.id;
    child.pid = pid;
    child.started_ns = clock_.MonotonicNs();
    child.timeout_ms = next.job.timeout_ms;
    child.deadline_ns = child.started_ns + next.job.timeout_ms * kNsPerMs;
    child.answer_fd = answer[0];
    child.output_fd = output[0];
    children_.push_back(std::move(child));
  }

  void Refuse(const QueuedJob& job, const char* what) {
    JobResult result;
    result.status = JobStatus::kWorkerLost;
    result.message = fmt::format("did not start, the system refused {}: {}", what, strerror(errno));
    Send(job.id, result);
  }

  void WaitForEvents() {
    std::vector<pollfd> fds = {{socket_, POLLIN, 0}};
    int64_t deadline_ns = INT64_MAX;
    bool reaping = false;
    for (const Child& child : children_) {
      fds.push_back({child.answer_closed ? -1 : child.answer_fd, POLLIN, 0});
      fds.push_back({child.answer_closed ? -1 : child.output_fd, POLLIN, 0});
      deadline_ns = std::min(deadline_ns, child.deadline_ns);
      reaping |= child.answer_closed;
    }
    int timeout_ms = -1;
    if (reaping) {
      timeout_ms = 1;  // closed its answer a moment before it is gone
    } else if (deadline_ns != INT64_MAX) {
      const int64_t left_ms = (deadline_ns - clock_.MonotonicNs()) / kNsPerMs + 1;
      timeout_ms = static_cast<int>(std::clamp<int64_t>(left_ms, 0, 60'000));
    }
    if (poll(fds.data(), fds.size(), timeout_ms) < 0) return;
    for (size_t i = 0; i < children_.size(); ++i) {
      Child& child = children_[i];
      if (fds[2 * i + 2].revents != 0) {
        Drain(child.output_fd, &child.output);
        if (child.output.size() > 2 * kKeptOutputBytes)
          child.output.erase(0, child.output.size() - kKeptOutputBytes);
      }
      if (fds[2 * i + 1].revents != 0) child.answer_closed = !Drain(child.answer_fd, &child.answer);
    }
    if (fds[0].revents != 0) ReadRequests();
  }

  void ReadRequests() {
    char bytes[64 << 10];
    const ssize_t size = read(socket_, bytes, sizeof(bytes));
    if (size < 0 && errno == EINTR) return;
    if (size <= 0) {
      connected_ = false;
      return;
    }
    reader_.Append({bytes, static_cast<size_t>(size)});
    while (true) {
      const auto frame = reader_.Next();
      if (!frame) connected_ = false;  // not our peer: end, and it will start another worker
      if (!frame || !*frame) return;
      if (!TakeRequest(**frame)) connected_ = false;
    }
  }

  bool TakeRequest(const Json& request) {
    if (request.contains("cancel")) {
      CancelAll();
      return true;
    }
    QueuedJob queued;
    const auto id = Field<int64_t>(request, "id");
    const auto kind = Field<std::string>(request, "kind");
    const auto timeout_ms = Field<int64_t>(request, "timeout_ms");
    const auto memory_bytes = Field<int64_t>(request, "memory_bytes");
    auto payload = Field<Json>(request, "payload");
    if (!id || !kind || !timeout_ms || !memory_bytes || !payload) return false;
    queue_.push_back({*id, Job{*kind, std::move(*payload), *timeout_ms, *memory_bytes}});
    return true;
  }

  void EndFinishedChildren() {
    const int64_t now_ns = clock_.MonotonicNs();
    for (size_t i = 0; i < children_.size();) {
      Child& child = children_[i];
      if (now_ns >= child.deadline_ns && !child.timed_out) {
        child.timed_out = true;
        kill(-child.pid, SIGKILL);
      }
      int wait_status = 0;
      if ((child.answer_closed || child.timed_out) &&
          waitpid(child.pid, &wait_status, child.timed_out ? 0 : WNOHANG) == child.pid) {
        kill(-child.pid, SIGKILL);  // what it started and left behind
        Drain(child.answer_fd, &child.answer);
        Drain(child.output_fd, &child.output);
        JobResult result = Classify(child, wait_status);
        result.ms = static_cast<double>(clock_.MonotonicNs() - child.started_ns) / kNsPerMs;
        Send(child.id, result);
        Forget(i);
      } else {
        ++i;
      }
    }
  }

  void CancelAll() {
    queue_.clear();
    for (const Child& child : children_) {
      kill(-child.pid, SIGKILL);
      waitpid(child.pid, nullptr, 0);
    }
    while (!children_.empty()) Forget(children_.size() - 1);
  }

  void Forget(size_t index) {
    close(children_[index].answer_fd);
    close(children_[index].output_fd);
    children_.erase(children_.begin() + static_cast<ptrdiff_t>(index));
  }

  void Send(int64_t id, const JobResult& result) {
    Json json = result.ToJson();
    json["id"] = id;
    if (!SendAll(socket_, EncodeFrame(json))) connected_ = false;
  }

  const int socket_;
  const size_t jobs_;
  const WorkerHandlers& handlers_;
  const Clock& clock_ = Clock::System();
  FrameReader reader_;
  std::deque<QueuedJob> queue_;
  std::vector<Child> children_;
  bool connected_ = true;
};

Status WarmUp(const WorkerHandlers& handlers, const std::string& scratch) {
  if (!handlers.warm_up) return {};
  try {
    return handlers.warm_up(scratch);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kFailed, "{}", e.what());
  }
}

}  // namespace

bool IsWorkerInvocation(int argc, char** argv) {
  return argc >= 2 && std::strcmp(argv[1], kWorkerVerb) == 0;
}

int WorkerMain(int argc, char** argv, const WorkerHandlers& handlers) {
  if (argc != 4 || fcntl(kWorkerSocket, F_GETFD) < 0) {
    fmt::print(stderr, "{} is started by whet itself and by nobody else\n", kWorkerVerb);
    return EXIT_FAILURE;
  }
  return RunWorker(kWorkerSocket, std::atoi(argv[2]), argv[3], handlers);
}

int RunWorker(int socket, int jobs, const std::string& scratch, const WorkerHandlers& handlers) {
  const Status warm = WarmUp(handlers, scratch);
  const Json hello =
      warm ? Json{{"ready", true}} : Json{{"ready", false}, {"message", warm.error().message}};
  const bool serving = SendAll(socket, EncodeFrame(hello)) && warm.has_value();
  if (serving) Supervisor(socket, jobs, handlers).Serve();
  std::error_code ignored;  // whoever lives longer removes the directory
  if (serving) std::filesystem::remove_all(scratch, ignored);
  return serving ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace whet
