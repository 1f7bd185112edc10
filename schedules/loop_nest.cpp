// Builds the loop nest: consumers before producers, so that every stage's region is known before
// its loops are.
//
// Map: DefinitionBuilder (definition_builder.h) interprets the directives of one definition on
// concrete extents; Builder walks the stages and infers regions (Need); InlinedDag (inlined_dag.h)
// is what the stages load.
#include "schedules/loop_nest.h"

#include <algorithm>
#include <optional>

#include "schedules/definition_builder.h"
#include "schedules/index_range.h"

namespace whet {
namespace {

class Builder {
 public:
  Builder(const Dag& dag, const std::vector<Directive>& directives)
      : dag_(dag), directives_(directives) {}

  // Loops and regions of the stages down to `last`.
  Status BuildStages(int last) {
    RETURN_IF_ERROR(Sort());
    nest_.nest_of.assign(dag_.stages.size(), -1);
    nest_.stages.reserve(dag_.stages.size());
    for (int s = dag_.output(); s >= last; --s) {
      if (place_[s].computed) RETURN_IF_ERROR(BuildStage(s));
    }
    return {};
  }

  Result<std::vector<int64_t>> Region(int stage) {
    RETURN_IF_ERROR(BuildStages(stage));
    if (nest_.nest_of[stage] < 0)
      return Fail(ErrorCode::kFailed, "stage '{}' is inlined", dag_.stages[stage].name);
    const Extents& region = nest_.stages[nest_.nest_of[stage]].region;
    return std::vector<int64_t>(region.begin(), region.end());
  }

  Result<LoopNest> BuildLoops() {
    RETURN_IF_ERROR(BuildStages(0));
    return std::move(nest_);
  }

  Result<LoopNest> Build(InlinedDags* inlined) {
    RETURN_IF_ERROR(BuildStages(0));
    nest_.layouts.resize(dag_.stages.size());
    for (int s = 0; s <= dag_.output(); ++s) LayOut(s);
    std::vector<bool> stored(dag_.stages.size());
    for (size_t s = 0; s < stored.size(); ++s) stored[s] = place_[s].computed;
    nest_.inlined = inlined != nullptr ? inlined->For(stored) : InlinedDag::Make(dag_, stored);
    if (nest_.inlined == nullptr) {
      return Fail(ErrorCode::kFailed,
                  "stages are inlined into each other until a definition has more than {} of them",
                  kMostInlined);
    }
    return std::move(nest_);
  }

 private:
  struct Place {
    bool computed = false;
    const Directive* at = nullptr;  // kComputeAt
    const Directive* pack = nullptr;
    const Directive* store = nullptr;  // kStoreAt, kStoreRoot
    const Directive* fold = nullptr;
    // What is about its loops: a list of indices into directives_, linked by next_; -1: the end.
    int first = -1, last = -1;
  };

  // What is needed of a stage, a range a dimension.
  using Box = InlineVector<IndexRange, 8>;
  // The same by stage. Made once and used again: this runs for thousands of candidates a second.
  class Needs {
   public:
    void Reset(size_t stages) {
      boxes_.resize(stages);
      known_.assign(stages, false);
    }
    bool Has(int stage) const { return known_[stage]; }
    // Of a stage that nothing was needed of so far.
    Box& Begin(int stage) {
      known_[stage] = true;
      boxes_[stage].clear();
      return boxes_[stage];
    }
    Box& Of(int stage) { return boxes_[stage]; }
    // Nothing where it is not needed.
    const Box& Get(int stage) const {
      static const Box kNothing{};
      return known_[stage] ? boxes_[stage] : kNothing;
    }

   private:
    std::vector<Box> boxes_;
    std::vector<char> known_;
  };

  Status Sort() {
    place_.resize(dag_.stages.size());
    next_.assign(directives_.size(), -1);
    place_[dag_.output()].computed = true;
    int s = -1;
    for (size_t i = 0; i < directives_.size(); ++i) {
      const Directive& d = directives_[i];
      if (d.kind == DirectiveKind::kAlgorithm) continue;  // the DAG is that algorithm's
      // Most directives are about the stage of the one before.
      if (s < 0 || dag_.stages[s].name != d.stage) s = dag_.Find(d.stage);
      if (s < 0)
        return Fail(ErrorCode::kFailed, "directive {}: there is no stage '{}'", i, d.stage);
      switch (d.kind) {
        case DirectiveKind::kPack:
          place_[s].pack = &d;
          break;
        case DirectiveKind::kComputeRoot:
          place_[s].computed = true;
          break;
        case DirectiveKind::kComputeAt:
          place_[s].computed = true;
          place_[s].at = &d;
          break;
        case DirectiveKind::kStoreAt:
        case DirectiveKind::kStoreRoot:
          place_[s].store = &d;
          break;
        case DirectiveKind::kFoldStorage:
          place_[s].fold = &d;
          break;
        case DirectiveKind::kStoreIn:
        case DirectiveKind::kBoundExtent:
          break;  // what bounds inference here finds by itself
        case DirectiveKind::kRfactor:
          break;  // the DAG has its stages
        default:
          if (d.definition < 0 ||
              d.definition >= static_cast<int>(dag_.stages[s].definitions.size())) {
            return Fail(ErrorCode::kFailed, "directive {}: stage '{}' has no definition {}", i,
                        d.stage, d.definition);
          }
          (place_[s].first < 0 ? place_[s].first : next_[place_[s].last]) = static_cast<int>(i);
          place_[s].last = static_cast<int>(i);
      }
    }
    return {};
  }

  Status BuildStage(int s) {
    const Stage& stage = dag_.stages[s];
    StageNest result;
    result.stage = s;
    result.definitions.reserve(stage.definitions.size());
    Extents region;
    if (place_[s].at != nullptr) {
      const Directive& at = *place_[s].at;
      const int consumer = dag_.Find(at.at);
      if (consumer < 0 || nest_.nest_of[consumer] < 0) {
        return BadDirective(at, "the consumer '" + at.at + "' has no loops");
      }
      const StageNest& outer = nest_.stages[nest_.nest_of[consumer]];
      const std::vector<NestLoop>& loops = outer.definitions.back().loops;
      const auto loop = std::find_if(loops.begin(), loops.end(),
                                     [&](const NestLoop& l) { return l.name == at.loop; });
      if (loop == loops.end())
        return BadDirective(at, "the consumer '" + at.at + "' has no such loop");
      result.at_stage = consumer;
      result.at_loop = static_cast<int>(loop - loops.begin());
      result.realisations = outer.realisations;
      for (int l = 0; l <= result.at_loop; ++l)
        result.realisations *= static_cast<double>(loops[l].extent);
      region = Within(s, Need(s, consumer, result.at_loop, loop->tile));
      if (place_[s].store != nullptr) RETURN_IF_ERROR(Slide(s, outer, *loop, &region, &result));
    } else if (s == dag_.output()) {
      for (const Loop& dim : stage.dims) region.push_back(dim.extent);
    } else {
      region = Within(s, NeedAtRoot(s));
    }

    for (size_t d = 0; d < stage.definitions.size(); ++d) {
      const Definition& definition = stage.definitions[d];
      Extents loops_region = region;
      for (size_t l = region.size(); l < definition.loops.size(); ++l)
        loops_region.push_back(definition.loops[l].extent);
      DefinitionBuilder builder(definition, loops_region, s == dag_.output());
      for (int i = place_[s].first; i >= 0; i = next_[i])
        if (directives_[i].definition == static_cast<int>(d))
          RETURN_IF_ERROR(builder.Apply(directives_[i]));
      for (size_t l = 0; l < region.size(); ++l)
        region[l] = std::max(region[l], builder.region()[l]);
      result.definitions.push_back(std::move(builder).Finish(static_cast<int>(d)));
    }
    result.region = region;
    if (s != dag_.output()) {
      result.buffer_bytes = SizeOf(stage.dtype);
      for (int64_t extent : StoredExtents(result)) result.buffer_bytes *= extent;
    }
    nest_.nest_of[s] = static_cast<int>(nest_.stages.size());
    nest_.stages.push_back(std::move(result));
    return {};
  }

  // A stage stored outside of the loop that it is computed in: what it stores, and what is left to
  // compute in an iteration after the first.
  Status Slide(int s, const StageNest& outer, const NestLoop& loop, Extents* region,
               StageNest* result) const {
    const Directive& store = *place_[s].store;
    if (store.kind == DirectiveKind::kStoreRoot) {
      result->stored = Within(s, NeedAtRoot(s));
    } else {
      const int at = dag_.Find(store.at);
      if (at < 0 || nest_.nest_of[at] < 0)
        return BadDirective(store, "the consumer '" + store.at + "' has no loops");
      const std::vector<NestLoop>& loops = nest_.stages[nest_.nest_of[at]].definitions.back().loops;
      const auto around = std::find_if(loops.begin(), loops.end(),
                                       [&](const NestLoop& l) { return l.name == store.loop; });
      if (around == loops.end())
        return BadDirective(store, "the consumer '" + store.at + "' has no such loop");
      const int at_loop = static_cast<int>(around - loops.begin());
      result->stored = Within(s, Need(s, at, at_loop, around->tile));
    }
    if (loop.kind == LoopKind::kSerial && loop.origin >= 0 && loop.extent > 1) {
      // The width of two iterations together less that of one is what the second one adds.
      Extents two = loop.tile;
      two[loop.origin] += loop.step;
      const Box once = Need(s, outer.stage, result->at_loop, loop.tile);
      const Box twice = Need(s, outer.stage, result->at_loop, two);
      int moving = 0;
      for (size_t d = 0; d < once.size(); ++d) {
        const int64_t more = twice[d].width() - once[d].width();
        if (more == 0) continue;
        ++moving;
        if (more > 0 && more < once[d].width()) result->slides_along = static_cast<int>(d);
        if (more > 0 && more < once[d].width()) (*region)[d] = std::min((*region)[d], more);
      }
      if (moving != 1) {
        result->slides_along = -1;
        *region = Within(s, once);
      }
    }
    if (const Directive* fold = place_[s].fold) {
      for (size_t d = 0; d < result->stored.size(); ++d)
        if (dag_.stages[s].dims[d].name == fold->loop) result->stored[d] = fold->factor;
    }
    return {};
  }

  static const Extents& StoredExtents(const StageNest& stage) {
    return stage.stored.empty() ? stage.region : stage.stored;
  }

  // True where stage p is evaluated inside the body of loop `loop` of `consumer`.
  bool InScope(int p, int consumer, int loop) const {
    if (!place_[p].computed) return true;
    const int n = nest_.nest_of[p];
    if (n < 0) return false;
    const StageNest& nest = nest_.stages[n];
    if (nest.at_stage < 0) return false;
    if (nest.at_stage == consumer) return nest.at_loop >= loop;
    return InScope(nest.at_stage, consumer, loop);
  }

  void AddReads(const Definition& definition, const Box& loops, Needs* need) const {
    for (const Access& access : definition.reads) {
      if (dag_.stages[access.stage].kind == StageKind::kInput) continue;
      const bool first = !need->Has(access.stage);
      Box& wanted = first ? need->Begin(access.stage) : need->Of(access.stage);
      wanted.resize(access.index.size());
      for (size_t i = 0; i < access.index.size(); ++i) {
        const IndexExpr& index = access.index[i];
        IndexRange range;
        if (index.nodes.size() == 1 && index.nodes[0].op == IndexExpr::Op::kLoop) {
          range = loops[index.nodes[0].value];  // as most are
        } else if (index.IsKnown()) {
          range = RangeOf(index, loops);
        } else {
          range = {0, dag_.stages[access.stage].dims[i].extent - 1};
        }
        wanted[i].low = first ? range.low : std::min(wanted[i].low, range.low);
        wanted[i].high = first ? range.high : std::max(wanted[i].high, range.high);
      }
    }
  }

  static Box FromZero(const Extents& extents) {
    Box box;
    for (int64_t extent : extents) box.push_back({0, extent - 1});
    return box;
  }

  // What one iteration of a loop needs of stage `s`, whose definition covers `tile` in it.
  Box Need(int s, int consumer, int loop, const Extents& tile) const {
    Needs& need = needs_;
    need.Reset(dag_.stages.size());
    AddReads(dag_.stages[consumer].definitions.back(), FromZero(tile), &need);
    for (int p = consumer - 1; p > s; --p) {
      if (!need.Has(p) || !InScope(p, consumer, loop)) continue;
      if (const int n = nest_.nest_of[p]; n >= 0) {
        // Of a stage that slides along in the same loop, only what is new is computed.
        const StageNest& nest = nest_.stages[n];
        const int d = nest.slides_along;
        if (d >= 0 && nest.at_stage == consumer && nest.at_loop == loop)
          need.Of(p)[d].low = std::max(need.Of(p)[d].low, need.Of(p)[d].high - nest.region[d] + 1);
      }
      Propagate(p, &need);
    }
    return need.Get(s);
  }

  // Does not depend on where stages are computed, so that it is found for all of them at once.
  const Box& NeedAtRoot(int s) const {
    if (!root_known_) {
      root_.Reset(dag_.stages.size());
      Box& all = root_.Begin(dag_.output());
      for (const Loop& dim : dag_.stages[dag_.output()].dims) all.push_back({0, dim.extent - 1});
      for (int p = dag_.output(); p > 0; --p)
        if (root_.Has(p)) Propagate(p, &root_);
      root_known_ = true;
    }
    return root_.Get(s);
  }

  void Propagate(int p, Needs* need) const {
    Box& loops = loops_;
    for (const Definition& definition : dag_.stages[p].definitions) {
      loops = need->Of(p);
      for (size_t l = loops.size(); l < definition.loops.size(); ++l)
        loops.push_back({0, definition.loops[l].extent - 1});
      AddReads(definition, loops, need);
    }
  }

  // No more than there is; one element where nothing is known.
  Extents Within(int s, const Box& box) const {
    Extents extents;
    for (size_t i = 0; i < dag_.stages[s].dims.size(); ++i)
      extents.push_back(i < box.size() ? std::min(box[i].width(), dag_.stages[s].dims[i].extent)
                                       : 1);
    return extents;
  }

  void LayOut(int s) {
    const Stage& stage = dag_.stages[s];
    BufferLayout& layout = nest_.layouts[s];
    const size_t rank = stage.dims.size();
    Extents extents;
    for (const Loop& dim : stage.dims) extents.push_back(dim.extent);
    if (nest_.nest_of[s] >= 0) extents = StoredExtents(nest_.stages[nest_.nest_of[s]]);
    layout.strides.resize(rank, 1);
    int64_t stride = 1;
    if (place_[s].pack != nullptr && stage.kind == StageKind::kInput && stage.constant) {
      layout.levels = place_[s].pack->layout;
      InlineVector<bool, 8> seen(rank, false);
      Extents inner(rank, 1);
      for (const PackLevel& level : layout.levels) {
        const size_t d = rank - 1 - static_cast<size_t>(level.dim);  // shapes are outermost first
        if (!seen[d]) layout.strides[d] = stride;
        seen[d] = true;
        const int64_t left = (extents[d] + inner[d] - 1) / inner[d];
        const int64_t extent = level.size == 0 ? left : level.size;
        inner[d] *= extent;
        stride *= extent;
      }
      return;
    }
    for (size_t d = 0; d < rank; ++d) {
      layout.strides[d] = stride;
      stride *= extents[d];
    }
  }

  const Dag& dag_;
  const std::vector<Directive>& directives_;
  mutable Needs needs_, root_;
  mutable bool root_known_ = false;
  mutable Box loops_;
  std::vector<Place> place_;
  std::vector<int> next_;  // by directive
  LoopNest nest_;
};

}  // namespace

Result<std::vector<int64_t>> RegionOfStage(const Dag& dag, const std::vector<Directive>& directives,
                                           int stage) {
  return Builder(dag, directives).Region(stage);
}

Result<LoopNest> BuildLoopNest(const Dag& dag, const std::vector<Directive>& directives,
                               InlinedDags* inlined) {
  return Builder(dag, directives).Build(inlined);
}

Result<LoopNest> BuildLoops(const Dag& dag, const std::vector<Directive>& directives) {
  return Builder(dag, directives).BuildLoops();
}

}  // namespace whet
