#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace whet {
namespace {

namespace fs = std::filesystem;

std::string Reason(int error) { return std::strerror(error); }

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  // Closing may report a write that failed late (quota, network file systems).
  int Close() { return close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

Status WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return Fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), Reason(errno));
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// Devices and pipes (/dev/stdout) cannot be replaced; they are written to as they are.
Status WriteToDevice(const fs::path& path, std::string_view bytes) {
  FileDescriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return Fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), Reason(errno));
  }
  return WriteAll(file.get(), bytes, path);
}

Status WriteAndFlush(const fs::path& temporary, std::string_view bytes, mode_t mode,
                     const fs::path& path) {
  FileDescriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) {
    return Fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), Reason(errno));
  }
  if (mode != 0) (void)!fchmod(file.get(), mode);
  RETURN_IF_ERROR(WriteAll(file.get(), bytes, path));
  if (fsync(file.get()) != 0 || file.Close() != 0) {
    return Fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), Reason(errno));
  }
  return {};
}

}  // namespace

Result<std::string> ReadFile(const fs::path& path) {
  // Opening a pipe without a writer would wait for ever.
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Fail(ErrorCode::kNotFound, "there is no file {}", path.string());
    }
    return Fail(ErrorCode::kIo, "cannot read {}: {}", path.string(), Reason(errno));
  }
  struct stat info {};
  if (fstat(file.get(), &info) != 0) {
    return Fail(ErrorCode::kIo, "cannot read {}: {}", path.string(), Reason(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    return Fail(ErrorCode::kIo, "cannot read {}: it is {}, not a file", path.string(),
                S_ISDIR(info.st_mode) ? "a directory" : "a device or pipe");
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t used = 0;
  while (true) {
    // One byte more than expected: some files (/proc) say 0 and are longer.
    if (used == bytes.size()) bytes.resize(used + 4096);
    const ssize_t got = read(file.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrorCode::kIo, "cannot read {}: {}", path.string(), Reason(errno));
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  bytes.resize(used);
  return bytes;
}

Status WriteFileAtomically(const fs::path& path, std::string_view bytes) {
  static std::atomic<uint64_t> counter{0};
  fs::path target = path;
  mode_t mode = 0;
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      return Fail(ErrorCode::kIo, "cannot write {}: it is a directory", path.string());
    }
    if (!S_ISREG(info.st_mode)) return WriteToDevice(path, bytes);
    mode = info.st_mode & 07777;
    // A symbolic link stays, and the file that it names is replaced.
    std::error_code error;
    if (fs::path real = fs::canonical(path, error); !error) target = real;
  }
  const fs::path temporary =
      target.parent_path() /
      fmt::format(".{}.{}.{}.tmp", target.filename().string(), getpid(), counter++);
  Status status = WriteAndFlush(temporary, bytes, mode, path);
  if (status && rename(temporary.c_str(), target.c_str()) != 0) {
    status = Fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), Reason(errno));
  }
  if (!status) unlink(temporary.c_str());
  return status;
}

Result<TemporaryDirectory> TemporaryDirectory::Create(std::string_view prefix) {
  const char* root = std::getenv("TMPDIR");
  if (root == nullptr || *root == '\0') root = "/tmp";
  std::string name = (fs::path(root) / fmt::format("{}-XXXXXX", prefix)).string();
  if (mkdtemp(name.data()) == nullptr) {
    return Fail(ErrorCode::kIo, "cannot make a temporary directory in {}: {}", root, Reason(errno));
  }
  return TemporaryDirectory(fs::path(name));
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace whet
