// The cache on disk of kernels that were compiled and checked, and of choices without measuring,
// by content (kernel_key.h): docs/formats/cache.md.
//
// One file an entry, written beside and renamed, so that any number of processes may use one
// directory: each reads whole entries or none. An entry that is damaged is removed and counts as
// missing. The files used longest ago go when all together are larger than the limit. It is only a
// cache: what cannot be stored is not, and nothing here fails because of it. Thread safety: const
// methods may be called from several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/trace.h"
#include "tuning_db/record.h"

namespace whet {

struct CachedKernel {
  std::string task;      // in words: Task::Describe
  std::string target;    // of the task
  bool checked = false;  // compared with the reference, or measured
  // The verdict, ok where it is not checked; samples stay empty.
  Measurement verdict;
  std::string object;  // the object file's bytes; empty where the verdict is bad
};

// What `whet cache list` shows of an entry.
struct CacheRow {
  std::string key, kind;  // "kernel" or "choice"
  std::string task, target;
  std::string verdict;  // "right", "unchecked", a failure's class; "" for a choice
  int64_t bytes = 0;
  int64_t used = 0;  // seconds since 1970
};

class KernelCache {
 public:
  // No cache: it finds nothing and stores nothing.
  KernelCache() = default;
  // In `directory`, made when something is stored; at most `limit_bytes` of it after Trim.
  KernelCache(std::filesystem::path directory, int64_t limit_bytes)
      : directory_(std::move(directory)), limit_bytes_(limit_bytes) {}
  // The user's: in WHET_CACHE_DIR, else in whet/ of XDG_CACHE_HOME, else in ~/.cache/whet; at most
  // WHET_CACHE_SIZE ("500M", "2G"; 1G where it is not set). kInvalidInput for a size that is none.
  static Result<KernelCache> OfUser();

  const std::filesystem::path& directory() const { return directory_; }  // empty: no cache
  int64_t limit_bytes() const { return limit_bytes_; }

  std::optional<CachedKernel> FindKernel(const std::string& key) const;
  void StoreKernel(const std::string& key, const CachedKernel& kernel) const;
  std::optional<Trace> FindChoice(const std::string& key) const;
  void StoreChoice(const std::string& key, const std::string& task, const std::string& target,
                   const Trace& trace) const;

  // All entries, the latest used first. kIo where the directory cannot be read.
  Result<std::vector<CacheRow>> List() const;
  // Removes all entries; how many, and their bytes.
  Result<std::pair<int64_t, int64_t>> Clear() const;
  // Removes what was used longest ago until the rest is within the limit.
  void Trim() const;

 private:
  std::filesystem::path PathOf(const std::string& key, const char* kind) const;

  std::filesystem::path directory_;
  int64_t limit_bytes_ = 0;
};

// "1048576", "64K", "500M", "2G": bytes.
Result<int64_t> ParseBytes(const std::string& text);

}  // namespace whet
