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

// Puts the stage there: the directives, and the path of the stage (without loops of its own). The
// extents computed at a time; empty where the directives so far have no loop nest.
std::vector<int64_t> PlaceStage(int stage, const std::optional<LoopOf>& loop, Expansion* out);

}  // namespace whet
