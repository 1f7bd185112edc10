// A long reduction in blocks (K blocking; K. Goto, R. van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication", 2008): the sums of a tile are stored, and for each block of the reduction
// all register tiles of it add what the block contributes. The operands of one block stay in a
// cache while the tile is walked through.
//
// The algorithm has the block's sums as stages of their own (Rfactor): `matmul` adds up
// `matmul_part`, which accumulates in the register tiles of matmul's update.
#include <algorithm>

#include "schedules/rules/location.h"
#include "schedules/rules/moving_needs.h"
#include "schedules/rules/tile_group.h"

namespace whet {
namespace {

constexpr size_t kMostTiled = 3;

class BlockedSumStep : public SketchStep {
 public:
  BlockedSumStep(const Dag& dag, const Roles& roles, int stage, const MachineModel& machine)
      : group_(dag, roles, stage, kMostTiled, machine),
        roles_(roles),
        depends_on_start_(NeedDependsOnStart(dag, stage)) {
    const std::string& s = group_.owner().name;
    decisions_ = {
        {"locate." + s, "location", {{kOuter}, {kRoot}, {kMiddle}, {kOutermost}}},
        {"register." + s, "register", group_.RegisterTiles()},
        {"order." + s, "order", Permutations(group_.tiled().size())},
        {"order.reduction." + s, "order", Permutations(group_.reductions())},
        {"unroll." + s, "unroll", {{1}, {2}, {3}, {4}, {8}, {16}}},
    };
  }

  std::string name() const override { return "blocks(" + group_.name() + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> PlainValues(Outline outline) const override {
    return {{outline == Outline::kApart ? kRoot : kOuter},
            group_.PlainRegisterTile(decisions_[1].candidates, -1),
            decisions_[2].candidates.front(),
            decisions_[3].candidates.front(),
            {2}};
  }

  void Expand(DecisionValues values, Expansion* out) const override {
    const int stage = group_.owner_index();
    auto loop = ResolveLocation(values[0][0], roles_, stage, *out);
    if (loop && depends_on_start_ && !NeedIsBounded(stage, *loop, out)) loop.reset();
    const std::vector<int64_t> region = PlaceStage(stage, loop, false, out).extents;
    if (region.empty()) return;
    RegisterTile tile = group_.Read(values[1]);
    Fit(region, &tile);
    ExpandStart(tile, region, out);
    ExpandSum(tile, region, values[2], !loop, out);
    PlacedStage& placed = out->placed[stage];
    for (const auto* loops : {&placed.outer_loops, &placed.mid_loops})
      for (const std::string& own : *loops) placed.path.push_back({stage, own});
    placed.register_width = tile.vector_dim == 0 ? tile.size[0] : 1;
    group_.PlaceAccumulator(tile, {values[3], values[4][0]}, placed.path.back(), out);
  }

 private:
  // An element must not be added to twice: tiles that divide the region.
  static void Fit(const std::vector<int64_t>& region, RegisterTile* tile) {
    for (size_t d = 0; d < region.size(); ++d) {
      int64_t step = 1;
      if (static_cast<int>(d) == tile->vector_dim) {
        while (region[d] % tile->lanes != 0) --tile->lanes;
        step = tile->lanes;
      }
      int64_t& size = tile->size[d];
      size = std::max(step, std::min(size, region[d]) / step * step);
      while (region[d] % size != 0) size -= step;
    }
  }

  void ExpandStart(const RegisterTile& tile, const std::vector<int64_t>& region,
                   Expansion* out) const {
    const std::string& s = group_.owner().name;
    std::string v = group_.owner().dims[tile.vector_dim].name;
    if (tile.lanes < 2) return;
    if (tile.lanes < region[tile.vector_dim]) {
      out->directives.push_back(SplitOf(s, 0, v, v + "_o", v + "_v", tile.lanes, Tail::kAuto));
      v += "_v";
    }
    out->directives.push_back(LoopDirective(DirectiveKind::kVectorize, s, 0, v));
  }

  void ExpandSum(const RegisterTile& tile, const std::vector<int64_t>& region,
                 const std::vector<int64_t>& mid_order, bool at_root, Expansion* out) const {
    const Stage& owner = group_.owner();
    std::vector<Directive>& ds = out->directives;
    PlacedStage& placed = out->placed[group_.owner_index()];
    const std::vector<int>& tiled = group_.tiled();
    std::vector<std::string> mid(tiled.size()), vectors, rest;
    std::vector<Directive> marks;
    for (size_t t = 0; t < tiled.size(); ++t) {
      const int d = tiled[t];
      const std::string& x = owner.dims[d].name;
      std::string current = x;
      if (tile.size[d] < region[d]) {
        mid[t] = x + "_m";
        current = x + "_r";
        ds.push_back(SplitOf(owner.name, 1, x, mid[t], current, tile.size[d], Tail::kAuto));
      }
      group_.SplitRegister(tile, d, current, &ds, &marks, &vectors, &rest);
    }
    Directive order = LoopDirective(DirectiveKind::kReorder, owner.name, 1, "");
    order.names = vectors;
    order.names.insert(order.names.end(), rest.begin(), rest.end());
    for (int64_t t : mid_order)
      if (!mid[t].empty()) order.names.push_back(mid[t]), placed.mid_loops.push_back(mid[t]);
    for (size_t d = tiled.size(); d < group_.dims().size(); ++d) {
      order.names.push_back(owner.dims[group_.dims()[d]].name);
      placed.mid_loops.push_back(order.names.back());
    }
    const std::string& blocks = owner.definitions.back().loops.back().name;
    order.names.push_back(blocks);
    std::reverse(placed.mid_loops.begin(), placed.mid_loops.end());
    ds.push_back(order);
    ds.insert(ds.end(), marks.begin(), marks.end());
    placed.outer_loops = {blocks};
    if (at_root && group_.machine().threads > 1)
      Parallelise(owner.name, 1, 1, &placed.mid_loops, &ds);
  }

  const TileGroup group_;
  const Roles roles_;
  const bool depends_on_start_;
  std::vector<DecisionSpec> decisions_;
};

}  // namespace

std::unique_ptr<SketchStep> MakeBlockedSumStep(const Dag& dag, const Roles& roles, int stage,
                                               const MachineModel& machine) {
  return std::make_unique<BlockedSumStep>(dag, roles, stage, machine);
}

std::vector<std::pair<std::string, Rfactor>> BlockedSumsOf(const Dag& dag, const Roles& roles,
                                                           const MachineModel& machine) {
  std::vector<std::pair<std::string, Rfactor>> found;
  const int s = roles.accumulator_of[roles.owner];
  if (s < 0 || !dag.stages[s].combines || dag.stages[s].dims.empty()) return found;
  const Stage& stage = dag.stages[s];
  const Definition& update = stage.definitions.back();
  const Loop& longest =
      *std::max_element(update.loops.begin(), update.loops.end(), [](const Loop& a, const Loop& b) {
        return std::make_pair(a.reduction, a.extent) < std::make_pair(b.reduction, b.extent);
      });
  int64_t depth = 1, positions = 1;
  for (const Loop& loop : update.loops) (loop.reduction ? depth : positions) *= loop.extent;
  // Worth it where two vectors of every step fill half of the second-level cache, and several
  // register tiles use them. Then blocks that fill half of the first level.
  const int64_t step = 2 * machine.vector_bytes, width = step / SizeOf(stage.dtype);
  if (depth * step * 2 < machine.l2_bytes || positions < 8 * width) return found;
  const int64_t inner = depth / longest.extent;  // steps of the other loops

  int64_t factor = std::max<int64_t>(1, machine.l1_bytes / 2 / step / inner);
  while (factor > 1 && longest.extent % factor != 0) --factor;
  if (factor * inner < 32) return found;
  found.emplace_back(
      stage.name, Rfactor{longest.name, longest.name + "_b", longest.name + "_e", factor, false});
  return found;
}

void AssignBlockedSum(const Dag& dag, const std::string& stage, Roles* roles) {
  const int sum = dag.Find(stage), part = dag.Find(stage + "_part"),
            parts = dag.Find(stage + "_parts");
  for (int& accumulator : roles->accumulator_of)
    if (accumulator == sum || accumulator == part) accumulator = -1;
  roles->of_stage[sum] = StageRole::kLocated;
  roles->of_stage[part] = StageRole::kAccumulator;
  roles->of_stage[parts] = StageRole::kInline;
  roles->accumulator_of[sum] = part;
}

}  // namespace whet
