#include "schedules/rules/location.h"

#include <algorithm>

namespace whet {
namespace {

// The loops that every evaluation of `stage` can be inside of, from the outermost in.
std::vector<LoopOf> CommonPath(const Roles& roles, int stage, const Expansion& expansion) {
  std::optional<std::vector<LoopOf>> common;
  for (int c : expansion.dag->Consumers(stage)) {
    const std::vector<LoopOf> path = roles.of_stage[c] == StageRole::kInline
                                         ? CommonPath(roles, c, expansion)
                                         : expansion.placed[c].path;
    if (!common) {
      common = path;
      continue;
    }
    size_t equal = 0;
    while (equal < std::min(common->size(), path.size()) && (*common)[equal] == path[equal])
      ++equal;
    common->resize(equal);
  }
  return common.value_or(std::vector<LoopOf>{});
}

// The located stage that reads `stage`, through inlined ones and accumulators; -1: the output, or
// several.
int LocatedReader(const Dag& dag, const Roles& roles, int stage) {
  int reader = -1;
  for (int c : dag.Consumers(stage)) {
    int found = c;
    if (roles.of_stage[c] == StageRole::kInline) {
      found = LocatedReader(dag, roles, c);
    } else if (roles.of_stage[c] == StageRole::kAccumulator) {
      found =
          static_cast<int>(std::find(roles.accumulator_of.begin(), roles.accumulator_of.end(), c) -
                           roles.accumulator_of.begin());
    }
    if (found < 0 || roles.of_stage[found] != StageRole::kLocated) return -1;
    if (reader >= 0 && reader != found) return -1;
    reader = found;
  }
  return reader;
}

struct WindowReads {
  bool overlap = false, divided = false;
};

// Adds how `stage` is read, also by way of inlined stages and copies such as padding. `seen`, by
// stage: those that are added.
void AddReadsOf(const Dag& dag, const Roles& roles, int stage, std::vector<bool>* seen,
                WindowReads* reads) {
  if ((*seen)[stage]) return;
  (*seen)[stage] = true;
  for (int c : dag.Consumers(stage)) {
    const Stage& reader = dag.stages[c];
    const auto pure_loops = static_cast<int>(reader.dims.size());
    for (const Definition& definition : reader.definitions) {
      const Access* first = nullptr;
      for (const Access& access : definition.reads) {
        if (access.stage != stage) continue;
        reads->overlap |= first != nullptr && first->index != access.index;
        first = &access;
        for (const IndexExpr& index : access.index) {
          bool pure = false, reduction = false;
          for (int l = 0; l < static_cast<int>(definition.loops.size()); ++l)
            (l < pure_loops ? pure : reduction) |= index.Uses(l);
          reads->overlap |= pure && reduction;
          for (const IndexExpr::Node& node : index.nodes)
            reads->divided |= node.op == IndexExpr::Op::kFloorDiv || node.op == IndexExpr::Op::kMod;
        }
      }
    }
    const bool copies = reader.kind == StageKind::kPure && roles.accumulator_of[c] < 0;
    if (copies && c != roles.owner) AddReadsOf(dag, roles, c, seen, reads);
  }
}

}  // namespace

std::vector<std::vector<int64_t>> LocationCandidates(const Dag& dag, const Roles& roles,
                                                     int stage) {
  std::vector<std::vector<int64_t>> candidates;
  const Stage& s = dag.stages[stage];
  const bool computes_tile = roles.accumulator_of[stage] >= 0;
  if (s.kind == StageKind::kPure && !computes_tile && s.definitions[0].choosing_loops.empty())
    candidates.push_back({kInlined});
  for (int64_t location : {kRoot, kOuter, kMiddle, kOutermost, kInnermost})
    candidates.push_back({location});
  if (ReadByLocatedTiles(dag, roles, stage)) {
    candidates.push_back({kReaderOutermost});
    candidates.push_back({kReaderInnermost});
  }
  return candidates;
}

bool ReadByLocatedTiles(const Dag& dag, const Roles& roles, int stage) {
  const int reader = LocatedReader(dag, roles, stage);
  return reader >= 0 && roles.accumulator_of[reader] >= 0;
}

std::optional<LoopOf> ResolveLocation(int64_t location, const Roles& roles, int stage,
                                      const Expansion& expansion) {
  if (location == kRoot) return std::nullopt;
  const bool at_reader = location == kReaderOutermost || location == kReaderInnermost;
  const int at = at_reader ? LocatedReader(*expansion.dag, roles, stage) : roles.owner;
  const std::vector<LoopOf> path = CommonPath(roles, stage, expansion);
  if (at < 0 || path.empty()) return std::nullopt;
  const std::vector<std::string>& outer = expansion.placed[at].outer_loops;
  const std::vector<std::string>& mid = expansion.placed[at].mid_loops;
  if (outer.empty() && mid.empty()) return at_reader ? std::optional(path.back()) : std::nullopt;
  std::string loop;
  switch (location) {
    case kOuter:
      if (!outer.empty()) loop = outer.back();
      break;
    case kMiddle:
      if (!mid.empty()) loop = mid.front();
      break;
    case kOutermost:
    case kReaderOutermost:
      loop = outer.empty() ? mid.front() : outer.front();
      break;
    default:
      loop = mid.empty() ? outer.back() : mid.back();
      break;
  }
  if (loop.empty()) return std::nullopt;
  const LoopOf wanted{at, loop};
  if (std::find(path.begin(), path.end(), wanted) != path.end()) return wanted;
  return path.back();
}

bool MaySlide(const Dag& dag, const Roles& roles, int stage) {
  WindowReads reads;
  std::vector<bool> seen(dag.stages.size(), false);
  AddReadsOf(dag, roles, stage, &seen, &reads);
  return reads.overlap && !reads.divided;
}

namespace {

bool IsParallel(const LoopOf& loop, const Expansion& out) {
  const std::string& stage = out.dag->stages[loop.stage].name;
  return std::any_of(out.directives.begin(), out.directives.end(), [&](const Directive& d) {
    return d.kind == DirectiveKind::kParallel && d.stage == stage && d.loop == loop.loop;
  });
}

// Stores the stage around `loop`, the last of its path, where that lets it slide. `at`: what puts
// it there.
void StoreAround(int stage, const LoopOf& loop, const Directive& at, PlacedRegion* region,
                 Expansion* out) {
  const Dag& dag = *out->dag;
  const std::vector<LoopOf>& path = out->placed[stage].path;
  if (IsParallel(loop, *out)) return;
  Directive store;
  store.stage = dag.stages[stage].name;
  store.kind = DirectiveKind::kStoreRoot;
  if (path.size() > 1) {
    store.kind = DirectiveKind::kStoreAt;
    store.at = dag.stages[path[path.size() - 2].stage].name;
    store.loop = path[path.size() - 2].loop;
  }
  const auto placed = out->nest.Placed(stage, at, &store);
  if (!placed || placed->slides_along < 1) return;  // 0: the vectorised dimension
  out->directives.push_back(store);
  const auto along = static_cast<size_t>(placed->slides_along);
  int64_t ring = 1;
  while (ring < region->extents[along]) ring *= 2;
  if (ring < placed->stored[along]) {
    Directive fold = LoopDirective(DirectiveKind::kFoldStorage, store.stage, 0,
                                   dag.stages[stage].dims[along].name);
    fold.factor = ring;
    out->directives.push_back(fold);
  }
  region->extents.assign(placed->region.begin(), placed->region.end());
}

// What the first iteration computes, in which nothing has slid yet. `region`: what the others do.
std::vector<int64_t> FirstRegion(int stage, const Directive& at, const std::vector<int64_t>& region,
                                 const Expansion& out) {
  const auto stores = [](const Directive& d) {
    return d.kind == DirectiveKind::kStoreAt || d.kind == DirectiveKind::kStoreRoot;
  };
  if (std::none_of(out.directives.begin(), out.directives.end(), stores)) return region;
  std::vector<Directive> directives = out.directives;
  std::erase_if(directives, stores);
  const auto first = NestBuilder(out.nest.context(), directives).Placed(stage, at);
  return first ? std::vector<int64_t>(first->region.begin(), first->region.end()) : region;
}

}  // namespace

PlacedRegion PlaceStage(int stage, const std::optional<LoopOf>& loop, bool slide, Expansion* out) {
  const Stage& s = out->dag->stages[stage];
  Directive place;
  place.stage = s.name;
  place.kind = DirectiveKind::kComputeRoot;
  PlacedRegion region;
  if (!loop) {
    out->directives.push_back(place);
    for (const Loop& dim : s.dims) region.extents.push_back(dim.extent);
    return region;
  }
  place.kind = DirectiveKind::kComputeAt;
  place.at = out->dag->stages[loop->stage].name;
  place.loop = loop->loop;
  out->directives.push_back(place);
  for (const LoopOf& around : out->placed[loop->stage].path) {
    out->placed[stage].path.push_back(around);
    if (around == *loop) break;
  }
  if (const auto placed = out->nest.Placed(stage, place))
    region.extents.assign(placed->region.begin(), placed->region.end());
  const std::vector<int64_t> first = FirstRegion(stage, place, region.extents, *out);
  if (slide && !region.extents.empty()) StoreAround(stage, *loop, place, &region, out);
  for (size_t d = 0; d < region.extents.size(); ++d) {
    region.varies.push_back(region.extents[d] != first[d]);
    if (s.dims[d].extent > 1 && !region.varies[d])
      out->directives.push_back(BoundExtent(s.name, s.dims[d].name, region.extents[d]));
  }
  return region;
}

}  // namespace whet
