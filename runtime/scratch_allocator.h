// Scratch memory for kernels: aligned blocks, cached a thread, so that a kernel's temporary buffers
// cost no system call after the first run.
//
// Blocks are 128-byte aligned and have at least 128 readable bytes on both sides, since vectorised
// code may read (not write) past the ends of a buffer. Contents are unspecified. Thread safety: any
// thread; a block may be freed by another thread than the one that allocated it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace whet {

inline constexpr size_t kScratchAlignment = 128;  // bytes; also the slack at each end
inline constexpr int64_t kMaxCachedScratchBytes = int64_t{256} << 20;  // of all threads together

void* AllocateScratch(size_t bytes);  // null if the system has no more
void FreeScratch(void* block);        // null is fine
int64_t CachedScratchBytes();         // held for reuse by all threads

// From now on each block is handed out filled with bytes of `pattern`, -1: as it is. For checks of
// kernels: what reads memory that nothing wrote then shows.
void PoisonScratch(int pattern);

}  // namespace whet
