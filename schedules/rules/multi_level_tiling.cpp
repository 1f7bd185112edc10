// Multi-level tiling with a register tile.
//
// Each dimension d of the owner is cut twice: d = d_o (tiles) x d_m (register tiles of a tile) x
// register tile. Loops from the outermost in: the d_o in a searched order, the first of them fused
// and parallel; the d_m in a searched order; then the register tile, vectorised along one dimension
// and unrolled along the others. The accumulator, if there is a reduction to accumulate, is
// computed per register tile: its reduction loops run outside the unrolled register tile, so that
// sums live in registers while operands stream.
#include <algorithm>
#include <numeric>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

// Vector operations of an unrolled body, at most: longer ones gain nothing and compile slowly (28
// accumulators unrolled 16 times took 450 ms, twice 160 ms, at the same speed). With 32, a depthwise
// 5x5 convolution lost half of its speed.
constexpr int64_t kMostUnrolled = 64;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

std::vector<std::vector<int64_t>> Permutations(size_t n) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<int64_t>> all;
  do {
    all.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

class TilingStep : public SketchStep {
 public:
  TilingStep(const Dag& dag, const Roles& roles, const MachineModel& machine)
      : owner_(dag.stages[roles.owner]),
        accumulator_(roles.accumulator < 0 ? nullptr : &dag.stages[roles.accumulator]),
        machine_(machine) {
    for (size_t d = 0; d < owner_.dims.size(); ++d)
      if (owner_.dims[d].extent > 1) dims_.push_back(static_cast<int>(d));
    if (dims_.size() > 4)
      tiled_.assign(dims_.begin(), dims_.begin() + 4);
    else
      tiled_ = dims_;
    Declare();
  }

  std::string name() const override {
    return accumulator_ ? "tile(" + owner_.name + "<" + accumulator_->name + ")"
                        : "tile(" + owner_.name + ")";
  }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> DefaultValues() const override { return defaults_; }

  void Expand(DecisionValues values, Expansion* out) const override {
    out->owner = owner_.name;
    if (dims_.empty()) {
      if (accumulator_) out->directives.push_back(RootOf(accumulator_->name));
      return;
    }
    const Choice choice = Read(values);
    ExpandOwner(choice, out);
    if (accumulator_) ExpandAccumulator(choice, out);
  }

 private:
  // A register tile: which dimension is vectorised, by how many lanes, and elements a dimension.
  struct Choice {
    int vector_dim = 0;
    int64_t lanes = 1;
    std::vector<int64_t> reg, tile;               // by dimension
    std::vector<int64_t> outer_order, mid_order;  // permutations of tiled_, innermost first
    int64_t parallel = 0;
    std::vector<int64_t> reduction_order;  // innermost first
    int64_t unroll = 1;
  };

  static Directive RootOf(const std::string& stage) {
    Directive d;
    d.kind = DirectiveKind::kComputeRoot;
    d.stage = stage;
    return d;
  }

  int64_t Extent(int dim) const { return owner_.dims[dim].extent; }

  void Declare() {
    if (dims_.empty()) return;
    Add("register", "register", RegisterTiles());
    for (int d : tiled_) Add("tile." + owner_.dims[d].name, "tile", TileMultiples(Extent(d)));
    Add("order.outer", "order", Permutations(tiled_.size()));
    Add("order.mid", "order", Permutations(tiled_.size()));
    std::vector<std::vector<int64_t>> counts;
    for (size_t p = 0; p <= tiled_.size(); ++p) counts.push_back({static_cast<int64_t>(p)});
    Add("parallel", "parallel",
        machine_.threads > 1 ? counts : std::vector<std::vector<int64_t>>{{0}});
    if (accumulator_) {
      const size_t reductions = accumulator_->definitions.back().loops.size() - owner_.dims.size();
      Add("order.reduction", "order", Permutations(reductions));
      Add("unroll", "unroll", {{1}, {2}, {3}, {4}, {8}, {16}});
    }
    SetDefaults();
  }

  void Add(const std::string& name, const std::string& kind,
           std::vector<std::vector<int64_t>> candidates) {
    decisions_.push_back({name, kind, std::move(candidates)});
  }

  // [vector dimension, lanes, extent of each of tiled_]: all that fit the registers and do not
  // waste much.
  std::vector<std::vector<int64_t>> RegisterTiles() const {
    std::vector<std::vector<int64_t>> tiles;
    // One accumulator a vector; an operand vector, a broadcast and a spare register beside them.
    const int64_t budget = accumulator_ ? machine_.vector_registers - 3 : 8;
    const size_t vector_choices =
        accumulator_ && Extent(tiled_[0]) >= 4 ? 1 : std::min<size_t>(2, tiled_.size());
    for (size_t v = 0; v < vector_choices; ++v) {
      const int64_t extent = Extent(tiled_[v]);
      for (int64_t lanes : VectorWidths(extent, SizeOf(owner_.dtype), machine_)) {
        for (int64_t vectors : {1, 2, 3, 4, 6, 8}) {
          if (vectors > 1 && vectors * lanes > extent) continue;
          if (Wasteful(extent, vectors * lanes)) continue;
          std::vector<int64_t> tile(tiled_.size() + 2, 1);
          tile[0] = static_cast<int64_t>(v);
          tile[1] = lanes;
          tile[2 + v] = vectors * lanes;
          Grow(0, v, vectors, budget, &tile, &tiles);
        }
      }
    }
    return tiles;
  }

  // Waste of covering `extent` with tiles of `size`, of which the last is shifted inwards.
  static bool Wasteful(int64_t extent, int64_t size) {
    return size > extent || CeilDiv(extent, size) * size * 4 > extent * 5 + 4;
  }

  void Grow(size_t position, size_t vector_position, int64_t vectors, int64_t budget,
            std::vector<int64_t>* tile, std::vector<std::vector<int64_t>>* tiles) const {
    if (position == tiled_.size()) {
      tiles->push_back(*tile);
      return;
    }
    if (position == vector_position)
      return Grow(position + 1, vector_position, vectors, budget, tile, tiles);
    const int64_t extent = Extent(tiled_[position]);
    // Only the two dimensions next to the vectorised one are unrolled: further ones are too far in
    // memory.
    for (int64_t size : {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 24, 28}) {
      if (size > 1 && (position > 2 || vectors * size > budget || Wasteful(extent, size))) continue;
      if (position == 2 && size > 4) continue;
      (*tile)[2 + position] = size;
      Grow(position + 1, vector_position, vectors * size, budget, tile, tiles);
    }
    (*tile)[2 + position] = 1;
  }

  // How many register tiles a tile has along a dimension; 0: all of them.
  static std::vector<std::vector<int64_t>> TileMultiples(int64_t extent) {
    std::vector<std::vector<int64_t>> multiples = {{0}};
    for (int64_t m : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64})
      if (m < extent) multiples.push_back({m});
    return multiples;
  }

  // A plain, decent schedule: one vector wide (two where they fit), a few pixels, rows in parallel.
  void SetDefaults() {
    const auto& tiles = decisions_[0].candidates;
    size_t best = 0;
    double best_score = -1;
    for (size_t i = 0; i < tiles.size(); ++i) {
      int64_t accumulators = 1;
      for (size_t t = 0; t < tiled_.size(); ++t) accumulators *= tiles[i][2 + t];
      accumulators /= tiles[i][1];
      const double lanes = static_cast<double>(tiles[i][1]);
      const double full =
          accumulators <= 8 ? static_cast<double>(accumulators) : 8.0 / accumulators;
      const double score = (tiles[i][0] == 0 ? 100 : 0) + lanes * 4 + full - 0.5 * tiles[i].back();
      if (score > best_score) best_score = score, best = i;
    }
    defaults_.push_back(tiles[best]);
    // Whole rows as tiles; the dimensions outside them one by one.
    for (size_t t = 0; t < tiled_.size(); ++t)
      defaults_.push_back({t < 2 && tiled_.size() > 2 ? 0 : 1});
    if (tiled_.size() == 2) defaults_[1] = {0};
    const size_t orders = 1 + tiled_.size();
    defaults_.push_back(decisions_[orders].candidates.front());
    defaults_.push_back(decisions_[orders + 1].candidates.front());
    double points = 1;
    for (const Loop& loop : (accumulator_ ? *accumulator_ : owner_).definitions.back().loops)
      points *= static_cast<double>(loop.extent);
    const bool worth_it = machine_.threads > 1 && points > 32768;
    defaults_.push_back({worth_it ? 1 : 0});
    if (accumulator_) {
      defaults_.push_back(decisions_[orders + 3].candidates.front());
      defaults_.push_back({1});
    }
  }

  Choice Read(DecisionValues values) const {
    Choice choice;
    const std::vector<int64_t>& reg = values[0];
    choice.vector_dim = tiled_[reg[0]];
    choice.lanes = reg[1];
    choice.reg.assign(owner_.dims.size(), 1);
    choice.tile.assign(owner_.dims.size(), 1);
    for (size_t t = 0; t < tiled_.size(); ++t) {
      const int d = tiled_[t];
      choice.reg[d] = reg[2 + t];
      // Tiles of equal size, so that the shifted last one wastes little.
      const int64_t steps = CeilDiv(Extent(d), choice.reg[d]);
      const int64_t wanted = values[1 + t][0] == 0 ? steps : std::min(values[1 + t][0], steps);
      const int64_t balanced = CeilDiv(steps, CeilDiv(steps, wanted));
      choice.tile[d] = std::min(Extent(d), balanced * choice.reg[d]);
    }
    size_t next = 1 + tiled_.size();
    choice.outer_order = values[next++];
    choice.mid_order = values[next++];
    choice.parallel = values[next++][0];
    if (accumulator_) {
      choice.reduction_order = values[next++];
      choice.unroll = values[next][0];
    }
    return choice;
  }

  void ExpandOwner(const Choice& choice, Expansion* out) const {
    const std::string& s = owner_.name;
    std::vector<Directive>& ds = out->directives;
    std::vector<std::string> inner, mid(tiled_.size()), outer(tiled_.size()), vector_loops, rest;
    std::vector<Directive> marks;
    for (size_t t = 0; t < tiled_.size(); ++t) {
      const int d = tiled_[t];
      const std::string& x = owner_.dims[d].name;
      std::string current = x;
      if (choice.tile[d] < Extent(d)) {
        ds.push_back(
            SplitOf(s, 0, current, x + "_o", x + "_t", choice.tile[d], Tail::kShiftInwards));
        outer[t] = x + "_o";
        current = x + "_t";
      }
      if (choice.reg[d] < choice.tile[d]) {
        ds.push_back(
            SplitOf(s, 0, current, x + "_m", x + "_r", choice.reg[d], Tail::kShiftInwards));
        mid[t] = x + "_m";
        current = x + "_r";
      }
      if (d == choice.vector_dim) {
        if (choice.reg[d] > choice.lanes) {
          ds.push_back(
              SplitOf(s, 0, current, x + "_i", x + "_v", choice.lanes, Tail::kShiftInwards));
          marks.push_back(LoopDirective(DirectiveKind::kUnroll, s, 0, x + "_i"));
          rest.insert(rest.begin(), x + "_i");
          current = x + "_v";
        }
        if (choice.lanes > 1)
          marks.push_back(LoopDirective(DirectiveKind::kVectorize, s, 0, current));
        vector_loops.push_back(current);
      } else {
        if (choice.reg[d] > 1)
          marks.push_back(LoopDirective(DirectiveKind::kUnroll, s, 0, current));
        rest.push_back(current);
      }
    }
    Directive order;
    order.kind = DirectiveKind::kReorder;
    order.stage = s;
    order.names = vector_loops;
    order.names.insert(order.names.end(), rest.begin(), rest.end());
    for (int64_t t : choice.mid_order)
      if (!mid[t].empty()) order.names.push_back(mid[t]), out->mid_loops.push_back(mid[t]);
    for (int64_t t : choice.outer_order)
      if (!outer[t].empty()) order.names.push_back(outer[t]), out->outer_loops.push_back(outer[t]);
    // Dimensions beyond the tiled ones stay outermost, as they are.
    for (size_t d = tiled_.size(); d < dims_.size(); ++d) {
      order.names.push_back(owner_.dims[dims_[d]].name);
      out->outer_loops.push_back(owner_.dims[dims_[d]].name);
    }
    std::reverse(out->mid_loops.begin(), out->mid_loops.end());
    std::reverse(out->outer_loops.begin(), out->outer_loops.end());
    if (order.names.size() > 1) ds.push_back(order);
    ds.insert(ds.end(), marks.begin(), marks.end());
    Parallelise(choice.parallel, out);
    out->register_width = choice.vector_dim == 0 ? choice.reg[0] : 1;
  }

  void Parallelise(int64_t count, Expansion* out) const {
    std::vector<std::string>& loops = out->outer_loops;
    count = std::min<int64_t>(count, static_cast<int64_t>(loops.size()));
    if (count == 0) return;
    for (int64_t f = 1; f < count; ++f) {
      Directive fuse;
      fuse.kind = DirectiveKind::kFuse;
      fuse.stage = owner_.name;
      fuse.loop = "p" + std::to_string(f);
      fuse.names = {loops[0], loops[1]};
      out->directives.push_back(fuse);
      loops.erase(loops.begin());
      loops[0] = fuse.loop;
    }
    out->directives.push_back(LoopDirective(DirectiveKind::kParallel, owner_.name, 0, loops[0]));
  }

  void ExpandAccumulator(const Choice& choice, Expansion* out) const {
    const std::string& s = accumulator_->name;
    std::vector<Directive>& ds = out->directives;
    const std::string at = !out->mid_loops.empty()     ? out->mid_loops.back()
                           : !out->outer_loops.empty() ? out->outer_loops.back()
                                                       : "";
    if (at.empty()) {
      ds.push_back(RootOf(s));
    } else {
      Directive d;
      d.kind = DirectiveKind::kComputeAt;
      d.stage = s;
      d.at = owner_.name;
      d.loop = at;
      ds.push_back(d);
      for (int dim : dims_) ds.push_back(BoundExtent(s, owner_.dims[dim].name, choice.reg[dim]));
    }
    for (int definition = 0; definition < 2; ++definition) {
      std::vector<std::string> order, unrolled;
      const std::string& v = owner_.dims[choice.vector_dim].name;
      std::string vector_loop = v;
      if (choice.reg[choice.vector_dim] > choice.lanes) {
        ds.push_back(SplitOf(s, definition, v, v + "_i", v + "_v", choice.lanes, Tail::kAuto));
        vector_loop = v + "_v";
        unrolled.push_back(v + "_i");
      }
      order.push_back(vector_loop);
      for (int d : dims_) {
        if (d != choice.vector_dim)
          (choice.reg[d] > 1 ? unrolled : order).push_back(owner_.dims[d].name);
      }
      std::vector<std::string> names = {vector_loop};
      names.insert(names.end(), unrolled.begin(), unrolled.end());
      if (definition == 1) AddReductions(choice, &ds, &names, &unrolled);
      for (size_t i = 1; i < order.size(); ++i) names.push_back(order[i]);  // one iteration each
      if (names.size() > 1) {
        Directive reorder;
        reorder.kind = DirectiveKind::kReorder;
        reorder.stage = s;
        reorder.definition = definition;
        reorder.names = names;
        ds.push_back(reorder);
      }
      if (choice.lanes > 1)
        ds.push_back(LoopDirective(DirectiveKind::kVectorize, s, definition, vector_loop));
      for (const std::string& loop : unrolled)
        ds.push_back(LoopDirective(DirectiveKind::kUnroll, s, definition, loop));
    }
  }

  void AddReductions(const Choice& choice, std::vector<Directive>* ds,
                     std::vector<std::string>* names, std::vector<std::string>* unrolled) const {
    const std::vector<Loop>& loops = accumulator_->definitions.back().loops;
    const size_t first = owner_.dims.size();
    for (size_t i = 0; i < choice.reduction_order.size(); ++i) {
      const Loop& loop = loops[first + choice.reduction_order[i]];
      std::string name = loop.name;
      if (i == 0) {
        int64_t accumulators = 1;
        for (int64_t size : choice.reg) accumulators *= size;
        accumulators = std::max<int64_t>(1, accumulators / choice.lanes);
        int64_t factor = std::min(
            {choice.unroll, loop.extent, std::max<int64_t>(1, kMostUnrolled / accumulators)});
        while (loop.extent % factor != 0) --factor;
        if (factor == loop.extent && factor > 1) {
          unrolled->push_back(name);
        } else if (factor > 1) {
          ds->push_back(
              SplitOf(accumulator_->name, 1, name, name + "_o", name + "_u", factor, Tail::kAuto));
          names->push_back(name + "_u");
          unrolled->push_back(name + "_u");
          name += "_o";
        }
      }
      names->push_back(name);
    }
  }

  const Stage owner_;
  const Stage* accumulator_;
  const MachineModel machine_;
  std::vector<int> dims_, tiled_;  // dimensions longer than 1; the (at most four) innermost of them
  std::vector<DecisionSpec> decisions_;
  std::vector<std::vector<int64_t>> defaults_;
};

}  // namespace

std::unique_ptr<SketchStep> MakeTilingStep(const Dag& dag, const Roles& roles,
                                           const MachineModel& machine) {
  return std::make_unique<TilingStep>(dag, roles, machine);
}

}  // namespace whet
