// A stage inside a task that a reduction accumulates into: where it is computed, and there, as the
// output has it, register tiles in a searched order with the accumulator in each.
#include <algorithm>

#include "schedules/rules/location.h"
#include "schedules/rules/moving_needs.h"
#include "schedules/rules/tile_group.h"

namespace whet {
namespace {

constexpr size_t kMostTiled = 3;

class LocatedTilesStep : public SketchStep {
 public:
  LocatedTilesStep(const Dag& dag, const Roles& roles, int stage, const MachineModel& machine)
      : group_(dag, roles, stage, kMostTiled, machine),
        roles_(roles),
        depends_on_start_(NeedDependsOnStart(dag, stage)) {
    const std::string& s = group_.owner().name;
    decisions_.push_back({"locate." + s, "location", LocationCandidates(dag, roles, stage)});
    defaults_.push_back({kOuter});
    if (group_.dims().empty()) return;
    decisions_.push_back({"register." + s, "register", group_.RegisterTiles()});
    defaults_.push_back(group_.PlainRegisterTile(decisions_.back().candidates, -1));
    decisions_.push_back({"order." + s, "order", Permutations(group_.tiled().size())});
    decisions_.push_back({"order.reduction." + s, "order", Permutations(group_.reductions())});
    decisions_.push_back({"unroll." + s, "unroll", {{1}, {2}, {3}, {4}, {8}, {16}}});
    for (size_t d = 2; d < 5; ++d) defaults_.push_back(decisions_[d].candidates.front());
    if (!MaySlide(dag, roles, stage)) return;
    decisions_.push_back({"slide." + s, "slide", {{0}, {1}}});
    defaults_.push_back({0});
  }

  std::string name() const override { return "tile(" + group_.name() + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> PlainValues(Outline outline) const override {
    std::vector<std::vector<int64_t>> values = defaults_;
    if (outline == Outline::kApart) values[0] = {kRoot};
    if (outline == Outline::kSliding) {
      values[0] = {kMiddle};
      if (values.size() > kSlide) values[kSlide] = {1};
    }
    // Of many tiles, all by one panel of the packed operand before the next panel.
    if (values.size() > 2 && outline != Outline::kRows) {
      for (const auto& order : decisions_[2].candidates)
        if (order.back() == 0) values[2] = order;
    }
    return values;
  }

  void Expand(DecisionValues values, Expansion* out) const override {
    const int stage = group_.owner_index();
    auto loop = ResolveLocation(values[0][0], roles_, stage, *out);
    if (loop && depends_on_start_ && !NeedIsBounded(stage, *loop, out)) loop.reset();
    const bool slide = values.size() > kSlide && values[kSlide][0] == 1;
    const PlacedRegion at = PlaceStage(stage, loop, slide, out);
    const std::vector<int64_t>& region = at.extents;
    if (group_.dims().empty()) return group_.PlaceAccumulator({0, 1, {}}, {}, loop, out);
    if (region.empty()) return;
    RegisterTile tile = group_.Read(values[1]);
    for (size_t d = 0; d < at.varies.size(); ++d) {
      if (!at.varies[d]) continue;
      tile.size[d] = 1;
      if (static_cast<int>(d) == tile.vector_dim) tile.lanes = 1;
    }
    Fit(region, &tile);
    const bool at_root = !loop;
    ExpandOwner(tile, at, values[2], at_root, out);
    PlacedStage& placed = out->placed[stage];
    for (const auto* loops : {&placed.outer_loops, &placed.mid_loops})
      for (const std::string& own : *loops) placed.path.push_back({stage, own});
    placed.register_width = tile.vector_dim == 0 ? tile.size[0] : 1;
    group_.PlaceAccumulator(tile, {values[3], values[4][0]},
                            placed.path.empty() ? std::nullopt : std::optional(placed.path.back()),
                            out);
  }

 private:
  static constexpr size_t kSlide = 5;  // its place among the decisions

  // The tile within the region that is computed at a time: whole vectors, and steps of equal size.
  static void Fit(const std::vector<int64_t>& region, RegisterTile* tile) {
    for (size_t d = 0; d < region.size(); ++d) {
      int64_t& size = tile->size[d];
      if (static_cast<int>(d) == tile->vector_dim) {
        while (tile->lanes > 1 && tile->lanes > region[d]) tile->lanes /= 2;
        size = std::max(tile->lanes, std::min(size, region[d]) / tile->lanes * tile->lanes);
        while (size > tile->lanes && region[d] % size != 0) size -= tile->lanes;
        if (size > region[d]) size = tile->lanes = region[d];
      } else {
        size = std::min(size, region[d]);
        size = CeilDiv(region[d], CeilDiv(region[d], size));
      }
    }
  }

  void ExpandOwner(const RegisterTile& tile, const PlacedRegion& at,
                   const std::vector<int64_t>& mid_order, bool at_root, Expansion* out) const {
    const std::vector<int64_t>& region = at.extents;
    const auto varies = [&](int d) { return !at.varies.empty() && at.varies[d]; };
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
      if (varies(d)) {  // its tiles are single elements: the loop over them
        mid[t] = x;
        continue;
      }
      if (tile.size[d] < region[d]) {
        ds.push_back(
            SplitOf(owner.name, 0, x, x + "_m", x + "_r", tile.size[d], Tail::kShiftInwards));
        mid[t] = x + "_m";
        current = x + "_r";
      }
      group_.SplitRegister(tile, d, current, &ds, &marks, &vectors, &rest);
    }
    Directive order;
    order.kind = DirectiveKind::kReorder;
    order.stage = owner.name;
    order.names = vectors;
    order.names.insert(order.names.end(), rest.begin(), rest.end());
    for (int64_t t : mid_order)
      if (!mid[t].empty()) order.names.push_back(mid[t]), placed.mid_loops.push_back(mid[t]);
    for (size_t d = tiled.size(); d < group_.dims().size(); ++d) {
      const int dim = group_.dims()[d];
      order.names.push_back(owner.dims[dim].name);
      if (region[dim] > 1 || varies(dim)) placed.outer_loops.push_back(owner.dims[dim].name);
    }
    std::reverse(placed.mid_loops.begin(), placed.mid_loops.end());
    std::reverse(placed.outer_loops.begin(), placed.outer_loops.end());
    if (order.names.size() > 1) ds.push_back(order);
    ds.insert(ds.end(), marks.begin(), marks.end());
    if (at_root && group_.machine().threads > 1 && WorthThreads()) {
      std::vector<std::string>& loops =
          placed.outer_loops.empty() ? placed.mid_loops : placed.outer_loops;
      Parallelise(owner.name, 0, BalancedLoops(loops, tile, region), &loops, &ds);
    }
    if (!PadsSomewhere(group_.dag())) NeverPartition(owner.name, placed, &ds);
  }

  bool WorthThreads() const {
    double points = 1;
    const Stage& stage = group_.accumulator() ? *group_.accumulator() : group_.owner();
    for (const Loop& loop : stage.definitions.back().loops)
      points *= static_cast<double>(loop.extent);
    return points > 16384;
  }

  // How many of `loops`, outermost first, together have iterations that the threads share evenly.
  int64_t BalancedLoops(const std::vector<std::string>& loops, const RegisterTile& tile,
                        const std::vector<int64_t>& region) const {
    const int64_t threads = group_.machine().threads;
    int64_t count = 0, iterations = 1;
    for (const std::string& loop : loops) {
      for (int d : group_.dims()) {
        const std::string& x = group_.owner().dims[d].name;
        if (loop == x) iterations *= region[d];
        if (loop == x + "_m") iterations *= CeilDiv(region[d], tile.size[d]);
      }
      ++count;
      const int64_t rounds = CeilDiv(iterations, threads);
      if (10 * iterations >= 9 * rounds * threads) break;
    }
    return count;
  }

  const TileGroup group_;
  const Roles roles_;
  const bool depends_on_start_;
  std::vector<DecisionSpec> decisions_;
  std::vector<std::vector<int64_t>> defaults_;
};

}  // namespace

std::unique_ptr<SketchStep> MakeLocatedTilesStep(const Dag& dag, const Roles& roles, int stage,
                                                 const MachineModel& machine) {
  return std::make_unique<LocatedTilesStep>(dag, roles, stage, machine);
}

}  // namespace whet
