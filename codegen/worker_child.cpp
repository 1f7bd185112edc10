#include "codegen/worker_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace whet {
namespace {

constexpr size_t kMaxFaultRanges = 1024;

struct FaultRange {
  uintptr_t begin, end;
  const char* answer;
  size_t answer_bytes;
};

// What the fault handler needs. It lives outside of any object because a signal handler gets no
// argument; only a child, which runs one job, ever writes it.
struct FaultState {
  int answer_fd = -1;
  int64_t address_space = 0;  // mapped bytes from which a fault counts as want of memory
  std::array<FaultRange, kMaxFaultRanges> ranges;
  size_t range_count = 0;
  std::string out_of_memory_answer;
  std::atomic_flag answered = ATOMIC_FLAG_INIT;
};
FaultState g_fault;
alignas(16) std::array<char, 64 << 10> g_fault_stack;

bool WriteAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

// Mapped bytes of this process. Async-signal-safe; 0 if the system does not say.
int64_t MappedBytes() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[64];
  const ssize_t size = read(fd, text, sizeof(text));
  close(fd);
  int64_t pages = 0;
  for (ssize_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i)
    pages = pages * 10 + (text[i] - '0');
  return pages * sysconf(_SC_PAGESIZE);
}

// Several threads of a kernel may fault at once: the first one answers.
[[noreturn]] void EndWith(const char* answer, size_t size) {
  while (g_fault.answered.test_and_set()) pause();
  WriteAll(g_fault.answer_fd, answer, size);
  _exit(EXIT_SUCCESS);
}

void OnFault(int signal_number, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (size_t i = 0; i < g_fault.range_count; ++i) {
    const FaultRange& range = g_fault.ranges[i];
    if (address >= range.begin && address < range.end) EndWith(range.answer, range.answer_bytes);
  }
  // malloc returned null and the code wrote to it.
  if (g_fault.address_space > 0 && MappedBytes() >= g_fault.address_space)
    EndWith(g_fault.out_of_memory_answer.data(), g_fault.out_of_memory_answer.size());
  // The default action ends the process, when the faulting instruction is run again. A signal that
  // was sent does not come again by itself.
  signal(signal_number, SIG_DFL);
  if (info->si_code <= 0) raise(signal_number);
}

std::string EncodeAnswer(JobStatus status, std::string message, Json payload = nullptr) {
  const JobResult result{status, std::move(message), std::move(payload), 0};
  return result.ToJson().dump(-1, ' ', false, Json::error_handler_t::replace);
}

void LimitResources(const Job& job) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int64_t mapped = MappedBytes();
  const auto limit = static_cast<rlim_t>(mapped + job.memory_bytes);
  const rlimit address_space{limit, limit};
  setrlimit(RLIMIT_AS, &address_space);
  g_fault.address_space = mapped + job.memory_bytes - job.memory_bytes / 8;
  // Where memory runs out in earnest, the system should take the candidate and not the tuner.
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    WriteAll(fd, "1000", 4);
    close(fd);
  }
}

void CatchFaults(int answer_fd) {
  g_fault.answer_fd = answer_fd;
  g_fault.out_of_memory_answer = EncodeAnswer(JobStatus::kOutOfMemory, "ran into its memory limit");
  stack_t stack{};
  stack.ss_sp = g_fault_stack.data();
  stack.ss_size = g_fault_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

std::string Answer(const Job& job, const WorkerHandlers& handlers) {
  const auto handler = handlers.jobs.find(job.kind);
  if (handler == handlers.jobs.end())
    return EncodeAnswer(JobStatus::kError,
                        fmt::format("this worker has no handler for '{}'", job.kind));
  // Never destroyed: the fault handler may point into it until the process is gone.
  auto* context = new JobContext;
  try {
    Result<Json> answer = handler->second(job.payload, *context);
    if (!answer) return EncodeAnswer(JobStatus::kError, answer.error().message);
    return EncodeAnswer(JobStatus::kOk, "", std::move(*answer));
  } catch (const std::bad_alloc&) {
    return EncodeAnswer(JobStatus::kOutOfMemory, "ran into its memory limit");
  } catch (const std::exception& e) {
    return EncodeAnswer(JobStatus::kError, e.what());
  }
}

}  // namespace

void JobContext::AnswerFaultsIn(const void* begin, size_t bytes, const Json& payload) {
  if (g_fault.range_count == g_fault.ranges.size()) return;
  const auto first = reinterpret_cast<uintptr_t>(begin);
  const std::string& answer = answers_.emplace_back(EncodeAnswer(JobStatus::kOk, "", payload));
  g_fault.ranges[g_fault.range_count] = {first, first + bytes, answer.data(), answer.size()};
  ++g_fault.range_count;
}

void RunJobInChild(const Job& job, const WorkerHandlers& handlers, int answer_fd, int output_fd,
                   pid_t worker) {
  // A group of its own, so that what the job starts (a linker) is killed with it, also when it is
  // the worker that dies.
  setpgid(0, 0);
  signal(SIGTERM, [](int) { kill(0, SIGKILL); });
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != worker) _exit(EXIT_FAILURE);  // the worker died before the line above
  dup2(output_fd, STDOUT_FILENO);
  dup2(output_fd, STDERR_FILENO);
  LimitResources(job);
  CatchFaults(answer_fd);
  const std::string answer = Answer(job, handlers);
  std::fflush(nullptr);
  WriteAll(answer_fd, answer.data(), answer.size());
  _exit(EXIT_SUCCESS);  // no destructors: the parent's objects are not this process's to end
}

}  // namespace whet
