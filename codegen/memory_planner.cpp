#include "codegen/memory_planner.h"

#include <algorithm>
#include <numeric>

#include "base/tensor.h"

namespace whet {

ArenaLayout PlanArena(std::span<const BufferLifetime> buffers) {
  ArenaLayout layout;
  layout.offsets.assign(buffers.size(), 0);
  const auto aligned = [](int64_t bytes) {
    return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  };
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  std::vector<size_t> placed;
  for (size_t i : order) {
    std::vector<std::pair<int64_t, int64_t>>
        taken;  // [begin, end) of placed buffers alive at the same time
    for (size_t p : placed) {
      const bool overlap = buffers[p].first_step <= buffers[i].last_step &&
                           buffers[i].first_step <= buffers[p].last_step;
      if (overlap)
        taken.emplace_back(layout.offsets[p], layout.offsets[p] + aligned(buffers[p].bytes));
    }
    std::sort(taken.begin(), taken.end());
    int64_t offset = 0;
    const int64_t size = aligned(buffers[i].bytes);
    for (const auto& [begin, end] : taken) {
      if (offset + size <= begin) break;
      offset = std::max(offset, end);
    }
    layout.offsets[i] = offset;
    layout.bytes = std::max(layout.bytes, offset + size);
    placed.push_back(i);
  }
  return layout;
}

}  // namespace whet
