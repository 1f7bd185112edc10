// Where a stored stage is computed: inline, at root, or at a loop of the tile owner; and its own
// loops there.
#include <algorithm>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

enum Location : int64_t { kInlined = 0, kRoot = 1, kOuter = 2, kMiddle = 3 };

class LocationStep : public SketchStep {
 public:
  LocationStep(const Dag& dag, const Roles& roles, int stage, const MachineModel& machine)
      : dag_(dag), stage_index_(stage), machine_(machine) {
    const Stage& s = dag.stages[stage];
    std::vector<std::vector<int64_t>> candidates;
    if (s.kind == StageKind::kPure) candidates.push_back({kInlined});
    candidates.push_back({kRoot});
    // Inside the owner's loops only where no stage between them is computed at root.
    bool owner_reads = true;
    for (int c : dag.Consumers(stage))
      owner_reads &= c == roles.owner || roles.of_stage[c] == StageRole::kAccumulator ||
                     roles.of_stage[c] == StageRole::kInline;
    if (owner_reads) {
      candidates.push_back({kOuter});
      candidates.push_back({kMiddle});
    }
    decisions_.push_back({"locate." + s.name, "location", std::move(candidates)});
    divided_ = FindDividedLoops();
  }

  std::string name() const override { return "locate(" + dag_.stages[stage_index_].name + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> DefaultValues() const override { return {{kRoot}}; }

  void Expand(DecisionValues values, Expansion* out) const override {
    const Stage& stage = dag_.stages[stage_index_];
    std::string loop;
    switch (values[0][0]) {
      case kInlined:
        return;
      case kOuter:
        loop = out->outer_loops.empty() ? "" : out->outer_loops.back();
        break;
      case kMiddle:
        loop = out->mid_loops.empty() ? "" : out->mid_loops.front();
        break;
      default:
        break;
    }
    if (!loop.empty() && !divided_.empty() && !IsAligned(loop, *out)) loop.clear();
    Directive place;
    place.stage = stage.name;
    place.kind = loop.empty() ? DirectiveKind::kComputeRoot : DirectiveKind::kComputeAt;
    if (!loop.empty()) place.at = out->owner, place.loop = loop;
    out->directives.push_back(place);
    const std::vector<int64_t> region = RegionOf(loop, *out);
    if (region.empty() && !stage.dims.empty()) return;
    if (!loop.empty()) {
      for (size_t d = 0; d < region.size(); ++d)
        if (stage.dims[d].extent > 1)
          out->directives.push_back(BoundExtent(stage.name, stage.dims[d].name, region[d]));
    }
    for (int d = 0; d < static_cast<int>(stage.definitions.size()); ++d) {
      if (d == 0 || stage.kind == StageKind::kPure) Vectorise(stage, d, region, out);
    }
    if (loop.empty()) Parallelise(stage, region, out);
  }

 private:
  // A loop of the consumer whose index is divided on the way to this stage: into panels (x / 16, x
  // % 16) or into groups of channels (c / 6).
  struct DividedLoop {
    size_t loop;
    int64_t extent, by;
    bool modulo;
  };

  std::vector<DividedLoop> FindDividedLoops() const {
    std::vector<DividedLoop> found;
    for (const Stage& reader : dag_.stages)
      for (const Definition& definition : reader.definitions)
        for (const Access& access : definition.reads)
          if (access.stage == stage_index_)
            AddDividedLoops(definition, access, reader.dims.size(), &found);
    return found;
  }

  static void AddDividedLoops(const Definition& definition, const Access& access, size_t pure_loops,
                              std::vector<DividedLoop>* found) {
    for (const IndexExpr& index : access.index) {
      for (const IndexExpr::Node& node : index.nodes) {
        if (node.op != IndexExpr::Op::kMod && node.op != IndexExpr::Op::kFloorDiv) continue;
        for (size_t l = 0; l < pure_loops; ++l) {
          if (index.Uses(static_cast<int>(l)))
            found->push_back(
                {l, definition.loops[l].extent, node.value, node.op == IndexExpr::Op::kMod});
        }
      }
    }
  }

  // Whether tiles begin and end where the divisions do. A tile that lies across them needs more
  // than its width says, and then the region that is promised to Halide would be too small.
  bool IsAligned(const std::string& loop, const Expansion& out) const {
    const auto nest = BuildLoopNest(dag_, out.directives);
    const int owner = dag_.Find(out.owner);
    if (!nest || owner < 0 || nest->nest_of[owner] < 0) return false;
    const std::vector<NestLoop>& loops =
        nest->stages[nest->nest_of[owner]].definitions.back().loops;
    const auto at =
        std::find_if(loops.begin(), loops.end(), [&](const NestLoop& l) { return l.name == loop; });
    return at != loops.end() &&
           std::all_of(divided_.begin(), divided_.end(), [&](const DividedLoop& divided) {
             const int64_t tile = divided.loop < at->tile.size() ? at->tile[divided.loop] : 1;
             if (tile >= divided.extent) return true;
             if (tile % divided.by == 0) return divided.extent % divided.by == 0;
             return !divided.modulo && divided.by % tile == 0 && divided.extent % tile == 0;
           });
  }

  // Extents computed at a time: all of them at root; inside a loop, what the nest of the directives
  // so far infers. Empty where there is no such nest.
  std::vector<int64_t> RegionOf(const std::string& loop, const Expansion& out) const {
    std::vector<int64_t> region;
    if (loop.empty()) {
      for (const Loop& dim : dag_.stages[stage_index_].dims) region.push_back(dim.extent);
      return region;
    }
    return RegionOfStage(dag_, out.directives, stage_index_).value_or(std::vector<int64_t>{});
  }

  void Vectorise(const Stage& stage, int definition, const std::vector<int64_t>& region,
                 Expansion* out) const {
    if (region.empty() || region[0] < 2) return;
    const std::string& x = stage.dims[0].name;
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
      return;
    }
    if (region[0] <= full) {
      out->directives.push_back(
          LoopDirective(DirectiveKind::kVectorize, stage.name, definition, x));
      return;
    }
    out->directives.push_back(
        SplitOf(stage.name, definition, x, x + "_o", x + "_v", full / 2, Tail::kShiftInwards));
    out->directives.push_back(
        LoopDirective(DirectiveKind::kVectorize, stage.name, definition, x + "_v"));
  }

  // The outermost dimension longer than one, in parallel, where there is enough to do.
  void Parallelise(const Stage& stage, const std::vector<int64_t>& region, Expansion* out) const {
    double work = 1;
    for (const Loop& loop : stage.definitions.back().loops)
      work *= static_cast<double>(loop.extent);
    if (machine_.threads < 2 || work < 65536) return;
    for (size_t d = region.size(); d-- > 1;) {
      if (region[d] < machine_.threads) continue;
      for (int definition = 0; definition < static_cast<int>(stage.definitions.size());
           ++definition)
        out->directives.push_back(
            LoopDirective(DirectiveKind::kParallel, stage.name, definition, stage.dims[d].name));
      return;
    }
  }

  const Dag& dag_;
  const int stage_index_;
  const MachineModel machine_;
  std::vector<DecisionSpec> decisions_;
  std::vector<DividedLoop> divided_;
};

}  // namespace

std::unique_ptr<SketchStep> MakeLocationStep(const Dag& dag, const Roles& roles, int stage,
                                             const MachineModel& machine) {
  return std::make_unique<LocationStep>(dag, roles, stage, machine);
}

}  // namespace whet
