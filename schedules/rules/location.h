// Where a stage can be computed: inline, at root, or inside a loop of those who read it.
#pragma once

#include <optional>

#include "schedules/rules/rule.h"

namespace whet {

// Values of "location" decisions. Loops of the output, from the innermost out, then those of the
// stage that reads this one.
enum Location : int64_t {
  kInlined = 0,
  kRoot = 1,
  kOuter = 2,      // the innermost loop over tiles
  kMiddle = 3,     // the outermost loop over register tiles
  kOutermost = 4,  // the outermost loop
  kInnermost = 5,  // the loop that the register tile is computed in
  kReaderOutermost = 6,
  kReaderInnermost = 7,
};

std::vector<std::vector<int64_t>> LocationCandidates(const Dag& dag, const Roles& roles, int stage);

// Whether a located stage with an accumulator is what reads this one.
bool ReadByLocatedTiles(const Dag& dag, const Roles& roles, int stage);

// The loop that a location means after the directives so far. Where not all readers are inside that
// loop: the innermost one that all are in. Nothing: at root.
std::optional<LoopOf> ResolveLocation(int64_t location, const Roles& roles, int stage,
                                      const Expansion& expansion);

// Whether a window that moves with the loops of its readers reads the stage: iterations next to
// each other need the same elements of it. Not where indices are divided on the way: then Halide
// does not see how many elements an iteration computes.
bool MaySlide(const Dag& dag, const Roles& roles, int stage);

struct PlacedRegion {
  std::vector<int64_t> extents;  // computed at a time; empty: no loop nest so far
  // By dimension: whether the first of a loop's iterations computes more of it than the others, as
  // where this stage or one that reads it slides. Tiles of such a dimension are single elements.
  std::vector<bool> varies;
};

// Puts the stage there: the directives, and the path of the stage (without loops of its own). With
// `slide`, stored one loop further out where that loop is serial, in a ring, so that an iteration
// computes only what the one before it did not.
PlacedRegion PlaceStage(int stage, const std::optional<LoopOf>& loop, bool slide, Expansion* out);

}  // namespace whet
