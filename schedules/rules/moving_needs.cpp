#include "schedules/rules/moving_needs.h"

#include <algorithm>
#include <functional>
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

// Follows needs from a tile down to a stage.
class Follower {
 public:
  Follower(const Dag& dag, const std::function<bool(int)>& is_evaluated)
      : dag_(dag), is_evaluated_(is_evaluated), needs_(dag.stages.size()) {}

  // What `tile`, values of the loops of the consumer's last definition, needs of `stage`.
  MovingBox NeedOf(int stage, int consumer, const MovingBox& tile) {
    AddReads(dag_.stages[consumer].definitions.back(), tile);
    for (int p = consumer - 1; p > stage; --p) {
      if (!needs_[p] || !is_evaluated_(p)) continue;
      for (const Definition& definition : dag_.stages[p].definitions) {
        MovingBox loops = *needs_[p];
        for (size_t l = loops.size(); l < definition.loops.size(); ++l)
          loops.push_back({{0, definition.loops[l].extent - 1}, {}, Moves::kAsTold});
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
        const MovingRange whole{{0, source.dims[d].extent - 1}, {}, Moves::kAsTold};
        const MovingRange values = ValuesOf(access.index[d], loops).value_or(whole);
        box[d] = first ? values : Union(box[d], values, whole);
      }
    }
  }

  MovingRange Union(MovingRange a, const MovingRange& b, const MovingRange& whole) {
    if (!MoveTogether(a, b)) {
      depends_on_start_ = true;
      return whole;
    }
    a.range = {std::min(a.range.low, b.range.low), std::max(a.range.high, b.range.high)};
    a.moves = std::max(a.moves, b.moves);
    return a;
  }

  // Nothing: all of the dimension.
  std::optional<MovingRange> ValuesOf(const IndexExpr& index, const MovingBox& loops) {
    std::vector<MovingRange> stack;
    for (const IndexExpr::Node& node : index.nodes) {
      using Op = IndexExpr::Op;
      switch (node.op) {
        case Op::kConst:
          stack.push_back({{node.value, node.value}, {}, Moves::kAsTold});
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
        stack.back() = node.op == Op::kAdd ? Sum(std::move(stack.back()), top)
                                           : Clamped(std::move(stack.back()), top);
      }
    }
    return stack.back();
  }

  // As bounds inference has it: a tile lies inside of what it is clamped to.
  MovingRange Clamped(MovingRange a, const MovingRange& b) {
    if (Stays(a) && a.range.width() == 1) a = b;
    const bool other_is_constant = Stays(b) && b.range.width() == 1;
    if (!other_is_constant && !MoveTogether(a, b) && !MoveTogether(a, b, -1)) {
      depends_on_start_ = true;
      a.moves = Moves::kSomehow;
    }
    if (!Stays(a)) a.moves = std::max(a.moves, Moves::kAsToldButClamped);
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

  // Halide takes all remainders to be possible, unless the values are constant.
  MovingRange Remainder(const MovingRange& r, int64_t by) {
    const int64_t low = Modulo(r.range.low, by), high = low + r.range.width() - 1;
    if (Stays(r) && high < by) return {{low, high}, {}, Moves::kAsTold};
    if (!Stays(r)) depends_on_start_ = true;
    return {{0, by - 1}, {}, Moves::kAsTold};
  }

  const Dag& dag_;
  const std::function<bool(int)> is_evaluated_;
  std::vector<std::optional<MovingBox>> needs_;  // nothing: not needed
  bool depends_on_start_ = false;
};

MovingBox NeedAt(int stage, int consumer, int loop, Expansion* out);

// Where realisations of the stage start, by dimension: its `range` is one element.
MovingBox StartsOf(int stage, Expansion* out) {
  const StageNest& nest = *out->nest.Built(stage);
  if (nest.at_stage >= 0) {
    MovingBox starts = NeedAt(stage, nest.at_stage, nest.at_loop, out);
    for (MovingRange& start : starts) start.range.high = start.range.low;
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
  Follower follower(*out->dag, [&](int p) { return out->nest.InScope(p, consumer, loop); });
  return follower.NeedOf(stage, consumer, TileIn(consumer, loop, out));
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
    Follower follower(dag, [](int) { return true; });
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
  const MovingBox need = NeedAt(stage, loop.stage, placed->at_loop, out);
  for (size_t d = 0; d < need.size(); ++d)
    if (std::min(need[d].range.width(), s.dims[d].extent) > placed->region[d]) return false;
  return true;
}

}  // namespace whet
