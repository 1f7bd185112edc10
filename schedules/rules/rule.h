// Sketch rules: each looks at a DAG and contributes one step of a sketch.
//
// A step names its decisions with their candidate values, a default for each, and expands chosen
// values to directives. Steps of a sketch expand in order, consumers before producers; what later
// ones need of earlier ones (which loops exist) is in the Expansion. Rules work on the DAG and the
// machine only: none knows an operator. Thread safety: steps are immutable once made.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "schedules/algorithm_options.h"
#include "schedules/dag.h"
#include "schedules/nest_builder.h"
#include "schedules/sketch.h"
#include "schedules/trace.h"

namespace whet {

// What the rules decided about each stage, before any step is made.
enum class StageRole {
  kInput,
  kInline,       // always computed where it is read
  kOwner,        // owns the tiles: the output
  kAccumulator,  // a reduction computed at the register tile of the stage that it reaches
  kLocated,      // where it is computed is a decision
};
struct Roles {
  std::vector<StageRole> of_stage;
  int owner = -1;
  // By stage: the reduction that accumulates in its register tile; -1: none. A located stage that
  // has one is tiled like the output.
  std::vector<int> accumulator_of;
};

// A loop of a stage.
struct LoopOf {
  int stage = -1;
  std::string loop;
  bool operator==(const LoopOf&) const = default;
};

// Where the directives so far have put a stage.
struct PlacedStage {
  // The loops around its evaluation, from the outermost in: those that it is computed inside, then
  // its own that others can be computed inside.
  std::vector<LoopOf> path;
  // Of a stage with tiles: its own loops over tiles, and over the register tiles of a tile,
  // outermost first.
  std::vector<std::string> outer_loops, mid_loops;
  // Output channels, or whatever the vectorised dimension is: the width of a register tile.
  int64_t register_width = 1;
  // By dimension: tiles start at multiples of it. Empty: nothing is known.
  std::vector<int64_t> alignment;
};

// Directives so far, and the loops that stages were left with.
struct Expansion {
  explicit Expansion(const NestContext& context)
      : dag(&context.dag()), placed(dag->stages.size()), nest(context, directives) {}
  Expansion(const Expansion&) = delete;  // its nest refers to its directives
  Expansion& operator=(const Expansion&) = delete;

  const Dag* const dag;
  std::vector<Directive> directives;
  std::vector<PlacedStage> placed;  // by stage
  NestBuilder nest;                 // of the directives so far
};

// The large structure of a plain schedule: what is a task of the thread pool.
enum class Outline {
  kRows,      // single rows of the output
  kBlocks,    // a block of rows for each thread
  kChannels,  // a block of the innermost dimension for each thread
  kApart,     // as blocks, and every stage that is stored computed whole before its readers
  kSliding,   // as blocks, row by row, of which every stage computes what the row before did not
};
constexpr Outline kOutlines[] = {Outline::kRows, Outline::kBlocks, Outline::kChannels,
                                 Outline::kApart, Outline::kSliding};

using DecisionValues = std::span<const std::vector<int64_t>>;

class SketchStep {
 public:
  virtual ~SketchStep() = default;
  virtual std::string name() const = 0;  // "tile(relu<conv)"
  virtual const std::vector<DecisionSpec>& decisions() const = 0;
  // A plain choice, one value a decision, of its candidates.
  virtual std::vector<std::vector<int64_t>> PlainValues(Outline outline) const = 0;
  // `values` are those of this step's decisions.
  virtual void Expand(DecisionValues values, Expansion* out) const = 0;
};

// rules/fusion.cpp: inlines what is cheap, fuses elementwise consumers onto the reduction they
// follow.
Roles AssignRoles(const Dag& dag);
// A stage that only reads an input, element by element: stored, it has the order that its readers
// want, or the part that they read again and again.
bool IsCopy(const Dag& dag, int stage);

// rules/multi_level_tiling.cpp: tiles, register tile, parallel, vectorise and unroll of the output.
std::unique_ptr<SketchStep> MakeTilingStep(const Dag& dag, const Roles& roles,
                                           const MachineModel& machine);

// rules/located_tiles.cpp: where a stage with an accumulator is computed, its register tiles there.
std::unique_ptr<SketchStep> MakeLocatedTilesStep(const Dag& dag, const Roles& roles, int stage,
                                                 const MachineModel& machine);

// rules/compute_location.cpp: inline, at root, or at a loop of a consumer.
std::unique_ptr<SketchStep> MakeLocationStep(const Dag& dag, const Roles& roles, int stage,
                                             const MachineModel& machine);

// rules/packing.cpp: the layout of a constant input. nullptr: nothing to gain.
std::unique_ptr<SketchStep> MakePackingStep(const Dag& dag, const Roles& roles, int input);

// rules/packing.cpp: panel layouts of variable inputs that deserve a stage of their own, by input
// stage.
std::vector<std::pair<int, std::vector<PackLevel>>> VariablePanels(const Dag& dag,
                                                                   const Roles& roles,
                                                                   const MachineModel& machine);

// rules/rfactor.cpp: reductions worth computing in parts, each a set of cuts by stage.
std::vector<std::map<std::string, Rfactor>> RfactorsOf(const Dag& dag, const MachineModel& machine);

// rules/blocked_sum.cpp: a long reduction whose sums are stored and added to block by block: which
// are worth it, the roles of the stages once the algorithm has the parts, and the step.
std::vector<std::pair<std::string, Rfactor>> BlockedSumsOf(const Dag& dag, const Roles& roles,
                                                           const MachineModel& machine);
void AssignBlockedSum(const Dag& dag, const std::string& stage, Roles* roles);
std::unique_ptr<SketchStep> MakeBlockedSumStep(const Dag& dag, const Roles& roles, int stage,
                                               const MachineModel& machine);

// --- Small helpers that the rules share ---

// Whether iterations at edges compute something else: those of padding.
bool PadsSomewhere(const Dag& dag);
// No copies of a stage's loops over tiles for what happens at edges: where nothing does, they only
// take longer to compile.
void NeverPartition(const std::string& stage, const PlacedStage& placed,
                    std::vector<Directive>* directives);

Directive SplitOf(const std::string& stage, int definition, const std::string& loop,
                  const std::string& outer, const std::string& inner, int64_t factor, Tail tail);
Directive LoopDirective(DirectiveKind kind, const std::string& stage, int definition,
                        const std::string& loop);
// Tells Halide the extent of a dimension that is computed at a loop: with shifted tails it could
// not always prove that it is constant, and then neither unroll it nor keep it in registers.
Directive BoundExtent(const std::string& stage, const std::string& dim, int64_t extent);
// Vector widths in elements that are worth trying on `extent` elements: full, half and quarter
// registers that fit, or the extent itself where it is shorter than all of them.
std::vector<int64_t> VectorWidths(int64_t extent, int64_t element_bytes,
                                  const MachineModel& machine);
// All orders of 0 .. n-1, the natural one first.
std::vector<std::vector<int64_t>> Permutations(size_t n);

}  // namespace whet
