#include "driver/kernel_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "base/file.h"
#include "base/fingerprint.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr const char* kKernel = "kernel";
constexpr const char* kChoice = "choice";
constexpr int64_t kDefaultLimit = int64_t{1} << 30;

// An entry's file: a line of JSON, which holds a hash of itself and of the bytes behind it.
struct Entry {
  Json header;
  std::string body;
};

std::string HashOf(const Json& header, const std::string& body) {
  return Fingerprint(DumpJson(header) + "\n" + body);
}

std::string TextOf(const Json& header, const char* key) {
  return FieldOr<std::string>(header, key, "").value_or("");
}

std::optional<Entry> ParseEntry(std::string_view bytes, const std::string& name) {
  const size_t line = bytes.find('\n');
  if (line == std::string_view::npos) return std::nullopt;
  auto header = ParseJson(bytes.substr(0, line));
  if (!header) return std::nullopt;
  Entry entry{std::move(*header), std::string(bytes.substr(line + 1))};
  const auto format = Field<int>(entry.header, "format");
  const auto hash = Field<std::string>(entry.header, "hash");
  if (!format || *format != kFormat || !hash) return std::nullopt;
  entry.header.erase("hash");
  if (*hash != HashOf(entry.header, entry.body)) return std::nullopt;
  // An entry under another's name is as good as none.
  if (TextOf(entry.header, "name") != name) return std::nullopt;
  return entry;
}

// Beside its place and renamed, readable by its owner only: it is code. Not flushed to the disk: a
// machine that stops loses an entry, which its hash tells.
void WriteEntry(const fs::path& path, Json header, const std::string& body) {
  static std::atomic<int> number{0};
  header["format"] = kFormat;
  header["name"] = path.filename().string();
  header["hash"] = HashOf(header, body);
  const std::string line = DumpJson(header) + "\n";
  std::error_code error;
  if (fs::create_directories(path.parent_path(), error))
    fs::permissions(path.parent_path(), fs::perms::owner_all, error);
  const std::string beside =
      fmt::format("{}.{}-{}.part", path.string(), getpid(), number.fetch_add(1));
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  bool whole = true;
  for (const std::string& part : {line, body}) {
    for (size_t at = 0; whole && at < part.size();) {
      const ssize_t written = write(fd, part.data() + at, part.size() - at);
      whole = written > 0;
      if (whole) at += static_cast<size_t>(written);
    }
  }
  whole = close(fd) == 0 && whole;
  if (!whole || rename(beside.c_str(), path.c_str()) != 0) unlink(beside.c_str());
}

// The entry of that file, which now counts as used; nothing where there is none or it is damaged.
std::optional<Entry> ReadEntry(const fs::path& path) {
  const auto bytes = ReadFile(path);
  if (!bytes) return std::nullopt;
  std::optional<Entry> entry = ParseEntry(*bytes, path.filename().string());
  if (!entry) {
    unlink(path.c_str());
    return std::nullopt;
  }
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return entry;
}

struct File {
  fs::path path;
  int64_t bytes = 0;
  struct timespec used {};
};

// Whether the file is one of ours by its name: KEY.kernel, KEY.choice; being written,
// KEY.kernel.PID-N.part.
bool IsEntry(const fs::path& path, bool part) {
  const std::string name = path.filename().string();
  constexpr size_t kKeyDigits = 32;
  if (name.find_first_not_of("0123456789abcdef") != kKeyDigits) return false;
  const std::string rest = name.substr(kKeyDigits + 1);
  for (const std::string kind : {kKernel, kChoice})
    if (part ? rest.starts_with(kind + ".") && path.extension() == ".part" : rest == kind)
      return true;
  return false;
}

// Entries, and what killed writers left (whose files nobody has written to for an hour).
Result<std::vector<File>> FilesIn(const fs::path& directory, bool leftovers) {
  std::vector<File> files;
  std::error_code error;
  if (directory.empty() || !fs::exists(directory, error)) return files;
  fs::directory_iterator entries(directory, error);
  if (error)
    return Fail(ErrorCode::kIo, "the cache {} cannot be read: {}", directory.string(),
                error.message());
  constexpr int64_t kHour = 3600;
  for (const fs::directory_entry& entry : entries) {
    struct stat status {};
    const bool part = IsEntry(entry.path(), true);
    if (!(IsEntry(entry.path(), false) || (leftovers && part)) ||
        stat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode))
      continue;
    if (part && status.st_mtim.tv_sec + kHour > time(nullptr)) continue;
    files.push_back({entry.path(), static_cast<int64_t>(status.st_size), status.st_mtim});
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) > std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  return files;
}

std::string VerdictName(const Json& header) {
  const std::string status = TextOf(header, "status");
  if (status != Name(MeasureStatus::kOk)) return status;
  return FieldOr<bool>(header, "checked", false).value_or(false) ? "right" : "unchecked";
}

}  // namespace

Result<int64_t> ParseBytes(const std::string& text) {
  const size_t digits = text.find_first_not_of("0123456789");
  const std::string number = text.substr(0, digits);
  const std::string unit = digits == std::string::npos ? "" : text.substr(digits);
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (number.empty() || number.size() > 9 || shift < 0) {
    return Fail(ErrorCode::kInvalidInput,
                "'{}' is no size; write bytes, or 64K, 500M, 2G (at most nine digits)", text);
  }
  return std::strtoll(number.c_str(), nullptr, 10) << shift;
}

Result<KernelCache> KernelCache::OfUser() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  int64_t limit = kDefaultLimit;
  if (const std::string size = variable("WHET_CACHE_SIZE"); !size.empty()) {
    const auto bytes = ParseBytes(size);
    if (!bytes) return Prefixed(bytes.error(), "WHET_CACHE_SIZE");
    limit = *bytes;
  }
  if (const std::string own = variable("WHET_CACHE_DIR"); !own.empty())
    return KernelCache(fs::absolute(own), limit);
  if (const std::string xdg = variable("XDG_CACHE_HOME"); fs::path(xdg).is_absolute())
    return KernelCache(fs::path(xdg) / "whet", limit);
  if (const std::string home = variable("HOME"); fs::path(home).is_absolute())
    return KernelCache(fs::path(home) / ".cache" / "whet", limit);
  return KernelCache();
}

fs::path KernelCache::PathOf(const std::string& key, const char* kind) const {
  return directory_ / (key + "." + kind);
}

std::optional<CachedKernel> KernelCache::FindKernel(const std::string& key) const {
  if (directory_.empty()) return std::nullopt;
  std::optional<Entry> entry = ReadEntry(PathOf(key, kKernel));
  if (!entry) return std::nullopt;
  CachedKernel kernel;
  const Json& header = entry->header;
  const auto status = ParseMeasureStatus(TextOf(header, "status"));
  const auto checked = Field<bool>(header, "checked");
  const auto message = Field<std::string>(header, "message");
  const auto max_error = Field<double>(header, "max_error");
  if (!status || !checked || !message || !max_error) return std::nullopt;
  kernel.task = TextOf(header, "task");
  kernel.target = TextOf(header, "target");
  kernel.checked = *checked;
  kernel.verdict.status = *status;
  kernel.verdict.message = *message;
  kernel.verdict.max_error = *max_error;
  kernel.object = std::move(entry->body);
  return kernel;
}

void KernelCache::StoreKernel(const std::string& key, const CachedKernel& kernel) const {
  if (directory_.empty()) return;
  WriteEntry(PathOf(key, kKernel),
             {{"task", kernel.task},
              {"target", kernel.target},
              {"checked", kernel.checked},
              {"status", Name(kernel.verdict.status)},
              {"message", kernel.verdict.message},
              {"max_error", kernel.verdict.max_error}},
             kernel.object);
}

std::optional<Trace> KernelCache::FindChoice(const std::string& key) const {
  if (directory_.empty()) return std::nullopt;
  const std::optional<Entry> entry = ReadEntry(PathOf(key, kChoice));
  if (!entry) return std::nullopt;
  const auto json = ParseJson(entry->body);
  if (!json) return std::nullopt;
  auto trace = Trace::FromJson(*json);
  if (!trace) return std::nullopt;
  return std::move(*trace);
}

void KernelCache::StoreChoice(const std::string& key, const std::string& task,
                              const std::string& target, const Trace& trace) const {
  if (directory_.empty()) return;
  WriteEntry(PathOf(key, kChoice), {{"task", task}, {"target", target}}, DumpJson(trace.ToJson()));
}

Result<std::vector<CacheRow>> KernelCache::List() const {
  ASSIGN_OR_RETURN(const std::vector<File> files, FilesIn(directory_, false));
  std::vector<CacheRow> rows;
  for (const File& file : files) {
    std::ifstream stream(file.path, std::ios::binary);
    std::string line;
    std::getline(stream, line);
    const auto header = ParseJson(line);
    if (!header || !header->is_object()) continue;
    CacheRow row;
    row.key = file.path.stem().string();
    row.kind = file.path.extension().string().substr(1);
    row.task = TextOf(*header, "task");
    row.target = TextOf(*header, "target");
    if (row.kind == kKernel) row.verdict = VerdictName(*header);
    row.bytes = file.bytes;
    row.used = file.used.tv_sec;
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::pair<int64_t, int64_t>> KernelCache::Clear() const {
  ASSIGN_OR_RETURN(const std::vector<File> files, FilesIn(directory_, true));
  int64_t count = 0, bytes = 0;
  for (const File& file : files) {
    if (unlink(file.path.c_str()) != 0) {
      if (errno == ENOENT) continue;  // another process was faster
      return Fail(ErrorCode::kIo, "{} cannot be removed: {}", file.path.string(), strerror(errno));
    }
    ++count;
    bytes += file.bytes;
  }
  return std::pair(count, bytes);
}

void KernelCache::Trim() const {
  const auto files = FilesIn(directory_, true);
  if (!files) return;
  int64_t total = 0;
  for (const File& file : *files) {
    total += file.bytes;
    if (total > limit_bytes_ || file.path.extension() == ".part") unlink(file.path.c_str());
  }
}

}  // namespace whet
