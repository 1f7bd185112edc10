// The loop nest that a trace makes of a task, computed symbolically, without Halide.
//
// A tree: each node is a loop of some stage's definition, with its trip count and kind; leaves are
// the evaluations. Stages computed inside a loop hang under it, with the region (extents per
// dimension) that the loop's body needs of them, halo included: bounds inference on the DAG's own
// index expressions. Cost: some microseconds. A nest refers to the Dag and the directives that it
// was built from: both have to outlive it. Thread safety: plain values; building one is a pure
// function.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/inline_vector.h"
#include "base/status.h"
#include "schedules/dag.h"
#include "schedules/inlined_dag.h"
#include "schedules/trace.h"

namespace whet {

class NestBuilder;  // nest_builder.h
class NestContext;  // nest_context.h

enum class LoopKind : uint8_t {
  kSerial,
  kParallel,
  kVectorized,
  kUnrolled,
  kGpuBlock,
  kGpuThread,
  kGpuLane
};

// A number a dimension, or a loop of a definition.
using Extents = InlineVector<int64_t, 8>;

struct NestLoop {
  std::string_view name;  // as the directives name it
  int64_t extent = 1;     // trip count (lanes, if vectorised)
  LoopKind kind = LoopKind::kSerial;
  int origin = -1;  // index into Definition::loops of the loop it was split from; -1: fused
  bool reduction = false;
  int64_t step = 1;      // how far the origin's index moves an iteration (0: fused)
  bool guarded = false;  // carries an if for a tail that does not divide
  // The tile that remains inside this loop: for each loop of the definition, how many of its
  // consecutive values one iteration of this loop covers.
  Extents tile;
};

// One definition of one stage: its loops from the outermost in.
struct DefinitionNest {
  int definition = 0;
  std::vector<NestLoop> loops;
  Extents region;  // values of each loop of the definition that one realisation covers
};

// One realisation of a stage: where it is, how large, how often.
struct StageNest {
  int stage = -1;
  int at_stage = -1;  // consumer stage; -1: at root
  int at_loop = -1;   // index into the consumer's last definition's loops; the body of it
  Extents region;     // extents of the pure dimensions computed in one realisation
  // Where it slides, stored outside a loop that it is computed in: the dimension along which each
  // realisation (but the first) computes only what the one before did not; -1: it does not.
  int slides_along = -1;
  Extents stored;            // extents of its storage: the region, and what it slides over
  double realisations = 1;   // how often it is realised in one run of the task
  int64_t buffer_bytes = 0;  // storage of one realisation; 0 for the output
  std::vector<DefinitionNest> definitions;
};

// What an access touches: strides of the buffer read, elements an index step.
struct BufferLayout {
  std::span<const PackLevel> levels;  // empty: the natural order
  // Distance in elements between neighbours along dimension `dim` (natural strides where not
  // packed).
  Extents strides;
};

struct LoopNest {
  std::vector<StageNest> stages;      // consumers before producers: the output first
  std::vector<int> nest_of;           // by stage: index into `stages`, -1 if an input or inlined
  std::vector<BufferLayout> layouts;  // by stage
  // What its definitions load and compute with inlined stages expanded.
  std::shared_ptr<const InlinedDag> inlined;
};

// Requires directives that fit the context's DAG. kFailed with the directive's number and reason
// where they do not, and where stages are inlined into each other until a definition has more than
// kMostInlined of them.
Result<LoopNest> BuildLoopNest(NestContext& context, const std::vector<Directive>& directives);
// The same of a builder that knows the directives.
Result<LoopNest> FinishLoopNest(NestContext& context, NestBuilder builder);
// The same for a DAG of which no other nest is built.
Result<LoopNest> BuildLoopNest(const Dag& dag, const std::vector<Directive>& directives);

// The nest as a person reads it, indented, with extents and kinds.
std::string ToString(const Dag& dag, const LoopNest& nest);

}  // namespace whet
