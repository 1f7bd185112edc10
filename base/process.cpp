#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

extern char** environ;

namespace whet {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr size_t kMaxOutputBytes = 1 << 20;
constexpr milliseconds kPollInterval{20};

// A child that closed its output may live on, and a grandchild may hold the output open after the
// child has gone: so both the pipe and the child are watched.
class Child {
 public:
  Child(pid_t pid, int output_fd, bool own_group)
      : pid_(pid), output_fd_(output_fd), own_group_(own_group) {}

  ProcessResult Wait(SteadyTime deadline) {
    ProcessResult result;
    bool open = true, alive = true;
    while (alive) {
      if (std::chrono::steady_clock::now() >= deadline) {
        kill(own_group_ ? -pid_ : pid_, SIGKILL);
        result.timed_out = true;
        deadline = SteadyTime::max();
      }
      if (open) {
        pollfd entry{output_fd_, POLLIN, 0};
        poll(&entry, 1, static_cast<int>(kPollInterval.count()));
        open = Drain(result.output);
      }
      int status = 0;
      const pid_t ended = waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        alive = false;
      } else if (ended < 0 && errno != EINTR) {
        result.exit_code = 255;  // somebody else reaped it
        alive = false;
      } else if (!open) {
        std::this_thread::sleep_for(milliseconds(1));
      }
    }
    Drain(result.output);
    return result;
  }

 private:
  // Reads what is there; false at the end of the output.
  bool Drain(std::string& output) {
    char buffer[16384];
    while (true) {
      const ssize_t got = read(output_fd_, buffer, sizeof(buffer));
      if (got > 0) {
        const size_t room = kMaxOutputBytes - std::min(output.size(), kMaxOutputBytes);
        output.append(buffer, std::min(static_cast<size_t>(got), room));
      } else if (got == 0) {
        return false;
      } else if (errno != EINTR) {
        return errno == EAGAIN;
      }
    }
  }

  pid_t pid_;
  int output_fd_;
  bool own_group_;
};

}  // namespace

Result<ProcessResult> RunProcess(const std::vector<std::string>& argv,
                                 const ProcessOptions& options) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return Fail(ErrorCode::kIo, "cannot run {}: {}", argv[0], std::strerror(errno));
  }
  fcntl(fds[0], F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
  if (!options.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());
  }
  // A group of its own, so that a timeout ends the children of the program too.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, options.own_group ? POSIX_SPAWN_SETPGROUP : 0);
  posix_spawnattr_setpgroup(&attributes, 0);

  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error =
      posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(fds[1]);
  if (error != 0) {
    close(fds[0]);
    return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot run {}: {}",
                argv[0], std::strerror(error));
  }
  ProcessResult result = Child(pid, fds[0], options.own_group)
                             .Wait(std::chrono::steady_clock::now() + options.timeout);
  close(fds[0]);
  return result;
}

}  // namespace whet
