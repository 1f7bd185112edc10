// Traces: the decisions of a sketch and the directives that they expand to. Plain data.
//
// A trace replays on its directives alone (docs/formats/trace.md). Directives speak of stages and
// loops by the stable names of the DAG (dag.h): a stage, one of its definitions (0 initialises or
// is pure, 1 and up are updates), and loop names that earlier directives of the list may have
// introduced. Two interpreters read them: apply_halide (the compiler) and loop_nest (the cost
// model). Nothing here assumes a CPU: blocks, threads and lanes are loop kinds like the others.
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace whet {

enum class DirectiveKind : uint8_t {
  kAlgorithm,  // the node that writes `stage` is computed by `algorithm` instead of directly
  kPack,  // input `stage`: stored as `layout` says, packed ahead of time (a constant) or by a stage
  kSplit,        // loop -> names[0] (outer), names[1] (inner) by `factor` with `tail`
  kFuse,         // names[0] (outer) and names[1] (inner) -> loop
  kReorder,      // names, innermost first
  kVectorize,    // loop
  kUnroll,       // loop
  kParallel,     // loop
  kComputeRoot,  // stage
  kComputeAt,    // stage inside `loop` of stage `at`
  kGpuBlocks,    // loop
  kGpuThreads,   // loop
  kGpuLanes,     // loop
  kStoreIn,      // stage, `memory`: "stack", "heap", "shared", "register"
  kBoundExtent,  // dimension `loop` of stage: what is computed at a loop has `factor` elements of
                 // it
  kStoreRoot,    // stage: stored outside all loops, computed as another directive says
  kStoreAt,      // stage: stored inside `loop` of stage `at`, outside of where it is computed
  kFoldStorage,  // dimension `loop` of stage: stored in a ring of `factor` elements
  kRfactor,      // reduction `loop` of stage -> names[0] (outer), names[1] (inner) by `factor`;
                 // `at`, one of the two, becomes a dimension of a stage `<stage>_part`
  kPrefetch,     // what `loop` reads of stage `at` is fetched `factor` iterations ahead
  kNeverPartition,  // loop: no copies of it for edges
};

enum class Tail : uint8_t { kAuto, kRoundUp, kGuardWithIf, kShiftInwards, kPredicate };

// One level of a packed layout, innermost first: `size` consecutive indices of dimension `dim` (an
// index into the tensor's shape); 0 means all that are left of it.
struct PackLevel {
  int dim = 0;
  int64_t size = 0;
  bool operator==(const PackLevel&) const = default;
};

struct Directive {
  DirectiveKind kind = DirectiveKind::kSplit;
  std::string stage;
  int definition = 0;
  std::string loop;
  std::vector<std::string> names;
  int64_t factor = 0;
  Tail tail = Tail::kAuto;
  std::string at;                 // kComputeAt, kStoreAt: the consumer's stage; see kinds
  std::string memory;             // kStoreIn
  std::vector<PackLevel> layout;  // kPack
  std::string algorithm;          // kAlgorithm
  bool operator==(const Directive&) const = default;
};

// A sampled choice: the index into the sketch's candidates is not kept, its value is.
struct Decision {
  std::string name;  // "tile.x", "acc.unroll"
  std::vector<int64_t> value;
  bool operator==(const Decision&) const = default;
};

struct Trace {
  std::string sketch;  // the name of the sketch that made it; empty: written by hand
  std::vector<Decision> decisions;
  std::vector<Directive> directives;

  Json ToJson() const;
  static Result<Trace> FromJson(const Json& json);
  // 64-bit hash of the directives: candidates with equal ones are the same candidate.
  uint64_t DirectivesHash() const;
  // The Halide calls, one a line, as C++ ("conv.update(0).split(x, x_o, x_i, 14, GuardWithIf);").
  std::string ToCpp() const;
  bool operator==(const Trace&) const = default;
};

}  // namespace whet
