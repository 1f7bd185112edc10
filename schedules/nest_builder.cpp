// Map: DefinitionBuilder (definition_builder.h) interprets the directives of one definition on
// concrete extents; NestBuilder walks the stages and infers regions (bounds.h); InlinedDag
// (inlined_dag.h) is what the stages load.
#include "schedules/nest_builder.h"

#include <algorithm>
#include <utility>

#include "schedules/definition_builder.h"

namespace whet {
namespace {

const Extents& StoredExtents(const StageNest& stage) {
  return stage.stored.empty() ? stage.region : stage.stored;
}

// Whether it decides about loops or where they are.
bool ShapesLoops(DirectiveKind kind) {
  switch (kind) {
    case DirectiveKind::kAlgorithm:    // the DAG is that algorithm's
    case DirectiveKind::kRfactor:      // the DAG has its stages
    case DirectiveKind::kStoreIn:      // what bounds inference here
    case DirectiveKind::kBoundExtent:  // finds by itself
    case DirectiveKind::kPack:
    case DirectiveKind::kPrefetch:
    case DirectiveKind::kNeverPartition:
      return false;
    default:
      return true;
  }
}

}  // namespace

NestBuilder::NestBuilder(const NestContext& context, const std::vector<Directive>& directives)
    : dag_(context.dag()), context_(context), directives_(directives) {
  Forget();
}

void NestBuilder::Forget() {
  const size_t stages = dag_.stages.size();
  read_ = 0;
  next_.clear();
  place_.assign(stages, {});
  place_[static_cast<size_t>(dag_.output())].computed = true;
  stages_.clear();
  nest_of_.assign(stages, -1);
  lowest_ = static_cast<int>(stages);
  known_consumer_ = -1;
}

Status NestBuilder::ReadDirectives() {
  // The nest refers to the directives where they were.
  if (read_from_ != directives_.data() || read_ > directives_.size()) Forget();
  read_from_ = directives_.data();
  next_.resize(directives_.size(), -1);
  int s = -1;
  for (; read_ < directives_.size(); ++read_) {
    const Directive& d = directives_[read_];
    if (d.kind == DirectiveKind::kAlgorithm) continue;
    // Most directives are about the stage of the one before.
    if (s < 0 || dag_.stages[static_cast<size_t>(s)].name != d.stage) s = dag_.Find(d.stage);
    if (s < 0)
      return Fail(ErrorCode::kFailed, "directive {}: there is no stage '{}'", read_, d.stage);
    if (s >= lowest_ && ShapesLoops(d.kind)) {  // of a stage that was built without it
      stages_.clear();
      nest_of_.assign(dag_.stages.size(), -1);
      lowest_ = static_cast<int>(dag_.stages.size());
      known_consumer_ = -1;
    }
    RETURN_IF_ERROR(ReadDirective(read_, s));
  }
  return {};
}

Status NestBuilder::ReadDirective(size_t i, int stage) {
  const Directive& d = directives_[i];
  Place& place = place_[static_cast<size_t>(stage)];
  switch (d.kind) {
    case DirectiveKind::kPack:
      place.pack = &d;
      return {};
    case DirectiveKind::kComputeRoot:
      place.computed = true;
      return {};
    case DirectiveKind::kComputeAt:
      place.computed = true;
      place.at = &d;
      return {};
    case DirectiveKind::kStoreAt:
    case DirectiveKind::kStoreRoot:
      place.store = &d;
      return {};
    case DirectiveKind::kFoldStorage:
      place.fold = &d;
      return {};
    case DirectiveKind::kAlgorithm:
    case DirectiveKind::kStoreIn:
    case DirectiveKind::kBoundExtent:
    case DirectiveKind::kRfactor:
      return {};
    default:
      break;
  }
  const auto definitions = dag_.stages[static_cast<size_t>(stage)].definitions.size();
  if (d.definition < 0 || d.definition >= static_cast<int>(definitions)) {
    return Fail(ErrorCode::kFailed, "directive {}: stage '{}' has no definition {}", i, d.stage,
                d.definition);
  }
  const int index = static_cast<int>(i);
  (place.first < 0 ? place.first : next_[static_cast<size_t>(place.last)]) = index;
  place.last = index;
  return {};
}

Status NestBuilder::BuildStages(int last) {
  RETURN_IF_ERROR(ReadDirectives());
  stages_.reserve(dag_.stages.size());
  while (lowest_ > last) {
    const int s = lowest_ - 1;
    if (place_[static_cast<size_t>(s)].computed) RETURN_IF_ERROR(BuildStage(s));
    lowest_ = s;
  }
  return {};
}

const StageNest* NestBuilder::Built(int stage) const {
  const int n = nest_of_[static_cast<size_t>(stage)];
  return n < 0 ? nullptr : &stages_[static_cast<size_t>(n)];
}

Result<StageNest> NestBuilder::Placed(int stage, const Directive& at, const Directive* store) {
  RETURN_IF_ERROR(BuildStages(stage + 1));
  Place place = place_[static_cast<size_t>(stage)];
  place.at = &at;
  place.store = store;
  StageNest result;
  result.stage = stage;
  RETURN_IF_ERROR(PlaceStage(stage, place, &result.region, &result));
  return result;
}

Result<LoopNest> NestBuilder::Finish() && {
  RETURN_IF_ERROR(BuildStages(0));
  LoopNest nest;
  nest.layouts.resize(dag_.stages.size());
  for (int s = 0; s <= dag_.output(); ++s) LayOut(s, &nest.layouts[static_cast<size_t>(s)]);
  nest.stages = std::move(stages_);
  nest.nest_of = std::move(nest_of_);
  return nest;
}

Status NestBuilder::BuildStage(int s) {
  const Place& place = place_[static_cast<size_t>(s)];
  const Stage& stage = dag_.stages[static_cast<size_t>(s)];
  StageNest result;
  result.stage = s;
  result.definitions.reserve(stage.definitions.size());
  Extents region;
  RETURN_IF_ERROR(PlaceStage(s, place, &region, &result));
  for (size_t d = 0; d < stage.definitions.size(); ++d) {
    const Definition& definition = stage.definitions[d];
    Extents loops_region = region;
    for (size_t l = region.size(); l < definition.loops.size(); ++l)
      loops_region.push_back(definition.loops[l].extent);
    DefinitionBuilder builder(definition, loops_region, s == dag_.output());
    for (int i = place.first; i >= 0; i = next_[static_cast<size_t>(i)])
      if (directives_[static_cast<size_t>(i)].definition == static_cast<int>(d))
        RETURN_IF_ERROR(builder.Apply(directives_[static_cast<size_t>(i)]));
    for (size_t l = 0; l < region.size(); ++l) region[l] = std::max(region[l], builder.region()[l]);
    result.definitions.push_back(std::move(builder).Finish(static_cast<int>(d)));
  }
  result.region = region;
  if (s != dag_.output()) {
    result.buffer_bytes = SizeOf(stage.dtype);
    for (const int64_t extent : StoredExtents(result)) result.buffer_bytes *= extent;
  }
  nest_of_[static_cast<size_t>(s)] = static_cast<int>(stages_.size());
  stages_.push_back(std::move(result));
  return {};
}

Status NestBuilder::PlaceStage(int s, const Place& place, Extents* region, StageNest* result) {
  if (s == dag_.output()) {
    for (const Loop& dim : dag_.stages[static_cast<size_t>(s)].dims) region->push_back(dim.extent);
    return {};
  }
  if (place.at == nullptr) {
    *region = Within(s, context_.NeedAtRoot(s));
    return {};
  }
  ASSIGN_OR_RETURN(const NestLoop* const loop, LoopAt(*place.at));
  const int consumer = dag_.Find(place.at->at);
  const StageNest& outer = *Built(consumer);
  const std::vector<NestLoop>& loops = outer.definitions.back().loops;
  result->at_stage = consumer;
  result->at_loop = static_cast<int>(loop - loops.data());
  result->realisations = outer.realisations;
  for (int l = 0; l <= result->at_loop; ++l)
    result->realisations *= static_cast<double>(loops[static_cast<size_t>(l)].extent);
  *region = Within(s, Need(s, consumer, result->at_loop, loop->tile));
  if (place.store != nullptr) return Slide(s, place, outer, *loop, region, result);
  return {};
}

Status NestBuilder::Slide(int s, const Place& place, const StageNest& outer, const NestLoop& loop,
                          Extents* region, StageNest* result) {
  if (place.store->kind == DirectiveKind::kStoreRoot) {
    result->stored = Within(s, context_.NeedAtRoot(s));
  } else {
    ASSIGN_OR_RETURN(const NestLoop* const around, LoopAt(*place.store));
    const int at = dag_.Find(place.store->at);
    const int at_loop = static_cast<int>(around - Built(at)->definitions.back().loops.data());
    result->stored = Within(s, Need(s, at, at_loop, around->tile));
  }
  if (loop.kind == LoopKind::kSerial && loop.origin >= 0 && loop.extent > 1) {
    // The width of two iterations together less that of one is what the second one adds.
    Extents two = loop.tile;
    two[static_cast<size_t>(loop.origin)] += loop.step;
    const Box once = Need(s, outer.stage, result->at_loop, loop.tile);
    known_consumer_ = -1;
    const Box twice = Need(s, outer.stage, result->at_loop, two);
    known_consumer_ = -1;  // what it knows is of two iterations
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
  if (place.fold != nullptr) {
    const std::vector<Loop>& dims = dag_.stages[static_cast<size_t>(s)].dims;
    for (size_t d = 0; d < result->stored.size(); ++d)
      if (dims[d].name == place.fold->loop) result->stored[d] = place.fold->factor;
  }
  return {};
}

Result<const NestLoop*> NestBuilder::LoopAt(const Directive& directive) const {
  const int consumer = dag_.Find(directive.at);
  const StageNest* const outer = consumer < 0 ? nullptr : Built(consumer);
  if (outer == nullptr)
    return BadDirective(directive, "the consumer '" + directive.at + "' has no loops");
  for (const NestLoop& loop : outer->definitions.back().loops)
    if (loop.name == directive.loop) return &loop;
  return BadDirective(directive, "the consumer '" + directive.at + "' has no such loop");
}

bool NestBuilder::InScope(int p, int consumer, int loop) const {
  if (!place_[static_cast<size_t>(p)].computed) return true;
  const StageNest* const nest = Built(p);
  if (nest == nullptr || nest->at_stage < 0) return false;
  if (nest->at_stage == consumer) return nest->at_loop >= loop;
  return InScope(nest->at_stage, consumer, loop);
}

const Box& NestBuilder::Need(int s, int consumer, int loop, const Extents& tile) {
  // Stages that are computed at the same loop ask one after the other.
  if (known_consumer_ != consumer || known_loop_ != loop || known_to_ <= s) {
    needs_.Reset(dag_.stages.size());
    Box iteration;
    for (const int64_t extent : tile) iteration.push_back({0, extent - 1});
    const Stage& reader = dag_.stages[static_cast<size_t>(consumer)];
    context_.reads().AddReads(consumer, reader.definitions.size() - 1, iteration, &needs_);
    known_consumer_ = consumer;
    known_loop_ = loop;
    known_to_ = consumer;
  }
  for (int p = known_to_ - 1; p > s; --p) {
    if (!needs_.Has(p) || !InScope(p, consumer, loop)) continue;
    if (const StageNest* const nest = Built(p)) {
      // Of a stage that slides along in the same loop, only what is new is computed.
      const int d = nest->slides_along;
      if (d >= 0 && nest->at_stage == consumer && nest->at_loop == loop) {
        IndexRange& along = needs_.Of(p)[static_cast<size_t>(d)];
        along.low = std::max(along.low, along.high - nest->region[static_cast<size_t>(d)] + 1);
      }
    }
    context_.reads().Propagate(p, &needs_);
  }
  known_to_ = s + 1;
  return needs_.Get(s);
}

Extents NestBuilder::Within(int s, const Box& box) const {
  Extents extents;
  const std::vector<Loop>& dims = dag_.stages[static_cast<size_t>(s)].dims;
  for (size_t i = 0; i < dims.size(); ++i)
    extents.push_back(i < box.size() ? std::min(box[i].width(), dims[i].extent) : 1);
  return extents;
}

void NestBuilder::LayOut(int s, BufferLayout* layout) const {
  const Stage& stage = dag_.stages[static_cast<size_t>(s)];
  const Directive* const pack = place_[static_cast<size_t>(s)].pack;
  const size_t rank = stage.dims.size();
  layout->strides.resize(rank, 1);
  if (pack != nullptr && stage.kind == StageKind::kInput && stage.constant)
    return LayOutPacked(stage, *pack, layout);
  const StageNest* const nest = Built(s);
  const Extents* const stored = nest != nullptr ? &StoredExtents(*nest) : nullptr;
  int64_t stride = 1;
  for (size_t d = 0; d < rank; ++d) {
    layout->strides[d] = stride;
    stride *= stored != nullptr ? (*stored)[d] : stage.dims[d].extent;
  }
}

void NestBuilder::LayOutPacked(const Stage& stage, const Directive& pack, BufferLayout* layout) {
  const size_t rank = stage.dims.size();
  layout->levels = pack.layout;
  InlineVector<bool, 8> seen(rank, false);
  Extents inner(rank, 1);
  int64_t stride = 1;
  for (const PackLevel& level : layout->levels) {
    const size_t d = rank - 1 - static_cast<size_t>(level.dim);  // shapes are outermost first
    if (!seen[d]) layout->strides[d] = stride;
    seen[d] = true;
    const int64_t left = (stage.dims[d].extent + inner[d] - 1) / inner[d];
    const int64_t extent = level.size == 0 ? left : level.size;
    inner[d] *= extent;
    stride *= extent;
  }
}

}  // namespace whet
