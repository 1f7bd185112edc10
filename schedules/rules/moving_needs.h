// What a tile needs of the stages that it reads, wherever the tile lies.
//
// Bounds inference (bounds.h) follows one tile, whose loops start at 0. Where indices are sums of
// loops, all other tiles need as much. Not so where an index is divided (x / 2, x % 2): only tiles
// that start at multiples of the divisor do; nor where accesses to a stage move apart (a[x, y] and
// a[y, x]). A region that is promised to Halide there and does not hold is computed in part only.
// Nor at the edges of an image, where a stage that is read at clamped positions computes a region
// as large as elsewhere: it reaches over them, and what it reads must reach as far. Here the start
// of a tile is followed too. Thread safety: pure functions.
#pragma once

#include <vector>

#include "schedules/rules/rule.h"

namespace whet {

// The values of an index: the sum of steps[l] * k[l] over the loops l of the stage that has the
// tile, for any whole numbers k, and all of `range` from there.
struct MovingRange {
  enum class Moves { kAsTold, kAsToldButClamped, kSomehow };
  IndexRange range{0, 0};
  InlineVector<int64_t, 8> steps;  // empty: the range stays
  Moves moves = Moves::kAsTold;
  bool inside = true;  // no value lies outside of the dimension
};
using MovingBox = std::vector<MovingRange>;

// Whether the extents that some tile needs of the stage depend on where the tile lies.
bool NeedDependsOnStart(const Dag& dag, int stage);

// Whether no iteration of the loop needs more of the stage than the first one does, the promise
// that its region there is. Requires that all stages that read it are placed.
bool NeedIsBounded(int stage, const LoopOf& loop, Expansion* out);

}  // namespace whet
