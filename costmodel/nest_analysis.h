// A loop nest as the cost model walks it: for each definition the chain of all loops around it,
// those of its consumers included, with what each loop's body covers; and what each access touches
// there.
//
// A level's `tile` says, for each loop of the definition, how many of its values one iteration of
// the level's loop covers. For a loop of a consumer it follows from the consumer's tile through the
// consumer's reads: bounds inference, as in the loop nest itself. Level 0 is the whole run.
// Everything lies in fixed arrays, because this runs for thousands of candidates a second; what
// exceeds them (more loops, reads or dimensions than any schedule we know) is left out of the
// estimate. Thread safety: plain values; Analyse is a pure function. Pointers refer to the Dag and
// LoopNest it was given, and to the LoopNest's InlinedDag.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "schedules/access_shape.h"
#include "schedules/dag.h"
#include "schedules/loop_nest.h"

namespace whet {

inline constexpr int kMaxLevels = 40;  // around a definition
inline constexpr double kLineBytes = 64;

// How many of its values each loop of a definition covers; 1 for loops that it does not have.
using Tile = std::array<int64_t, kMaxLoops>;

// One loop around a definition. Level 0 is one run of the task, a loop of extent 1.
struct Level {
  int64_t extent;
  LoopKind kind;
  bool reduction;
  bool guarded;
  bool own;      // the definition's own loop, not a consumer's
  int origin;    // own loops: which of the definition's; -1: several
  int64_t step;  // own loops: how far the origin moves an iteration
  double trips;  // executions of the body in one run of the task
  // Bit l: tile[l] is another one than at the level around. Level 0: all bits.
  uint32_t changed;
  Tile tile;
  bool Repeats()
      const {  // a loop in the machine code, as against one that is unrolled, vectorised or single
    return extent > 1 && kind != LoopKind::kVectorized && kind != LoopKind::kUnrolled;
  }
};

// What a read or store touches during one execution of a level's body.
struct Footprint {
  double elements;
  double lines;      // cache lines
  double run_bytes;  // contiguous bytes from the first element on
};

// A read, or the store, of a definition, and the buffer that it touches.
struct AccessInfo {
  const AccessShape* shape;
  const BufferLayout* layout;
  int element_bytes;
  bool local;  // the buffer belongs to a stage that is realised inside a loop
  bool packed;
  double buffer_bytes;  // the whole buffer
  double buffer_lines;  // its cache lines
  int64_t extents[kMaxDims];
  int64_t strides[kMaxDims];       // elements in memory
  int64_t Stride(int loop) const;  // elements in memory a step of the loop
};

struct DefinitionInfo {
  int nest;        // index into LoopNest::stages
  int definition;  // index into StageNest::definitions
  const Definition* source;
  const DefinitionNest* loops;
  OpCounts ops;    // of one evaluation, inlined stages included
  int loop_count;  // of `source`
  int pure_loops;
  int level_count;
  int outer_levels;  // levels[0, outer_levels) belong to the run and to consumers
  int body;          // the innermost level that repeats; its tile is the body
  Level levels[kMaxLevels];
  int read_count;
  AccessInfo reads[kMaxReads];
  AccessInfo store;
  double realisations;
  double evaluations;  // points that the loops visit in one run
  double points;       // points of the regions they cover
  bool reduces;        // updates its own earlier value
  double Flops() const { return points * ops.Flops(); }
};

struct NestAnalysis {
  std::unique_ptr<DefinitionInfo[]>
      definitions;  // in the order of LoopNest::stages, then of definitions
  int capacity = 0;
  int count = 0;
  int acc = 0;  // the heaviest one
};

// Requires a nest of this DAG. What `analysis` held before is gone, but for its memory: hundreds of
// kilobytes that a caller keeps from candidate to candidate.
void Analyse(const Dag& dag, const LoopNest& nest, NestAnalysis* analysis);

// Distinct values of each dimension of an access.
using Widths = std::array<int64_t, kMaxDims>;

// Those of `access` when each loop covers `tile` of its values. Dimensions that no loop of
// `changed` moves, a bit a loop, are left as they are; all bits: none is.
void SetWidths(const AccessInfo& access, const DefinitionInfo& info, const Tile& tile,
               uint32_t changed, Widths* widths);
// What `access` touches of so many values.
Footprint Touch(const AccessInfo& access, const Widths& widths);
// The same of a tile.
Footprint Touch(const AccessInfo& access, const DefinitionInfo& info, const Tile& tile);

}  // namespace whet
