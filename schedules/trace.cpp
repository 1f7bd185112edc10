#include "schedules/trace.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string_view>

#include "schedules/strict_json.h"

namespace whet {
namespace {

constexpr int64_t kVersion = 1;

// What the document calls a kind, and which fields a directive of that kind cannot do without.
struct KindRow {
  DirectiveKind kind;
  std::string_view name;
  bool loop;
  int min_names, max_names;  // max -1: any number
};
constexpr int kAny = -1;
constexpr std::array<KindRow, 21> kKinds = {{
    {DirectiveKind::kPack, "pack", false, 0, 0},
    {DirectiveKind::kSplit, "split", true, 2, 2},
    {DirectiveKind::kFuse, "fuse", true, 2, 2},
    {DirectiveKind::kReorder, "reorder", false, 1, kAny},
    {DirectiveKind::kVectorize, "vectorize", true, 0, 0},
    {DirectiveKind::kUnroll, "unroll", true, 0, 0},
    {DirectiveKind::kParallel, "parallel", true, 0, 0},
    {DirectiveKind::kComputeRoot, "compute_root", false, 0, 0},
    {DirectiveKind::kComputeAt, "compute_at", true, 0, 0},
    {DirectiveKind::kGpuBlocks, "gpu_blocks", true, 0, 0},
    {DirectiveKind::kGpuThreads, "gpu_threads", true, 0, 0},
    {DirectiveKind::kGpuLanes, "gpu_lanes", true, 0, 0},
    {DirectiveKind::kStoreIn, "store_in", false, 0, 0},
    {DirectiveKind::kBoundExtent, "bound_extent", true, 0, 0},
    {DirectiveKind::kAlgorithm, "algorithm", false, 0, 0},
    {DirectiveKind::kStoreRoot, "store_root", false, 0, 0},
    {DirectiveKind::kStoreAt, "store_at", true, 0, 0},
    {DirectiveKind::kFoldStorage, "fold_storage", true, 0, 0},
    {DirectiveKind::kRfactor, "rfactor", true, 2, 2},
    {DirectiveKind::kPrefetch, "prefetch", true, 0, 0},
    {DirectiveKind::kNeverPartition, "never_partition", true, 0, 0},
}};

struct TailRow {
  Tail tail;
  std::string_view name, halide;
};
constexpr std::array<TailRow, 5> kTails = {{
    {Tail::kAuto, "auto", "Auto"},
    {Tail::kRoundUp, "round_up", "RoundUp"},
    {Tail::kGuardWithIf, "guard_with_if", "GuardWithIf"},
    {Tail::kShiftInwards, "shift_inwards", "ShiftInwards"},
    {Tail::kPredicate, "predicate", "Predicate"},
}};

struct MemoryRow {
  std::string_view name, halide;
};
constexpr std::array<MemoryRow, 4> kMemories = {
    {{"stack", "Stack"}, {"heap", "Heap"}, {"shared", "GPUShared"}, {"register", "Register"}}};

const KindRow& RowOf(DirectiveKind kind) {
  for (const KindRow& row : kKinds)
    if (row.kind == kind) return row;
  return kKinds[0];
}

const TailRow& RowOf(Tail tail) {
  for (const TailRow& row : kTails)
    if (row.tail == tail) return row;
  return kTails[0];
}

// The names of a table as one list for a message.
template <typename Rows>
std::string Names(const Rows& rows) {
  std::string text;
  for (const auto& row : rows) text.append(text.empty() ? "" : ", ").append(row.name);
  return text;
}

template <typename Rows>
auto FindByName(const Rows& rows, std::string_view name) -> decltype(&rows[0]) {
  for (const auto& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

Json DirectiveToJson(const Directive& directive) {
  Json json = {{"kind", RowOf(directive.kind).name}, {"stage", directive.stage}};
  if (directive.definition != 0) json["definition"] = directive.definition;
  if (!directive.loop.empty()) json["loop"] = directive.loop;
  if (!directive.names.empty()) json["names"] = directive.names;
  if (directive.factor != 0) json["factor"] = directive.factor;
  if (directive.tail != Tail::kAuto) json["tail"] = RowOf(directive.tail).name;
  if (!directive.at.empty()) json["at"] = directive.at;
  if (!directive.memory.empty()) json["memory"] = directive.memory;
  for (const PackLevel& level : directive.layout) json["layout"].push_back({level.dim, level.size});
  if (!directive.algorithm.empty()) json["algorithm"] = directive.algorithm;
  return json;
}

bool Contains(std::initializer_list<DirectiveKind> kinds, DirectiveKind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// Fields that the kind needs are there and make sense by themselves.
Status CheckDirective(const Directive& directive) {
  const KindRow& row = RowOf(directive.kind);
  if (directive.stage.empty())
    return Fail(ErrorCode::kCorrupt, "{}: field 'stage' is empty", row.name);
  if (row.loop && directive.loop.empty())
    return Fail(ErrorCode::kCorrupt, "{}: field 'loop' is missing", row.name);
  int names = static_cast<int>(directive.names.size());
  if (names < row.min_names || (row.max_names != kAny && names > row.max_names))
    return Fail(ErrorCode::kCorrupt, "{}: field 'names' has {} loops and should have {}{}",
                row.name, names, row.min_names, row.max_names == kAny ? " or more" : "");
  for (const std::string& name : directive.names)
    if (name.empty()) return Fail(ErrorCode::kCorrupt, "{}: a loop in 'names' is empty", row.name);
  const bool has_factor =
      Contains({DirectiveKind::kSplit, DirectiveKind::kBoundExtent, DirectiveKind::kFoldStorage,
                DirectiveKind::kRfactor, DirectiveKind::kPrefetch},
               directive.kind);
  const bool has_at = Contains({DirectiveKind::kComputeAt, DirectiveKind::kStoreAt,
                                DirectiveKind::kRfactor, DirectiveKind::kPrefetch},
                               directive.kind);
  if (has_factor && (directive.factor < 1 || directive.factor > std::numeric_limits<int>::max()))
    return Fail(ErrorCode::kCorrupt,
                "{}: field 'factor' is {} and should be at least 1 and fit 32 bits", row.name,
                directive.factor);
  if (has_at && directive.at.empty())
    return Fail(ErrorCode::kCorrupt, "{}: field 'at' is missing", row.name);
  if (directive.kind == DirectiveKind::kRfactor && directive.at != directive.names[0] &&
      directive.at != directive.names[1])
    return Fail(ErrorCode::kCorrupt, "rfactor: field 'at' is '{}' and should be '{}' or '{}'",
                directive.at, directive.names[0], directive.names[1]);
  if (directive.kind == DirectiveKind::kStoreIn && !FindByName(kMemories, directive.memory))
    return Fail(ErrorCode::kCorrupt, "store_in: memory '{}' is unknown; known are {}",
                directive.memory, Names(kMemories));
  if (directive.kind == DirectiveKind::kPack && directive.layout.empty())
    return Fail(ErrorCode::kCorrupt, "pack: field 'layout' is missing");
  if (directive.kind == DirectiveKind::kAlgorithm && directive.algorithm.empty())
    return Fail(ErrorCode::kCorrupt, "algorithm: field 'algorithm' is missing");
  return {};
}

Result<std::vector<PackLevel>> LayoutFromJson(const Json& json) {
  std::vector<PackLevel> layout;
  bool good = json.is_array();
  for (size_t i = 0; good && i < json.size(); ++i) {
    good = IsInt64List(json[i]) && json[i].size() == 2;
    if (!good) break;
    int64_t dim = json[i][0].get<int64_t>(), size = json[i][1].get<int64_t>();
    good = dim >= 0 && dim < 64 && size >= 0;
    layout.push_back({static_cast<int>(dim), size});
  }
  if (!good)
    return Fail(ErrorCode::kCorrupt,
                "field 'layout' should be a list of [dimension, size], none negative");
  return layout;
}

Result<Directive> DirectiveFromJson(const Json& json) {
  Directive directive;
  ASSIGN_OR_RETURN(std::string kind, Field<std::string>(json, "kind"));
  const KindRow* row = FindByName(kKinds, kind);
  if (!row)
    return Fail(ErrorCode::kCorrupt, "kind '{}' is unknown; known are {}", kind, Names(kKinds));
  directive.kind = row->kind;
  RETURN_IF_ERROR(OnlyMembers(json, {"kind", "stage", "definition", "loop", "names", "factor",
                                     "tail", "at", "memory", "layout", "algorithm"}));
  ASSIGN_OR_RETURN(directive.stage, Field<std::string>(json, "stage"));
  if (json.contains("definition")) {
    ASSIGN_OR_RETURN(int64_t definition, Field<int64_t>(json, "definition"));
    if (definition < 0 || definition > std::numeric_limits<int>::max())
      return Fail(ErrorCode::kCorrupt, "field 'definition' is {} and should not be negative",
                  definition);
    directive.definition = static_cast<int>(definition);
  }
  if (json.contains("loop")) {
    ASSIGN_OR_RETURN(directive.loop, Field<std::string>(json, "loop"));
  }
  if (json.contains("names")) {
    ASSIGN_OR_RETURN(directive.names, StringListMember(json, "names"));
  }
  if (json.contains("factor")) {
    ASSIGN_OR_RETURN(directive.factor, Field<int64_t>(json, "factor"));
  }
  if (json.contains("tail")) {
    ASSIGN_OR_RETURN(std::string name, Field<std::string>(json, "tail"));
    const TailRow* tail = FindByName(kTails, name);
    if (!tail)
      return Fail(ErrorCode::kCorrupt, "tail '{}' is unknown; known are {}", name, Names(kTails));
    directive.tail = tail->tail;
  }
  if (json.contains("at")) {
    ASSIGN_OR_RETURN(directive.at, Field<std::string>(json, "at"));
  }
  if (json.contains("memory")) {
    ASSIGN_OR_RETURN(directive.memory, Field<std::string>(json, "memory"));
  }
  if (json.contains("layout")) {
    ASSIGN_OR_RETURN(directive.layout, LayoutFromJson(json["layout"]));
  }
  if (json.contains("algorithm")) {
    ASSIGN_OR_RETURN(directive.algorithm, Field<std::string>(json, "algorithm"));
  }
  RETURN_IF_ERROR(CheckDirective(directive));
  return directive;
}

Result<Decision> DecisionFromJson(const Json& json) {
  Decision decision;
  ASSIGN_OR_RETURN(decision.name, Field<std::string>(json, "name"));
  ASSIGN_OR_RETURN(decision.value, Int64ListMember(json, "value"));
  RETURN_IF_ERROR(OnlyMembers(json, {"name", "value"}));
  return decision;
}

std::string DirectiveToCpp(const Directive& d) {
  std::string loops = d.stage;
  if (d.definition > 0) loops += fmt::format(".update({})", d.definition - 1);
  switch (d.kind) {
    case DirectiveKind::kAlgorithm:
      return fmt::format("// {} is computed by {}", d.stage, d.algorithm);
    case DirectiveKind::kPack: {
      std::string levels;
      for (const PackLevel& level : d.layout)
        levels += fmt::format("{}{} of dimension {}", levels.empty() ? "" : ", ",
                              level.size == 0 ? "all" : std::to_string(level.size), level.dim);
      return fmt::format("// {} is packed, innermost first: {}", d.stage, levels);
    }
    case DirectiveKind::kSplit:
    case DirectiveKind::kFuse:
      if (d.names.size() != 2)
        return fmt::format("// {} of {} needs two loops", RowOf(d.kind).name, d.stage);
      if (d.kind == DirectiveKind::kFuse)
        return fmt::format("{}.fuse({}, {}, {});", loops, d.names[1], d.names[0], d.loop);
      return fmt::format("{}.split({}, {}, {}, {}, TailStrategy::{});", loops, d.loop, d.names[0],
                         d.names[1], d.factor, RowOf(d.tail).halide);
    case DirectiveKind::kReorder:
      return fmt::format("{}.reorder({});", loops, fmt::join(d.names, ", "));
    case DirectiveKind::kComputeRoot:
      return fmt::format("{}.compute_root();", d.stage);
    case DirectiveKind::kComputeAt:
      return fmt::format("{}.compute_at({}, {});", d.stage, d.at, d.loop);
    case DirectiveKind::kBoundExtent:
      return fmt::format("{}.bound_extent({}, {});", d.stage, d.loop, d.factor);
    case DirectiveKind::kStoreRoot:
      return fmt::format("{}.store_root();", d.stage);
    case DirectiveKind::kStoreAt:
      return fmt::format("{}.store_at({}, {});", d.stage, d.at, d.loop);
    case DirectiveKind::kFoldStorage:
      return fmt::format("{}.fold_storage({}, {});", d.stage, d.loop, d.factor);
    case DirectiveKind::kRfactor:
      return fmt::format(
          "Func {0}_part = {0}.update(0).split({1}, {2}, {3}, {4}).rfactor({5}, {5}_);", d.stage,
          d.loop, d.names[0], d.names[1], d.factor, d.at);
    case DirectiveKind::kPrefetch:
      return fmt::format("{}.prefetch({}, {}, {}, {});", loops, d.at, d.loop, d.loop, d.factor);
    case DirectiveKind::kStoreIn: {
      const MemoryRow* memory = FindByName(kMemories, d.memory);
      return fmt::format("{}.store_in(MemoryType::{});", d.stage, memory ? memory->halide : "Auto");
    }
    default:
      return fmt::format("{}.{}({});", loops, RowOf(d.kind).name, d.loop);
  }
}

// Appends fields so that no two different sequences of fields give the same bytes.
class HashInput {
 public:
  void Add(int64_t value) { std::memcpy(Room(sizeof(value)), &value, sizeof(value)); }
  void Add(const std::string& text) {
    Add(static_cast<int64_t>(text.size()));
    std::memcpy(Room(text.size()), text.data(), text.size());
  }
  uint64_t Hash() const { return XXH3_64bits(bytes_.data(), used_); }

 private:
  // The next `size` bytes.
  char* Room(size_t size) {
    if (used_ + size > bytes_.size()) bytes_.resize(2 * (used_ + size));
    used_ += size;
    return bytes_.data() + used_ - size;
  }

  std::string bytes_ = std::string(8192, '\0');
  size_t used_ = 0;
};

}  // namespace

Json Trace::ToJson() const {
  Json json = {{"version", kVersion},
               {"sketch", sketch},
               {"decisions", Json::array()},
               {"directives", Json::array()}};
  for (const Decision& decision : decisions)
    json["decisions"].push_back({{"name", decision.name}, {"value", decision.value}});
  for (const Directive& directive : directives)
    json["directives"].push_back(DirectiveToJson(directive));
  return json;
}

Result<Trace> Trace::FromJson(const Json& json) {
  RETURN_IF_ERROR(CheckVersion(json, "trace", kVersion));
  RETURN_IF_ERROR(OnlyMembers(json, {"version", "sketch", "decisions", "directives"}));
  Trace trace;
  ASSIGN_OR_RETURN(trace.sketch, Field<std::string>(json, "sketch"));
  ASSIGN_OR_RETURN(const Json* decisions, ListMember(json, "decisions"));
  for (size_t i = 0; i < decisions->size(); ++i) {
    auto decision = DecisionFromJson((*decisions)[i]);
    if (!decision) return Prefixed(decision.error(), fmt::format("decision {}", i));
    trace.decisions.push_back(*std::move(decision));
  }
  ASSIGN_OR_RETURN(const Json* directives, ListMember(json, "directives"));
  for (size_t i = 0; i < directives->size(); ++i) {
    auto directive = DirectiveFromJson((*directives)[i]);
    if (!directive) return Prefixed(directive.error(), fmt::format("directive {}", i));
    trace.directives.push_back(*std::move(directive));
  }
  return trace;
}

uint64_t Trace::DirectivesHash() const {
  HashInput input;
  for (const Directive& d : directives) {
    input.Add(static_cast<int64_t>(d.kind));
    input.Add(d.stage);
    input.Add(d.definition);
    input.Add(d.loop);
    input.Add(static_cast<int64_t>(d.names.size()));
    for (const std::string& name : d.names) input.Add(name);
    input.Add(d.factor);
    input.Add(static_cast<int64_t>(d.tail));
    input.Add(d.at);
    input.Add(d.memory);
    input.Add(static_cast<int64_t>(d.layout.size()));
    for (const PackLevel& level : d.layout) {
      input.Add(level.dim);
      input.Add(level.size);
    }
    input.Add(d.algorithm);
  }
  return input.Hash();
}

std::string Trace::ToCpp() const {
  std::string text;
  for (const Directive& directive : directives) text += DirectiveToCpp(directive) + "\n";
  return text;
}

}  // namespace whet
