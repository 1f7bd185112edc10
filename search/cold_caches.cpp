#include "search/cold_caches.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "base/cpu.h"
#include "codegen/target.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

constexpr int64_t kLineBytes = 64;
constexpr int64_t kTimesTheCaches = 2;  // replacement is not exactly least recently used
constexpr std::chrono::milliseconds kLongestWait{2};

struct Sweep {
  char* buffer;
  int64_t part_bytes;
  int threads;
  std::atomic<int> begun{0};

  // A thread that is done early must not take the part of one that is late: that one's caches
  // would keep what they have. A pool with fewer threads than it was asked for has to go on.
  void AwaitOthers() {
    begun.fetch_add(1);
    const auto end = std::chrono::steady_clock::now() + kLongestWait;
    while (begun.load() < threads && std::chrono::steady_clock::now() < end) {
    }
  }
};

int Fill(void* context, int index) {
  auto& sweep = *static_cast<Sweep*>(context);
  // Memory that was never written is one page of zeros, which empties nothing.
  std::memset(sweep.buffer + index * sweep.part_bytes, 1, static_cast<size_t>(sweep.part_bytes));
  return 0;
}

int Read(void* context, int index) {
  auto& sweep = *static_cast<Sweep*>(context);
  sweep.AwaitOthers();
  const volatile char* const part = sweep.buffer + index * sweep.part_bytes;
  for (int64_t at = 0; at < sweep.part_bytes; at += kLineBytes) (void)part[at];
  return 0;
}

}  // namespace

CacheSizes HostCaches() {
  const MachineModel machine = Target::Host(1).Machine().value_or(MachineModel());
  return {machine.l2_bytes, machine.l3_bytes, CpusSharingCache(3)};
}

int64_t SweepBytes(int threads, const CacheSizes& caches) {
  const int64_t sharing = std::clamp(caches.l3_threads, 1, std::max(1, threads));
  const int64_t bytes = kTimesTheCaches * (caches.l2_bytes + caches.l3_bytes / sharing);
  return std::max<int64_t>(1, (bytes + kLineBytes - 1) / kLineBytes) * kLineBytes;
}

Result<ColdCaches> ColdCaches::Create(const CacheSizes& caches) {
  const int threads = std::max(1, ThreadCount());
  const int64_t part_bytes = SweepBytes(threads, caches);
  const auto bytes = static_cast<size_t>(threads * part_bytes);
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return Fail(ErrorCode::kFailed, "cannot map {} bytes to empty the caches with: {}", bytes,
                strerror(errno));
  madvise(memory, bytes, MADV_HUGEPAGE);  // or ordinary pages
  ColdCaches cold(static_cast<char*>(memory), threads, part_bytes);
  Sweep sweep{cold.buffer_, part_bytes, threads};
  ParallelFor(0, threads, &Fill, &sweep);
  return cold;
}

ColdCaches::ColdCaches(ColdCaches&& other) noexcept
    : buffer_(std::exchange(other.buffer_, nullptr)),
      threads_(other.threads_),
      part_bytes_(other.part_bytes_) {}

ColdCaches::~ColdCaches() {
  if (buffer_ != nullptr) munmap(buffer_, static_cast<size_t>(threads_ * part_bytes_));
}

void ColdCaches::Empty() {
  Sweep sweep{buffer_, part_bytes_, threads_};
  ParallelFor(0, threads_, &Read, &sweep);
}

}  // namespace whet
