#include "schedules/rules/moving_needs.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace whet {
namespace {

using Moves = MovingRange::Moves;

int64_t Modulo(int64_t a, int64_t b) { return ((a % b) + b) % b; }
int64_t FloorDiv(int64_t a, int64_t b) { return (a - Modulo(a, b)) / b; }

bool Stays(const MovingRange& r) {
  return r.moves != Moves::kSomehow &&
         std::all_of(r.steps.begin(), r.steps.end(), [](int64_t step) { return step == 0; });
}

MovingRange Scaled(MovingRange r, int64_t factor) {
  r.range = factor >= 0 ? IndexRange{r.range.low * factor, r.range.high * factor}
                        : IndexRange{r.range.high * factor, r.range.low * factor};
  for (int64_t& step : r.steps) step *= factor;
  return r;
}

MovingRange Sum(MovingRange a, const MovingRange& b) {
  a.range = {a.range.low + b.range.low, a.range.high + b.range.high};
  if (a.steps.size() < b.steps.size()) a.steps.resize(b.steps.size(), 0);
  for (size_t l = 0; l < b.steps.size(); ++l) a.steps[l] += b.steps[l];
  a.moves = std::max(a.moves, b.moves);
  a.inside = a.inside && b.inside;
  return a;
}

bool MoveTogether(const MovingRange& a, const MovingRange& b, int64_t sign = 1) {
  for (size_t l = 0; l < std::max(a.steps.size(), b.steps.size()); ++l) {
    const int64_t of_a = l < a.steps.size() ? a.steps[l] : 0;
    const int64_t of_b = l < b.steps.size() ? b.steps[l] : 0;
    if (of_a != sign * of_b) return false;
  }
  return a.moves != Moves::kSomehow && b.moves != Moves::kSomehow;
}

// No more than there is, where nothing lies outside of that.
void Limit(int64_t extent, MovingRange* values) {
  if (values->inside && values->range.width() > extent)
    values->range.high = values->range.low + extent - 1;
}

// What a stage computes of a dimension of which `values` are needed, `region` elements at a time:
// that many wherever they start, over the edges of an image that it is clamped to, too. `once`: at
// one time, not piece by piece.
void Promise(int64_t region, int64_t extent, bool once, MovingRange* values) {
  const bool clamped = values->moves != Moves::kAsTold, stays = Stays(*values);
  if (once) {
    Limit(extent, values);
    values->range.high = std::max(values->range.high, values->range.low + region - 1);
  } else if (clamped && stays) {
    values->range.high += region - 1;
  }
  if (clamped && !(once && stays)) values->inside = false;
  if (stays) values->moves = Moves::kAsTold;
  Limit(extent, values);
}

// Follows needs from a tile down to a stage.
class Follower {
 public:
  // Without an expansion: as if all stages were inlined.
  explicit Follower(const Dag& dag, const Expansion* out = nullptr, int loop = -1)
      : dag_(dag), out_(out), loop_(loop), needs_(dag.stages.size()) {}

  // What `tile`, values of the loops of the consumer's last definition, needs of `stage`.
  MovingBox NeedOf(int stage, int consumer, const MovingBox& tile) {
    AddReads(dag_.stages[consumer].definitions.back(), tile);
    for (int p = consumer - 1; p > stage; --p) {
      if (!needs_[p] || (out_ != nullptr && !out_->nest.InScope(p, consumer, loop_))) continue;
      const StageNest* const nest = out_ == nullptr ? nullptr : out_->nest.Built(p);
      for (size_t d = 0; d < needs_[p]->size(); ++d) {
        MovingRange& values = (*needs_[p])[d];
        const int64_t extent = dag_.stages[p].dims[d].extent;
        depends_on_start_ |= values.moves != Moves::kAsTold;
        if (nest == nullptr) {
          Limit(extent, &values);
          continue;
        }
        const bool once = nest->at_stage == consumer && nest->at_loop == loop_;
        Promise(nest->region[d], extent, once, &values);
      }
      for (const Definition& definition : dag_.stages[p].definitions) {
        MovingBox loops = *needs_[p];
        for (size_t l = loops.size(); l < definition.loops.size(); ++l)
          loops.push_back({{0, definition.loops[l].extent - 1}});
        AddReads(definition, loops);
      }
    }
    return needs_[stage].value_or(MovingBox{});
  }
  // Whether anything met so far needs other extents, or something else, for other tiles.
  bool depends_on_start() const { return depends_on_start_; }

 private:
  void AddReads(const Definition& definition, const MovingBox& loops) {
    for (size_t a = 0; a < definition.reads.size(); ++a) {
      const Access& access = definition.reads[a];
      const Stage& source = dag_.stages[access.stage];
      if (source.kind == StageKind::kInput) continue;
      const bool first = !needs_[access.stage];
      if (first) needs_[access.stage].emplace(access.index.size());
      MovingBox& box = *needs_[access.stage];
      for (size_t d = 0; d < access.index.size(); ++d) {
        const bool same =
            std::any_of(definition.reads.begin(), definition.reads.begin() + static_cast<long>(a),
                        [&](const Access& other) {
                          return other.stage == access.stage && other.index[d] == access.index[d];
                        });
        if (same) continue;
        const MovingRange whole{{0, source.dims[d].extent - 1}};
        const MovingRange values = ValuesOf(access.index[d], loops).value_or(whole);
        box[d] = first ? values : Union(box[d], values, whole);
      }
    }
  }

  MovingRange Union(MovingRange a, const MovingRange& b, const MovingRange& whole) {
    if (!MoveTogether(a, b)) {
      depends_on_start_ = true;
      if (a.inside && b.inside) return whole;
      a = whole;
      a.range.high *= 2;  // more than there is
      a.inside = false;
      return a;
    }
    a.range = {std::min(a.range.low, b.range.low), std::max(a.range.high, b.range.high)};
    a.moves = std::max(a.moves, b.moves);
    a.inside = a.inside && b.inside;
    return a;
  }

  // Nothing: all of the dimension.
  std::optional<MovingRange> ValuesOf(const IndexExpr& index, const MovingBox& loops) {
    std::vector<MovingRange> stack;
    for (const IndexExpr::Node& node : index.nodes) {
      using Op = IndexExpr::Op;
      switch (node.op) {
        case Op::kConst:
          stack.push_back({{node.value, node.value}});
          continue;
        case Op::kLoop:
          stack.push_back(loops[static_cast<size_t>(node.value)]);
          continue;
        case Op::kUnknown:
          return std::nullopt;
        default:
          break;
      }
      MovingRange top = std::move(stack.back());
      if (node.op == Op::kMul) {
        stack.back() = Scaled(std::move(top), node.value);
      } else if (node.op == Op::kFloorDiv) {
        stack.back() = Divided(std::move(top), node.value);
      } else if (node.op == Op::kMod) {
        stack.back() = Remainder(top, node.value);
      } else {
        stack.pop_back();
        stack.back() = node.op == Op::kAdd
                           ? Sum(std::move(stack.back()), top)
                           : Clamped(std::move(stack.back()), std::move(top), node.op);
      }
    }
    return stack.back();
  }

  // Of what moves it is known only that it does not grow.
  MovingRange Clamped(MovingRange a, MovingRange b, IndexExpr::Op op) {
    const auto is_constant = [](const MovingRange& r) { return Stays(r) && r.range.width() == 1; };
    if (is_constant(a)) std::swap(a, b);
    const bool together = MoveTogether(a, b) || MoveTogether(a, b, -1);
    if (!is_constant(b) && !together) {
      depends_on_start_ = true;
      a.moves = Moves::kSomehow;
    }
    a.inside = true;
    if (!Stays(a)) {
      a.moves = std::max(a.moves, Moves::kAsToldButClamped);
      return a;
    }
    if (!is_constant(b)) return a;
    const IndexRange before = a.range;
    const int64_t limit = b.range.low;
    const auto clamp = [&](int64_t value) {
      return op == IndexExpr::Op::kMin ? std::min(value, limit) : std::max(value, limit);
    };
    a.range = {clamp(before.low), clamp(before.high)};
    if (a.range.low != before.low || a.range.high != before.high)
      a.moves = Moves::kAsToldButClamped;
    return a;
  }

  MovingRange Divided(MovingRange r, int64_t by) {
    int64_t multiple = by;  // the start is one of it
    for (int64_t step : r.steps) multiple = std::gcd(multiple, step);
    if (!Stays(r) && r.moves != Moves::kAsTold) multiple = 1;
    if (multiple == by) {
      r.range = {FloorDiv(r.range.low, by), FloorDiv(r.range.high, by)};
      for (int64_t& step : r.steps) step /= by;
      return r;
    }
    depends_on_start_ = true;
    // The most that it can reach over, from the last start in a block.
    const int64_t low = Modulo(r.range.low, multiple);
    const int64_t last = FloorDiv(by - multiple + low + r.range.width() - 1, by);
    return {{0, last}, std::move(r.steps), Moves::kSomehow};
  }

  // Halide takes all remainders to be possible.
  MovingRange Remainder(const MovingRange& r, int64_t by) {
    if (!Stays(r)) depends_on_start_ = true;
    return {{0, by - 1}};
  }

  const Dag& dag_;
  const Expansion* const out_;
  const int loop_;                               // of the consumer
  std::vector<std::optional<MovingBox>> needs_;  // nothing: not needed
  bool depends_on_start_ = false;
};

MovingBox NeedAt(int stage, int consumer, int loop, Expansion* out);

// Where realisations of the stage start, by dimension: its `range` is one element.
MovingBox StartsOf(int stage, Expansion* out) {
  const StageNest& nest = *out->nest.Built(stage);
  if (nest.at_stage >= 0) {
    MovingBox starts = NeedAt(stage, nest.at_stage, nest.at_loop, out);
    for (size_t d = 0; d < starts.size(); ++d) {
      Promise(nest.region[d], out->dag->stages[stage].dims[d].extent, true, &starts[d]);
      starts[d].range.high = starts[d].range.low;
    }
    return starts;
  }
  MovingBox starts(out->dag->stages[stage].dims.size());
  if (stage == out->dag->output()) return starts;
  const Box& need = out->nest.context().NeedAtRoot(stage);
  for (size_t d = 0; d < need.size(); ++d) starts[d].range = {need[d].low, need[d].low};
  return starts;
}

// The values of the consumer's loops in iterations of one of them. Tiles start at sums of multiples
// of the tiles around them, and, shifted inwards, at the region's end less a tile.
MovingBox TileIn(int consumer, int loop, Expansion* out) {
  const DefinitionNest& nest = out->nest.Built(consumer)->definitions.back();
  const NestLoop& at = nest.loops[static_cast<size_t>(loop)];
  const std::vector<int64_t>& alignment = out->placed[consumer].alignment;
  MovingBox box = StartsOf(consumer, out);
  box.resize(at.tile.size());
  for (size_t l = 0; l < box.size(); ++l) {
    MovingRange& values = box[l];
    // Each loop of the tile moves by itself, whatever else moved the region.
    int64_t multiple = 0;
    for (int64_t step : values.steps) multiple = std::gcd(multiple, step);
    if (!Stays(values) && values.moves != Moves::kAsTold) multiple = 1;
    if (at.tile[l] < nest.region[l]) {
      int64_t inside = 0;
      for (int around = 0; around <= loop; ++around) {
        const int64_t tile = nest.loops[static_cast<size_t>(around)].tile[l];
        if (tile < nest.region[l]) inside = std::gcd(inside, tile);
      }
      if (nest.region[l] % inside != 0) inside = std::gcd(inside, nest.region[l]);
      if (l < alignment.size()) inside = std::lcm(inside, alignment[l]);
      multiple = std::gcd(multiple, inside);
    }
    values.range.high = values.range.low + at.tile[l] - 1;
    values.moves = Moves::kAsTold;
    values.steps.clear();
    values.steps.resize(box.size(), 0);
    values.steps[l] = multiple;
  }
  return box;
}

MovingBox NeedAt(int stage, int consumer, int loop, Expansion* out) {
  return Follower(*out->dag, out, loop).NeedOf(stage, consumer, TileIn(consumer, loop, out));
}

}  // namespace

bool NeedDependsOnStart(const Dag& dag, int stage) {
  for (int consumer = stage + 1; consumer <= dag.output(); ++consumer) {
    const Stage& reader = dag.stages[consumer];
    if (reader.kind == StageKind::kInput) continue;
    const size_t loops = reader.definitions.back().loops.size();
    MovingBox tile(loops);
    for (size_t l = 0; l < loops; ++l) {
      tile[l].steps.resize(loops, 0);
      tile[l].steps[l] = 1;
    }
    Follower follower(dag);
    follower.NeedOf(stage, consumer, tile);
    if (follower.depends_on_start()) return true;
  }
  return false;
}

bool NeedIsBounded(int stage, const LoopOf& loop, Expansion* out) {
  const Stage& s = out->dag->stages[stage];
  Directive place = LoopDirective(DirectiveKind::kComputeAt, s.name, 0, loop.loop);
  place.at = out->dag->stages[loop.stage].name;
  const auto placed = out->nest.Placed(stage, place);
  if (!placed) return false;
  // Of a stage at root that is not needed in full, Halide may compute more than is needed.
  int outermost = loop.stage;
  while (out->nest.Built(outermost)->at_stage >= 0)
    outermost = out->nest.Built(outermost)->at_stage;
  const Extents& region = out->nest.Built(outermost)->region;
  for (size_t d = 0; d < region.size(); ++d)
    if (region[d] < out->dag->stages[outermost].dims[d].extent) return false;
  MovingBox need = NeedAt(stage, loop.stage, placed->at_loop, out);
  for (size_t d = 0; d < need.size(); ++d) {
    Limit(s.dims[d].extent, &need[d]);
    if (need[d].range.width() > placed->region[d]) return false;
  }
  return true;
}

}  // namespace whet
