// Empties the caches of the thread pool's cores, for measuring kernels on cold ones.
//
// Each thread of the pool reads a part of its own of one buffer: twice what its core's L2 and its
// share of the L3 hold together, so that whatever was there before has been pushed out. That is
// every level of the data caches, and with the L2 the kernel's code too. Not emptied are TLBs and
// branch predictors (the buffer lies in huge pages where the system has them), and more of a
// shared L3 than the system tells of: the threads count as sharing one L3, of the first CPU's size,
// up to as many as it serves.
// The buffer is only read, after it was made: the lines that a kernel pushes out need no writing
// back. Making it costs about a millisecond a MiB, emptying some 60 us a MiB on two cores.
// Thread safety: those of the thread pool; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace whet {

struct CacheSizes {
  int64_t l2_bytes = 0, l3_bytes = 0;
  int l3_threads = 1;  // CPUs that share an L3
};
CacheSizes HostCaches();

// Bytes that each of so many threads reads: whole cache lines.
int64_t SweepBytes(int threads, const CacheSizes& caches);

class ColdCaches {
 public:
  // For the thread pool as it is now. kFailed where the system has no memory for the buffer.
  static Result<ColdCaches> Create(const CacheSizes& caches = HostCaches());
  ColdCaches(ColdCaches&& other) noexcept;
  ColdCaches& operator=(ColdCaches&&) = delete;
  ~ColdCaches();

  // Returns when every thread has read its part.
  void Empty();

 private:
  ColdCaches(char* buffer, int threads, int64_t part_bytes)
      : buffer_(buffer), threads_(threads), part_bytes_(part_bytes) {}

  char* buffer_;  // null: moved from
  int threads_;
  int64_t part_bytes_;
};

}  // namespace whet
