// The values that an index expression takes over a box of loop values.
#pragma once

#include <cstdint>
#include <span>

#include "schedules/dag.h"

namespace whet {

struct IndexRange {
  int64_t low, high;  // closed
  int64_t width() const { return high - low + 1; }
};

// `loops` has one range a loop. Tiles are taken to start at multiples of what an index is divided
// by, and to lie inside clamps by constants. {0, 0} for an expression that is not understood.
IndexRange RangeOf(const IndexExpr& index, std::span<const IndexRange> loops);

// IndexExpr::Width of the first loops' `extents`; the other loops stand still.
int64_t WidthOf(const IndexExpr& index, std::span<const int64_t> extents);

}  // namespace whet
