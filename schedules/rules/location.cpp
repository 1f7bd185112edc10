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

std::vector<int64_t> PlaceStage(int stage, const std::optional<LoopOf>& loop, Expansion* out) {
  const Stage& s = out->dag->stages[stage];
  Directive place;
  place.stage = s.name;
  place.kind = DirectiveKind::kComputeRoot;
  std::vector<int64_t> region;
  if (!loop) {
    out->directives.push_back(place);
    for (const Loop& dim : s.dims) region.push_back(dim.extent);
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
  region = RegionOfStage(*out->dag, out->directives, stage).value_or(std::vector<int64_t>{});
  for (size_t d = 0; d < region.size(); ++d)
    if (s.dims[d].extent > 1)
      out->directives.push_back(BoundExtent(s.name, s.dims[d].name, region[d]));
  return region;
}

}  // namespace whet
