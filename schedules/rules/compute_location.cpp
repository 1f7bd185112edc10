// Where a stored stage is computed: inline, at root, or at a loop of those who read it; and its own
// loops there.
#include <algorithm>

#include "schedules/rules/location.h"
#include "schedules/rules/moving_needs.h"

namespace whet {
namespace {

class LocationStep : public SketchStep {
 public:
  LocationStep(const Dag& dag, const Roles& roles, int stage, const MachineModel& machine)
      : dag_(dag), roles_(roles), stage_index_(stage), machine_(machine) {
    const std::string& s = dag.stages[stage].name;
    decisions_.push_back({"locate." + s, "location", LocationCandidates(dag, roles, stage)});
    if (!dag.stages[stage].definitions[0].choosing_loops.empty())
      decisions_.push_back({"unroll." + s, "unroll", {{1}, {8}, {24}, {48}}});
    else if (MaySlide(dag, roles, stage))
      decisions_.push_back({"slide." + s, "slide", {{0}, {1}}});
    depends_on_start_ = NeedDependsOnStart(dag, stage);
  }

  std::string name() const override { return "locate(" + dag_.stages[stage_index_].name + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> PlainValues(Outline outline) const override {
    // What a product over all channels reads is computed once, not for every block of them.
    const bool shared =
        outline == Outline::kChannels && ReadByLocatedTiles(dag_, roles_, stage_index_);
    if (HasChoices()) return {{shared ? kRoot : kOuter}, {8}};
    std::vector<std::vector<int64_t>> values = {{PlainLocation(outline)}};
    if (decisions_.size() > 1) values.push_back({outline == Outline::kSliding ? 1 : 0});
    if (outline == Outline::kSliding) values[0] = {kMiddle};
    return values;
  }

  void Expand(DecisionValues values, Expansion* out) const override {
    if (values[0][0] == kInlined) {
      out->placed[stage_index_].path = PathOfReaders(*out);
      return;
    }
    const Stage& stage = dag_.stages[stage_index_];
    auto loop = ResolveLocation(values[0][0], roles_, stage_index_, *out);
    if (loop && depends_on_start_ && !NeedIsBounded(stage_index_, *loop, out)) loop.reset();
    if (loop && !CoversChoices(*loop, out)) loop.reset();
    const bool slide = !HasChoices() && values.size() > 1 && values[1][0] == 1;
    const PlacedRegion placed = PlaceStage(stage_index_, loop, slide, out);
    const std::vector<int64_t>& region = placed.extents;
    if (region.empty() && !stage.dims.empty()) return;
    for (int d = 0; d < static_cast<int>(stage.definitions.size()); ++d) {
      // Updates only where vectors divide the extent: they must not touch an element twice.
      const int64_t full = machine_.vector_bytes / SizeOf(stage.dtype);
      if (d > 0 && (region.empty() || region[0] % full != 0)) continue;
      const std::vector<std::string> vector_loops = Vectorise(stage, d, region, out);
      if (HasChoices()) Unroll(stage, region, vector_loops, values[1][0], out);
      if (d > 0) UnrollReduction(stage, d, vector_loops, out);
    }
    if (!loop) Parallelise(stage, region, out);
  }

 private:
  // Whether the values of its loops choose among expressions.
  bool HasChoices() const {
    return !dag_.stages[stage_index_].definitions[0].choosing_loops.empty();
  }

  int64_t PlainLocation(Outline outline) const {
    if (IsCopy(dag_, stage_index_) && decisions_[0].candidates[0][0] == kInlined &&
        !dag_.stages[stage_index_].name.ends_with("_pack"))
      return outline == Outline::kBlocks ? kMiddle : kInlined;
    // What comes after a stage with tiles stays with them.
    for (const Access& access : dag_.stages[stage_index_].definitions.back().reads)
      if (dag_.stages[access.stage].kind != StageKind::kInput)
        return outline == Outline::kApart ? kRoot : kOuter;
    const auto consumers = dag_.Consumers(stage_index_);
    const bool reduced = std::any_of(consumers.begin(), consumers.end(), [&](int c) {
      return dag_.stages[c].kind == StageKind::kReduction;
    });
    const bool inlines = decisions_[0].candidates[0][0] == kInlined;
    return inlines && !reduced ? kInlined : kRoot;
  }

  // Whether the loops that choose among expressions run in full inside the loop: unrolled then,
  // they choose nothing at run time.
  bool CoversChoices(const LoopOf& loop, Expansion* out) const {
    const Stage& stage = dag_.stages[stage_index_];
    const std::vector<int>& choosing = stage.definitions[0].choosing_loops;
    if (choosing.empty()) return true;
    Directive place = LoopDirective(DirectiveKind::kComputeAt, stage.name, 0, loop.loop);
    place.at = dag_.stages[loop.stage].name;
    const auto placed = out->nest.Placed(stage_index_, place);
    return placed && std::all_of(choosing.begin(), choosing.end(), [&](int d) {
             return placed->region[static_cast<size_t>(d)] == stage.dims[d].extent;
           });
  }

  // Where an inlined stage is evaluated.
  std::vector<LoopOf> PathOfReaders(const Expansion& out) const {
    const auto innermost = ResolveLocation(kInnermost, roles_, stage_index_, out);
    std::vector<LoopOf> path;
    if (!innermost) return path;
    for (const LoopOf& around : out.placed[innermost->stage].path) {
      path.push_back(around);
      if (around == *innermost) break;
    }
    return path;
  }

  // Vectorises the innermost dimension; its loops then, innermost first.
  std::vector<std::string> Vectorise(const Stage& stage, int definition,
                                     const std::vector<int64_t>& region, Expansion* out) const {
    if (region.empty()) return {};
    const std::string& x = stage.dims[0].name;
    if (region[0] < 2) return {x};
    const int64_t full = machine_.vector_bytes / SizeOf(stage.dtype);
    for (int64_t lanes : {full, full / 2, full / 4}) {
      if (lanes < 2 || region[0] % lanes != 0) continue;
      std::string loop = x;
      if (region[0] > lanes) {
        out->directives.push_back(
            SplitOf(stage.name, definition, x, x + "_o", x + "_v", lanes, Tail::kAuto));
        loop = x + "_v";
      }
      out->directives.push_back(
          LoopDirective(DirectiveKind::kVectorize, stage.name, definition, loop));
      if (loop == x) return {x};
      return {loop, x + "_o"};
    }
    if (region[0] <= full) {
      out->directives.push_back(
          LoopDirective(DirectiveKind::kVectorize, stage.name, definition, x));
      return {x};
    }
    const int64_t lanes = region[0] < 4 * full ? full / 2 : full;
    out->directives.push_back(
        SplitOf(stage.name, definition, x, x + "_o", x + "_v", lanes, Tail::kShiftInwards));
    out->directives.push_back(
        LoopDirective(DirectiveKind::kVectorize, stage.name, definition, x + "_v"));
    return {x + "_v", x + "_o"};
  }

  // Loops that choose among expressions are unrolled inside the others, and then further
  // dimensions, innermost first, as long as the body has no more than `most` vectors.
  void Unroll(const Stage& stage, const std::vector<int64_t>& region,
              const std::vector<std::string>& vector_loops, int64_t most, Expansion* out) const {
    const std::vector<int>& choosing = stage.definitions[0].choosing_loops;
    std::vector<std::string> unrolled, others;
    int64_t body = 1;
    for (int d : choosing) body *= region[d];
    for (int d : choosing) unrolled.push_back(stage.dims[d].name);
    for (size_t d = 1; d < region.size(); ++d) {
      if (std::find(choosing.begin(), choosing.end(), static_cast<int>(d)) != choosing.end())
        continue;
      if (others.empty() && region[d] > 1 && body * region[d] <= most) {
        body *= region[d];
        unrolled.push_back(stage.dims[d].name);
      } else if (region[d] > 1) {
        others.push_back(stage.dims[d].name);
      }
    }
    Directive order;
    order.kind = DirectiveKind::kReorder;
    order.stage = stage.name;
    order.names = {vector_loops[0]};
    order.names.insert(order.names.end(), unrolled.begin(), unrolled.end());
    order.names.insert(order.names.end(), vector_loops.begin() + 1, vector_loops.end());
    order.names.insert(order.names.end(), others.begin(), others.end());
    if (order.names.size() > 1) out->directives.push_back(order);
    for (const std::string& loop : unrolled)
      out->directives.push_back(LoopDirective(DirectiveKind::kUnroll, stage.name, 0, loop));
  }

  // A short reduction in full: its sum stays in a register, and reads across rows become transposes
  // (codegen/transpose_loads.h).
  static void UnrollReduction(const Stage& stage, int definition,
                              const std::vector<std::string>& vector_loops, Expansion* out) {
    constexpr int64_t kMostUnrolled = 16;
    const std::vector<Loop>& loops = stage.definitions[definition].loops;
    Directive order;
    order.kind = DirectiveKind::kReorder;
    order.stage = stage.name;
    order.definition = definition;
    order.names = {vector_loops[0]};
    int64_t depth = 1;
    for (const Loop& loop : loops) {
      if (!loop.reduction) continue;
      depth *= loop.extent;
      order.names.push_back(loop.name);
    }
    if (depth < 2 || depth > kMostUnrolled) return;
    const std::vector<std::string> reductions(order.names.begin() + 1, order.names.end());
    order.names.insert(order.names.end(), vector_loops.begin() + 1, vector_loops.end());
    if (order.names.size() > 1) out->directives.push_back(order);
    for (const std::string& loop : reductions)
      out->directives.push_back(
          LoopDirective(DirectiveKind::kUnroll, stage.name, definition, loop));
  }

  // The outermost dimension longer than one, in parallel, where there is enough to do.
  void Parallelise(const Stage& stage, const std::vector<int64_t>& region, Expansion* out) const {
    double work = 1;
    for (const Loop& loop : stage.definitions.back().loops)
      work *= static_cast<double>(loop.extent);
    if (machine_.threads < 2 || work < 65536) return;
    const std::vector<int>& choosing = stage.definitions[0].choosing_loops;
    for (size_t d = region.size(); d-- > 1;) {
      if (region[d] < machine_.threads) continue;
      if (std::find(choosing.begin(), choosing.end(), static_cast<int>(d)) != choosing.end())
        continue;
      for (int definition = 0; definition < static_cast<int>(stage.definitions.size());
           ++definition)
        out->directives.push_back(
            LoopDirective(DirectiveKind::kParallel, stage.name, definition, stage.dims[d].name));
      return;
    }
  }

  const Dag& dag_;
  const Roles roles_;
  const int stage_index_;
  const MachineModel machine_;
  std::vector<DecisionSpec> decisions_;
  bool depends_on_start_ = false;
};

}  // namespace

std::unique_ptr<SketchStep> MakeLocationStep(const Dag& dag, const Roles& roles, int stage,
                                             const MachineModel& machine) {
  return std::make_unique<LocationStep>(dag, roles, stage, machine);
}

}  // namespace whet
