// Multi-level tiling of the output, with a register tile.
//
// Each dimension d of the owner is cut twice: d = d_o (tiles) x d_m (register tiles of a tile) x
// register tile. Loops from the outermost in: the d_o in a searched order, the first of them fused
// and parallel; the d_m in a searched order; then the register tile, vectorised along one dimension
// and unrolled along the others. The accumulator, if there is a reduction to accumulate, is
// computed per register tile: its reduction loops run outside the unrolled register tile, so that
// sums live in registers while operands stream.
#include <algorithm>

#include "schedules/rules/tile_group.h"

namespace whet {
namespace {

class TilingStep : public SketchStep {
 public:
  TilingStep(const Dag& dag, const Roles& roles, const MachineModel& machine)
      : group_(dag, roles, roles.owner, 4, machine), owner_(group_.owner()) {
    Declare();
  }

  std::string name() const override { return "tile(" + group_.name() + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }

  std::vector<std::vector<int64_t>> PlainValues(Outline outline) const override {
    if (group_.dims().empty()) return {};
    if (outline == Outline::kRows && group_.TransposedPosition() > 0) return PlainTranspose();
    const std::vector<int>& tiled = group_.tiled();
    const size_t orders = 1 + tiled.size();
    const size_t cut = outline == Outline::kChannels ? 0 : tiled.size() - 1;
    std::vector<std::vector<int64_t>> values = {
        group_.PlainRegisterTile(decisions_[0].candidates, static_cast<int>(cut))};
    // Rows: whole ones as tiles, the dimensions outside them one by one.
    for (size_t t = 0; t < tiled.size(); ++t) values.push_back({t < 2 && tiled.size() > 2 ? 0 : 1});
    if (tiled.size() == 2) values[1] = {0};
    if (tiled.size() == 1) {
      // A single row: a part of it for each thread, in as few pieces as can be.
      const int64_t steps = CeilDiv(Extent(tiled[0]), values[0][2]);
      for (const auto& candidate : decisions_[1].candidates)
        if (candidate[0] > 0 && candidate[0] <= CeilDiv(steps, group_.machine().threads))
          values[1] = candidate;
    }
    const auto& orders_outer = decisions_[orders].candidates;
    values.push_back(orders_outer.front());
    // The first dimension outside the others: its panel of the packed operand stays in a cache.
    values.push_back(OrderWithLast(decisions_[orders + 1].candidates, 0));
    if (outline != Outline::kRows) {
      // Blocks: the outermost dimension, or the first, in as many as there are threads.
      for (size_t t = 0; t < tiled.size(); ++t) values[1 + t] = {0};
      const int64_t steps = CeilDiv(Extent(tiled[cut]), values[0][2 + cut]);
      for (const auto& candidate : decisions_[1 + cut].candidates)
        if (candidate[0] <= CeilDiv(steps, group_.machine().threads) &&
            candidate[0] > values[1 + cut][0])
          values[1 + cut] = candidate;
      if (outline == Outline::kChannels) values[orders] = OrderWithLast(orders_outer, 0);
    }
    if (outline == Outline::kSliding) MakeRows(&values);
    values.push_back({WorthThreads() ? 1 : 0});
    if (group_.accumulator()) {
      // Channels innermost: neighbours in memory.
      const auto& reductions = decisions_[orders + 3].candidates;
      const auto last = static_cast<int64_t>(group_.reductions()) - 1;
      values.push_back(*std::find_if(reductions.begin(), reductions.end(), [&](const auto& order) {
        return order.empty() || order.front() == last;
      }));
      values.push_back({2});
    }
    if (PadsSomewhere(group_.dag())) values.push_back({1});
    return values;
  }

  void Expand(DecisionValues values, Expansion* out) const override {
    if (group_.dims().empty()) {
      if (group_.accumulator()) group_.PlaceAccumulator({0, 1, {}}, {}, std::nullopt, out);
      return;
    }
    const Choice choice = Read(values);
    ExpandOwner(choice, out);
    PlacedStage& placed = out->placed[group_.owner_index()];
    for (const auto* loops : {&placed.outer_loops, &placed.mid_loops})
      for (const std::string& loop : *loops) placed.path.push_back({group_.owner_index(), loop});
    placed.register_width = choice.reg.vector_dim == 0 ? choice.reg.size[0] : 1;
    placed.alignment = group_.alignment();
    if (!group_.accumulator()) return;
    const auto at = placed.path.empty() ? std::nullopt : std::optional(placed.path.back());
    group_.PlaceAccumulator(choice.reg, choice.accumulation, at, out);
  }

 private:
  struct Choice {
    RegisterTile reg;
    std::vector<int64_t> tile;                    // by dimension
    std::vector<int64_t> outer_order, mid_order;  // innermost first
    int64_t parallel = 0;
    bool partition = true;  // copies of loops for what happens at edges
    Accumulation accumulation;
  };

  int64_t Extent(int dim) const { return owner_.dims[dim].extent; }

  void Declare() {
    if (group_.dims().empty()) return;
    const std::vector<int>& tiled = group_.tiled();
    Add("register", "register", group_.RegisterTiles());
    for (int d : tiled) Add("tile." + owner_.dims[d].name, "tile", TileMultiples(Extent(d)));
    Add("order.outer", "order", Permutations(tiled.size()));
    Add("order.mid", "order", Permutations(tiled.size()));
    std::vector<std::vector<int64_t>> counts;
    for (size_t p = 0; p <= tiled.size(); ++p) counts.push_back({static_cast<int64_t>(p)});
    Add("parallel", "parallel",
        group_.machine().threads > 1 ? counts : std::vector<std::vector<int64_t>>{{0}});
    if (group_.accumulator()) {
      Add("order.reduction", "order", Permutations(group_.reductions()));
      Add("unroll", "unroll", {{1}, {2}, {3}, {4}, {8}, {16}});
    }
    if (PadsSomewhere(group_.dag())) Add("partition", "partition", {{1}, {0}});
  }

  // Whether what does not divide is shifted, not guarded: then a copy of the loops for the last
  // tile computes the same as they do, and takes a tenth of the compile.
  bool OnlyShifts() const {
    const std::vector<int>& tiled = group_.tiled();
    return std::none_of(tiled.begin(), tiled.end(), [&](int d) { return group_.IsCut(d); });
  }

  void Add(const std::string& name, const std::string& kind,
           std::vector<std::vector<int64_t>> candidates) {
    decisions_.push_back({name, kind, std::move(candidates)});
  }

  // Blocks of the output's rows, one vector wide, and in each all that the input has side by side:
  // whole cache lines of both are used while they are in the first-level cache. Square register
  // tiles of a power of two, which become transposes in registers (codegen/transpose_loads.h).
  std::vector<std::vector<int64_t>> PlainTranspose() const {
    const std::vector<int>& tiled = group_.tiled();
    const size_t across = group_.TransposedPosition(), orders = 1 + tiled.size();
    std::vector<int64_t> best = group_.PlainRegisterTile(decisions_[0].candidates, -1);
    int64_t most = 0;
    for (const auto& tile : decisions_[0].candidates) {
      if (tile[0] != 0 || tile[2] != tile[1]) continue;
      bool others = true;
      for (size_t t = 1; t < tiled.size(); ++t) others &= t == across || tile[2 + t] == 1;
      const int64_t rows = tile[2 + across];
      const int64_t size = tile[1] * ((rows & (rows - 1)) == 0 ? 2 * rows : rows);
      if (others && size > most) most = size, best = tile;
    }
    std::vector<std::vector<int64_t>> values = {best};
    for (size_t t = 0; t < tiled.size(); ++t) values.push_back({t == across ? 0 : 1});
    const int64_t wanted = 2 * group_.machine().threads;
    const int64_t blocks = CeilDiv(Extent(tiled[0]), best[2]);
    const int64_t steps = CeilDiv(Extent(tiled[across]), best[2 + across]);
    for (const auto& candidate : decisions_[1 + across].candidates)
      if (blocks < wanted && candidate[0] <= CeilDiv(steps, wanted)) values[1 + across] = candidate;
    values.push_back(decisions_[orders].candidates.front());
    values.push_back(decisions_[orders + 1].candidates.front());
    values.push_back({WorthThreads() ? (blocks < wanted ? 2 : 1) : 0});
    if (PadsSomewhere(group_.dag())) values.push_back({1});
    return values;
  }

  // A block's register tiles of one row each, row by row.
  void MakeRows(std::vector<std::vector<int64_t>>* values) const {
    const size_t last = group_.tiled().size() - 1, orders = 1 + group_.tiled().size();
    std::vector<std::vector<int64_t>> rows;
    for (const auto& tile : decisions_[0].candidates)
      if (tile[2 + last] == 1 && tile[0] != static_cast<int64_t>(last)) rows.push_back(tile);
    if (rows.empty()) return;
    (*values)[0] = group_.PlainRegisterTile(rows, -1);
    const int64_t block = CeilDiv(Extent(group_.tiled()[last]), group_.machine().threads);
    for (const auto& candidate : decisions_[1 + last].candidates)
      if (candidate[0] > (*values)[1 + last][0] && candidate[0] <= block)
        (*values)[1 + last] = candidate;
    (*values)[orders + 1] =
        OrderWithLast(decisions_[orders + 1].candidates, static_cast<int64_t>(last));
  }

  // How many register tiles a tile has along a dimension; 0: all of them.
  static std::vector<std::vector<int64_t>> TileMultiples(int64_t extent) {
    std::vector<std::vector<int64_t>> multiples = {{0}};
    for (int64_t m : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64})
      if (m < extent) multiples.push_back({m});
    return multiples;
  }

  // The first of the orders, all innermost first, that has `last` as its outermost loop.
  static std::vector<int64_t> OrderWithLast(const std::vector<std::vector<int64_t>>& orders,
                                            int64_t last) {
    for (const auto& order : orders)
      if (order.back() == last) return order;
    return orders.front();
  }

  bool WorthThreads() const {
    double points = 1;
    for (const Loop& loop :
         (group_.accumulator() ? *group_.accumulator() : owner_).definitions.back().loops)
      points *= static_cast<double>(loop.extent);
    return group_.machine().threads > 1 && points > 32768;
  }

  Choice Read(DecisionValues values) const {
    Choice choice;
    const std::vector<int>& tiled = group_.tiled();
    choice.reg = group_.Read(values[0]);
    choice.tile.assign(owner_.dims.size(), 1);
    for (size_t t = 0; t < tiled.size(); ++t) {
      const int d = tiled[t];
      // Tiles of equal size, so that the shifted last one wastes little.
      const int64_t steps = CeilDiv(Extent(d), choice.reg.size[d]);
      const int64_t wanted = values[1 + t][0] == 0 ? steps : std::min(values[1 + t][0], steps);
      int64_t balanced = CeilDiv(steps, CeilDiv(steps, wanted));
      while (group_.IsCut(d) && steps % balanced != 0) --balanced;
      choice.tile[d] = balanced * choice.reg.size[d];
      if (!group_.IsCut(d)) choice.tile[d] = std::min(Extent(d), choice.tile[d]);
    }
    size_t next = 1 + tiled.size();
    choice.outer_order = values[next++];
    choice.mid_order = values[next++];
    choice.parallel = values[next++][0];
    if (group_.accumulator()) {
      choice.accumulation.order = values[next++];
      choice.accumulation.unroll = values[next++][0];
    }
    choice.partition = PadsSomewhere(group_.dag()) ? values[next][0] == 1 : !OnlyShifts();
    return choice;
  }

  void ExpandOwner(const Choice& choice, Expansion* out) const {
    const std::string& s = owner_.name;
    std::vector<Directive>& ds = out->directives;
    PlacedStage& placed = out->placed[group_.owner_index()];
    const std::vector<int>& tiled = group_.tiled();
    std::vector<std::string> mid(tiled.size()), outer(tiled.size()), vectors, rest;
    std::vector<Directive> marks;
    for (size_t t = 0; t < tiled.size(); ++t) {
      const int d = tiled[t];
      const std::string& x = owner_.dims[d].name;
      std::string current = x;
      int64_t covered = Extent(d);
      const auto split = [&](const std::string& from, const std::string& outer_loop,
                             const std::string& inner_loop, int64_t factor) {
        // A tile shifted inwards would not start at a block where the last one is cut.
        ds.push_back(SplitOf(s, 0, from, outer_loop, inner_loop, factor,
                             group_.IsCut(d) ? Tail::kGuardWithIf : Tail::kShiftInwards));
        current = inner_loop;
        covered = factor;
      };
      if (choice.tile[d] < covered) {
        outer[t] = x + "_o";
        split(x, outer[t], x + "_t", choice.tile[d]);
      }
      if (choice.reg.size[d] != covered) {
        mid[t] = x + "_m";
        split(current, mid[t], x + "_r", choice.reg.size[d]);
      }
      group_.SplitRegister(choice.reg, d, current, &ds, &marks, &vectors, &rest);
    }
    Directive order;
    order.kind = DirectiveKind::kReorder;
    order.stage = s;
    order.names = vectors;
    order.names.insert(order.names.end(), rest.begin(), rest.end());
    for (int64_t t : choice.mid_order)
      if (!mid[t].empty()) order.names.push_back(mid[t]), placed.mid_loops.push_back(mid[t]);
    for (int64_t t : choice.outer_order)
      if (!outer[t].empty())
        order.names.push_back(outer[t]), placed.outer_loops.push_back(outer[t]);
    // Dimensions beyond the tiled ones stay outermost, as they are.
    for (size_t d = tiled.size(); d < group_.dims().size(); ++d) {
      order.names.push_back(owner_.dims[group_.dims()[d]].name);
      placed.outer_loops.push_back(owner_.dims[group_.dims()[d]].name);
    }
    std::reverse(placed.mid_loops.begin(), placed.mid_loops.end());
    std::reverse(placed.outer_loops.begin(), placed.outer_loops.end());
    if (order.names.size() > 1) ds.push_back(order);
    ds.insert(ds.end(), marks.begin(), marks.end());
    Parallelise(s, 0, choice.parallel, &placed.outer_loops, &ds);
    if (!choice.partition) NeverPartition(s, placed, &ds);
  }

  const TileGroup group_;
  const Stage& owner_;
  std::vector<DecisionSpec> decisions_;
};

}  // namespace

std::unique_ptr<SketchStep> MakeTilingStep(const Dag& dag, const Roles& roles,
                                           const MachineModel& machine) {
  return std::make_unique<TilingStep>(dag, roles, machine);
}

}  // namespace whet
