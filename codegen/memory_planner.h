// Where buffers of a plan live in its one arena: buffers whose lifetimes do not overlap share
// bytes.
//
// Greedy by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference",
// 2020): the largest buffer first, each at the lowest offset that no overlapping lifetime occupies.
// Thread safety: pure function.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace whet {

struct BufferLifetime {
  int64_t bytes = 0;
  int first_step = 0,
      last_step = 0;  // closed: written in the first, read for the last time in the last
};

struct ArenaLayout {
  std::vector<int64_t> offsets;  // one a buffer, multiples of 64 bytes
  int64_t bytes = 0;             // of the arena
};

ArenaLayout PlanArena(std::span<const BufferLifetime> buffers);

}  // namespace whet
