#include "schedules/definition_builder.h"

#include <algorithm>
#include <utility>

namespace whet {
namespace {

// Names of loops are a few characters, of which the last ones tell them apart: a call of memcmp
// takes longer.
bool SameName(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = a.size(); i-- > 0;)
    if (a[i] != b[i]) return false;
  return true;
}

}  // namespace

tl::unexpected<Error> BadDirective(const Directive& d, const std::string& why) {
  return Fail(ErrorCode::kFailed, "stage '{}', loop '{}': {}", d.stage, d.loop, why);
}

DefinitionBuilder::DefinitionBuilder(const Definition& definition, const Extents& region,
                                     bool is_output)
    : definition_(definition), region_(region), is_output_(is_output) {
  // Halide's order: reduction loops inside, then the pure dimensions, innermost first.
  const auto add = [&](bool reduction) {
    for (size_t l = 0; l < definition.loops.size(); ++l) {
      if (definition.loops[l].reduction != reduction) continue;
      const int part = AddPart({static_cast<int>(l), 1, region[l]});
      loops_.push_back({&definition.loops[l].name, region[l], part, 1, LoopKind::kSerial, false});
    }
  };
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
  nest.loops.resize(loops_.size());
  const size_t rank = definition_.loops.size();
  Extents inside(rank, 1);
  for (size_t i = 0; i < loops_.size(); ++i) {  // from the innermost out
    const WorkLoop& work = loops_[i];
    const Part* const parts = &FirstPart(work);
    NestLoop& loop = nest.loops[loops_.size() - 1 - i];
    loop.name = *work.name;
    loop.extent = work.extent;
    loop.kind = work.kind;
    loop.guarded = work.guarded;
    loop.origin = work.part_count == 1 ? parts[0].origin : -1;
    loop.step = work.part_count == 1 ? parts[0].step : 0;
    loop.reduction = definition_.loops[parts[0].origin].reduction;
    loop.tile.resize(rank);
    int64_t* const tile = loop.tile.data();
    const int64_t *const covered = inside.data(), *const region = region_.data();
    for (size_t l = 0; l < rank; ++l) tile[l] = std::min(covered[l], region[l]);
    for (int p = 0; p < work.part_count; ++p) inside[parts[p].origin] *= parts[p].extent;
  }
  return nest;
}

int DefinitionBuilder::AddPart(const Part& part) {
  parts_.push_back(part);
  return static_cast<int>(parts_.size()) - 1;
}

int DefinitionBuilder::Find(const std::string& name) const {
  const WorkLoop* const loops = loops_.data();
  for (size_t i = 0; i < loops_.size(); ++i)
    if (SameName(*loops[i].name, name)) return static_cast<int>(i);
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
  const Part part = FirstPart(loops_[at]);
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
  outer.first_part = AddPart({part.origin, part.step * d.factor, outer_extent});
  WorkLoop& inner = loops_[at];
  inner.name = &d.names[1];
  inner.extent = d.factor;
  FirstPart(inner).extent = d.factor;
  loops_.insert(static_cast<size_t>(at) + 1, outer);
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
  // The parts of both in a row, the inner loop's first.
  const int first = static_cast<int>(parts_.size());
  for (const int at : {inner, outer})
    for (int p = 0; p < loops_[at].part_count; ++p) AddPart(parts_[loops_[at].first_part + p]);
  fused.first_part = first;
  fused.part_count += source.part_count;
  loops_.erase(static_cast<size_t>(outer));
  return {};
}

Status DefinitionBuilder::Reorder(const Directive& d) {
  InlineVector<int, 24> positions;
  InlineVector<WorkLoop, 24> moved;
  for (const std::string& name : d.names) {
    const int at = Find(name);
    if (at < 0) return BadDirective(d, "there is no loop '" + name + "' to reorder");
    positions.push_back(at);
    moved.push_back(loops_[at]);
  }
  std::sort(positions.begin(), positions.end());
  for (size_t i = 0; i < positions.size(); ++i) loops_[positions[i]] = moved[i];
  return {};
}

}  // namespace whet
