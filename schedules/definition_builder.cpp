#include "schedules/definition_builder.h"

#include <algorithm>
#include <utility>

namespace whet {

tl::unexpected<Error> BadDirective(const Directive& d, const std::string& why) {
  return Fail(ErrorCode::kFailed, "stage '{}', loop '{}': {}", d.stage, d.loop, why);
}

DefinitionBuilder::DefinitionBuilder(const Definition& definition,
                                     const std::vector<int64_t>& region, bool is_output)
    : definition_(definition), region_(region), is_output_(is_output) {
  // Halide's order: reduction loops inside, then the pure dimensions, innermost first.
  const auto add = [&](bool reduction) {
    for (size_t l = 0; l < definition.loops.size(); ++l) {
      if (definition.loops[l].reduction != reduction) continue;
      WorkLoop loop;
      loop.name = &definition.loops[l].name;
      loop.extent = region[l];
      loop.parts[0] = {static_cast<int>(l), 1, region[l]};
      loops_.push_back(std::move(loop));
    }
  };
  loops_.reserve(16);
  add(true);
  add(false);
}

Status DefinitionBuilder::Apply(const Directive& d) {
  switch (d.kind) {
    case DirectiveKind::kSplit:
      return Split(d);
    case DirectiveKind::kFuse:
      return Fuse(d);
    case DirectiveKind::kReorder:
      return Reorder(d);
    case DirectiveKind::kVectorize:
      return Mark(d, LoopKind::kVectorized);
    case DirectiveKind::kUnroll:
      return Mark(d, LoopKind::kUnrolled);
    case DirectiveKind::kParallel:
      return Mark(d, LoopKind::kParallel);
    case DirectiveKind::kGpuBlocks:
      return Mark(d, LoopKind::kGpuBlock);
    case DirectiveKind::kGpuThreads:
      return Mark(d, LoopKind::kGpuThread);
    case DirectiveKind::kGpuLanes:
      return Mark(d, LoopKind::kGpuLane);
    default:
      return {};
  }
}

DefinitionNest DefinitionBuilder::Finish(int index) && {
  DefinitionNest nest;
  nest.definition = index;
  nest.region = region_;
  nest.loops.reserve(loops_.size());
  std::vector<int64_t> inside(definition_.loops.size(), 1);
  for (size_t i = 0; i < loops_.size(); ++i) {  // from the innermost out
    const WorkLoop& work = loops_[i];
    NestLoop loop;
    loop.name = *work.name;
    loop.extent = work.extent;
    loop.kind = work.kind;
    loop.guarded = work.guarded;
    loop.origin = work.part_count == 1 ? work.parts[0].origin : -1;
    loop.step = work.part_count == 1 ? work.parts[0].step : 0;
    loop.reduction = definition_.loops[work.parts[0].origin].reduction;
    loop.tile = inside;
    for (size_t l = 0; l < inside.size(); ++l) loop.tile[l] = std::min(loop.tile[l], region_[l]);
    for (int p = 0; p < work.part_count; ++p) inside[work.parts[p].origin] *= work.parts[p].extent;
    nest.loops.push_back(std::move(loop));
  }
  std::reverse(nest.loops.begin(), nest.loops.end());
  return nest;
}

int DefinitionBuilder::Find(const std::string& name) const {
  for (size_t i = 0; i < loops_.size(); ++i)
    if (*loops_[i].name == name) return static_cast<int>(i);
  return -1;
}

Status DefinitionBuilder::Mark(const Directive& d, LoopKind kind) {
  const int at = Find(d.loop);
  if (at < 0) return BadDirective(d, "there is no such loop");
  loops_[at].kind = kind;
  return {};
}

Status DefinitionBuilder::Split(const Directive& d) {
  const int at = Find(d.loop);
  if (at < 0) return BadDirective(d, "there is no such loop");
  if (d.names.size() != 2 || d.factor < 1)
    return BadDirective(d, "a split wants two names and a factor");
  if (loops_[at].part_count != 1) return BadDirective(d, "a fused loop cannot be split");
  const WorkLoop::Part part = loops_[at].parts[0];
  const int64_t extent = loops_[at].extent;
  const bool reduction = definition_.loops[part.origin].reduction;
  const bool exact = extent % d.factor == 0;
  Tail tail = d.tail;
  if (tail == Tail::kAuto) {
    tail = reduction ? Tail::kGuardWithIf : is_output_ ? Tail::kShiftInwards : Tail::kRoundUp;
  }
  // Shifted inwards, such a tile would start before the loop and write what is not there.
  if (tail == Tail::kShiftInwards && d.factor > extent)
    return BadDirective(d, "the tile is longer than the loop");
  const int64_t outer_extent = (extent + d.factor - 1) / d.factor;
  if (!exact && tail == Tail::kRoundUp && part.step == 1) {
    region_[part.origin] = std::max(region_[part.origin], outer_extent * d.factor);
  }
  WorkLoop outer = loops_[at];
  outer.name = &d.names[0];
  outer.extent = outer_extent;
  outer.guarded |= !exact && (tail == Tail::kGuardWithIf || tail == Tail::kPredicate);
  outer.parts[0] = {part.origin, part.step * d.factor, outer_extent};
  WorkLoop& inner = loops_[at];
  inner.name = &d.names[1];
  inner.extent = d.factor;
  inner.parts[0] = {part.origin, part.step, d.factor};
  loops_.insert(loops_.begin() + at + 1, std::move(outer));
  return {};
}

Status DefinitionBuilder::Fuse(const Directive& d) {
  if (d.names.size() != 2) return BadDirective(d, "fuse wants two loops");
  const int outer = Find(d.names[0]), inner = Find(d.names[1]);
  if (outer < 0 || inner < 0) return BadDirective(d, "there is no such loop to fuse");
  WorkLoop& fused = loops_[inner];
  const WorkLoop& source = loops_[outer];
  fused.name = &d.loop;
  fused.extent *= source.extent;
  fused.guarded |= source.guarded;
  if (fused.part_count + source.part_count > kMostFused)
    return BadDirective(d, fmt::format("more than {} loops are fused into one", kMostFused));
  std::copy_n(source.parts.begin(), source.part_count, fused.parts.begin() + fused.part_count);
  fused.part_count += source.part_count;
  loops_.erase(loops_.begin() + outer);
  return {};
}

Status DefinitionBuilder::Reorder(const Directive& d) {
  std::vector<int> positions;
  std::vector<WorkLoop> moved;
  for (const std::string& name : d.names) {
    const int at = Find(name);
    if (at < 0) return BadDirective(d, "there is no loop '" + name + "' to reorder");
    positions.push_back(at);
    moved.push_back(loops_[at]);
  }
  std::sort(positions.begin(), positions.end());
  for (size_t i = 0; i < positions.size(); ++i) loops_[positions[i]] = std::move(moved[i]);
  return {};
}

}  // namespace whet
