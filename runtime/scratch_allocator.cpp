#include "runtime/scratch_allocator.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>

namespace whet {
namespace {

// Sits in front of every block and is itself the slack there.
struct alignas(kScratchAlignment) Header {
  size_t bin;
  size_t bytes;  // of the whole allocation
  Header* next;  // in a free list
};
static_assert(sizeof(Header) == kScratchAlignment);

// Sizes are rounded up to four steps an octave, at most a fifth more than asked for; bin b of
// octave o and step s is 4 * o + s. Larger blocks than the largest bin are not cached.
constexpr int kSmallestLog2 = 8;
constexpr int kLargestLog2 = 27;
constexpr size_t kBins = 4 * (kLargestLog2 - kSmallestLog2);
constexpr size_t kUncached = kBins;

struct Rounded {
  size_t bin;
  size_t payload;
};

Rounded RoundUp(size_t bytes) {
  const size_t least = size_t{1} << kSmallestLog2;
  if (bytes < least) bytes = least;
  const int log2 = std::bit_width(bytes) - 1;
  const size_t step = size_t{1} << (log2 - 2);
  const size_t payload = (bytes + step - 1) / step * step;  // 4 to 8 steps
  const size_t bin = 4 * static_cast<size_t>(log2 - kSmallestLog2) + (payload / step - 4);
  if (bin < kBins) return {bin, payload};
  return {kUncached, (bytes + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment};
}

std::atomic<int64_t> cached_bytes{0};
std::atomic<int> poison{-1};

void* HandOut(Header* block, size_t bytes) {
  const int pattern = poison.load(std::memory_order_relaxed);
  if (pattern >= 0) std::memset(block + 1, pattern, bytes);
  return block + 1;
}

// Trivially destructible, so that blocks freed while a thread ends still find it; `Drain` empties
// it.
struct Cache {
  std::array<Header*, kBins> free;
  bool closed;
};
thread_local constinit Cache cache{};

struct Drain {
  ~Drain() {
    cache.closed = true;
    for (Header*& list : cache.free) {
      while (list != nullptr) {
        Header* block = list;
        list = block->next;
        cached_bytes -= static_cast<int64_t>(block->bytes);
        std::free(block);
      }
    }
  }
  void Touch() {}
};
thread_local Drain drain;

bool ReserveCache(size_t bytes) {
  const auto wanted = static_cast<int64_t>(bytes);
  if (cached_bytes.fetch_add(wanted, std::memory_order_relaxed) + wanted <=
      kMaxCachedScratchBytes) {
    return true;
  }
  cached_bytes.fetch_sub(wanted, std::memory_order_relaxed);
  return false;
}

}  // namespace

void* AllocateScratch(size_t bytes) {
  if (bytes > SIZE_MAX / 4) return nullptr;
  const Rounded rounded = RoundUp(bytes);
  if (rounded.bin != kUncached && cache.free[rounded.bin] != nullptr) {
    Header* block = cache.free[rounded.bin];
    cache.free[rounded.bin] = block->next;
    cached_bytes.fetch_sub(static_cast<int64_t>(block->bytes), std::memory_order_relaxed);
    return HandOut(block, bytes);
  }
  const size_t total = sizeof(Header) + rounded.payload + kScratchAlignment;
  const size_t aligned = (total + kScratchAlignment - 1) / kScratchAlignment * kScratchAlignment;
  void* memory = std::aligned_alloc(kScratchAlignment, aligned);
  if (memory == nullptr) return nullptr;
  return HandOut(new (memory) Header{rounded.bin, aligned, nullptr}, bytes);
}

void FreeScratch(void* block) {
  if (block == nullptr) return;
  Header* header = static_cast<Header*>(block) - 1;
  drain.Touch();  // its destructor runs at this thread's end
  if (header->bin == kUncached || cache.closed || !ReserveCache(header->bytes)) {
    std::free(header);
    return;
  }
  header->next = cache.free[header->bin];
  cache.free[header->bin] = header;
}

void PoisonScratch(int pattern) { poison.store(pattern, std::memory_order_relaxed); }

int64_t CachedScratchBytes() { return cached_bytes.load(std::memory_order_relaxed); }

}  // namespace whet
