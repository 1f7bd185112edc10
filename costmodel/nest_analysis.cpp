#include "costmodel/nest_analysis.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "schedules/index_range.h"

namespace whet {
namespace {

AccessInfo ReadBuffer(const Dag& dag, const LoopNest& nest, const AccessShape& shape) {
  AccessInfo access;
  access.shape = &shape;
  const int stage = shape.stage;
  const Stage& source = dag.stages[stage];
  const int dims = static_cast<int>(std::min<size_t>(source.dims.size(), kMaxDims));
  access.element_bytes = static_cast<int>(SizeOf(source.dtype));
  access.layout = stage < static_cast<int>(nest.layouts.size()) ? &nest.layouts[stage] : nullptr;
  access.packed = access.layout != nullptr && !access.layout->levels.empty();
  const int at = stage < static_cast<int>(nest.nest_of.size()) ? nest.nest_of[stage] : -1;
  access.local = at >= 0 && nest.stages[at].at_stage >= 0;
  int64_t natural = 1;
  for (int d = 0; d < dims; ++d) {
    access.extents[d] = source.dims[d].extent;
    // A local buffer holds one realisation: its rows are as long as the region.
    if (access.local && d < static_cast<int>(nest.stages[at].region.size())) {
      access.extents[d] = std::max<int64_t>(1, nest.stages[at].region[d]);
    }
    access.strides[d] = natural;
    if (access.packed && d < static_cast<int>(access.layout->strides.size())) {
      access.strides[d] = access.layout->strides[d];
    }
    natural *= access.extents[d];
  }
  access.buffer_bytes = static_cast<double>(natural) * access.element_bytes;
  access.buffer_lines = std::ceil(access.buffer_bytes / kLineBytes);
  return access;
}

void ReadAccesses(const Dag& dag, const LoopNest& nest, const InlinedDefinition& inlined,
                  DefinitionInfo& info) {
  info.read_count = static_cast<int>(inlined.reads.size());
  for (int r = 0; r < info.read_count; ++r) info.reads[r] = ReadBuffer(dag, nest, inlined.reads[r]);
  info.store = ReadBuffer(dag, nest, inlined.store);
}

// Distinct values of dimension `d` of the access when each loop covers `tile` of its values, at
// most `extent`.
int64_t Width(const AccessShape& access, int d, int64_t extent, int loops, const Tile& tile) {
  if (access.affine[d]) {
    int64_t span = 1;
    int64_t distinct = 1;
    for (uint32_t left = access.moved_by[d]; left != 0; left &= left - 1) {
      const int l = std::countr_zero(left);
      span += std::abs(access.steps[d][l]) * (tile[l] - 1);
      distinct = std::min(distinct * tile[l], extent);
    }
    return std::clamp<int64_t>(std::min(span, distinct), 1, std::max<int64_t>(1, extent));
  }
  const int64_t width =
      WidthOf(*access.index[d], std::span(tile).first(static_cast<size_t>(loops)));
  return std::clamp<int64_t>(width, 1, std::max<int64_t>(1, extent));
}

constexpr Tile kOnes = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static_assert(kOnes.back() == 1);

// Who reads a stage: a list a stage, of all reads of the definitions analysed so far.
class Readers {
 public:
  explicit Readers(size_t stages) : heads_(stages, -1) {}
  void Add(int definition, const DefinitionInfo& info) {
    for (int r = 0; r < info.read_count; ++r) {
      if (info.reads[r].shape->duplicate) continue;
      int& head = heads_[static_cast<size_t>(info.reads[r].shape->stage)];
      reads_.push_back({definition, r, head});
      head = static_cast<int>(reads_.size()) - 1;
    }
  }
  // Calls `visit` with the number of a definition and of a read of it.
  template <typename Visit>
  void ForEach(int stage, const Visit& visit) const {
    for (int i = heads_[static_cast<size_t>(stage)]; i >= 0; i = reads_[i].next)
      visit(reads_[i].definition, reads_[i].read);
  }

 private:
  struct Read {
    int definition, read, next;
  };
  std::vector<int> heads_;
  std::vector<Read> reads_;
};

// Values of pure loop `loop` of `stage` that one iteration of level `v` needs, by all that read the
// stage there; 0 if nothing does.
int64_t Needed(const NestAnalysis& analysis, const Readers& readers, int stage, int loop,
               int64_t extent, int v) {
  int64_t needed = 0;
  readers.ForEach(stage, [&](int definition, int read) {
    const DefinitionInfo& reader = analysis.definitions[definition];
    const AccessShape& access = *reader.reads[read].shape;
    if (v >= reader.level_count || loop >= access.dims) return;
    needed =
        std::max(needed, Width(access, loop, extent, reader.loop_count, reader.levels[v].tile));
  });
  return needed;
}

// Dimensions of `stage` of which an iteration of level `v` may need other values than one of the
// level around, a bit each.
uint32_t MayChange(const NestAnalysis& analysis, const Readers& readers, int stage, int v) {
  uint32_t dims = 0;
  readers.ForEach(stage, [&](int definition, int read) {
    const DefinitionInfo& reader = analysis.definitions[definition];
    const AccessShape& access = *reader.reads[read].shape;
    if (v == reader.level_count) dims = ~0U;  // reads nothing any more
    if (v >= reader.level_count) return;
    for (int d = 0; d < access.dims; ++d)
      dims |= static_cast<uint32_t>((access.moved_by[d] & reader.levels[v].changed) != 0) << d;
  });
  return dims;
}

const DefinitionInfo* LastDefinition(const NestAnalysis& analysis, int stage) {
  for (int i = analysis.count; i-- > 0;)
    if (analysis.definitions[i].store.shape->stage == stage) return &analysis.definitions[i];
  return nullptr;
}

// Adds the run and the levels of consumers: what each iteration of theirs needs of this definition.
// Whoever reads the stage stands inside the same loops, so that its levels have the same numbers.
void AddOuterLevels(const NestAnalysis& analysis, const Readers& readers, const StageNest& stage,
                    DefinitionInfo& info) {
  Level& run = info.levels[0];
  static constexpr Level kRun = {1, LoopKind::kSerial, false, false, false, -1, 0, 1.0, ~0U, kOnes};
  run = kRun;
  for (int l = 0; l < info.loop_count; ++l) run.tile[l] = info.source->loops[l].extent;
  info.level_count = 1;
  if (stage.at_stage < 0) return;
  // The last definition of the consumer is what holds us.
  const DefinitionInfo* consumer = LastDefinition(analysis, stage.at_stage);
  if (consumer == nullptr) return;
  const int levels = std::min(consumer->outer_levels + stage.at_loop + 1, consumer->level_count);
  for (int v = 1; v < levels; ++v) {
    const Level& around = info.levels[v - 1];
    const Level& theirs = consumer->levels[v];
    Level& level = info.levels[v];
    level = {theirs.extent, theirs.kind, theirs.reduction, theirs.guarded, false, -1, theirs.step,
             theirs.trips,  0,           around.tile};
    const uint32_t moved = v == 1 ? ~0U : MayChange(analysis, readers, stage.stage, v);
    if (moved == 0) continue;
    for (int l = 0; l < info.pure_loops; ++l) {
      if ((moved >> l & 1) == 0) continue;
      const int64_t extent = info.source->loops[l].extent;
      const int64_t needed = Needed(analysis, readers, stage.stage, l, extent, v);
      level.tile[l] = needed > 0 ? needed : extent;
      level.changed |= static_cast<uint32_t>(level.tile[l] != around.tile[l]) << l;
    }
  }
  info.level_count = std::max(1, levels);
}

void AddOwnLevels(DefinitionInfo& info) {
  info.outer_levels = info.level_count;
  double trips = info.levels[info.level_count - 1].trips;
  for (const NestLoop& loop : info.loops->loops) {
    if (info.level_count == kMaxLevels) break;
    Level& level = info.levels[info.level_count++];
    const Level& around = info.levels[info.level_count - 2];
    trips *= static_cast<double>(std::max<int64_t>(1, loop.extent));
    level.extent = loop.extent;
    level.kind = loop.kind;
    level.reduction = loop.reduction;
    level.guarded = loop.guarded;
    level.own = true;
    level.origin = loop.origin;
    level.step = loop.step;
    level.trips = trips;
    level.changed = 0;
    level.tile = kOnes;
    const int known = std::min<int>(info.loop_count, static_cast<int>(loop.tile.size()));
    for (int l = 0; l < known; ++l) level.tile[l] = std::max<int64_t>(1, loop.tile[l]);
    for (int l = 0; l < info.loop_count; ++l)
      level.changed |= static_cast<uint32_t>(level.tile[l] != around.tile[l]) << l;
  }
  info.evaluations = trips;
  info.body = 0;
  for (int v = 0; v < info.level_count; ++v) {
    if (info.levels[v].Repeats()) info.body = v;
  }
}

// Elements from the first on that lie side by side in a packed buffer.
int64_t PackedRun(const AccessInfo& access, const Widths& widths) {
  const int dims = access.shape->dims;
  int64_t left[kMaxDims];
  int64_t extent[kMaxDims];
  std::copy_n(widths.begin(), dims, left);
  std::copy_n(access.extents, dims, extent);
  int64_t run = 1;
  for (const PackLevel& level : access.layout->levels) {
    const int d = dims - 1 - level.dim;  // a layout counts dimensions from the outermost
    if (d < 0 || d >= dims) break;
    const int64_t size = level.size > 0 ? level.size : extent[d];
    run *= std::min(size, left[d]);
    if (left[d] < size) break;
    left[d] = (left[d] + size - 1) / size;
    extent[d] = (extent[d] + size - 1) / size;
  }
  return run;
}

}  // namespace

int64_t AccessInfo::Stride(int loop) const {
  int64_t stride = 0;
  if (!shape->DependsOn(loop)) return 0;
  for (int d = 0; d < shape->dims; ++d) stride += shape->steps[d][loop] * strides[d];
  return stride;
}

void SetWidths(const AccessInfo& access, const DefinitionInfo& info, const Tile& tile,
               uint32_t changed, Widths* widths) {
  const AccessShape& shape = *access.shape;
  for (int d = 0; d < shape.dims; ++d) {
    if (changed != ~0U && (shape.moved_by[d] & changed) == 0) continue;
    (*widths)[d] = Width(shape, d, access.extents[d], info.loop_count, tile);
  }
}

Footprint Touch(const AccessInfo& access, const DefinitionInfo& info, const Tile& tile) {
  Widths widths;
  SetWidths(access, info, tile, ~0U, &widths);
  return Touch(access, widths);
}

Footprint Touch(const AccessInfo& access, const Widths& widths) {
  constexpr auto kLine = static_cast<int64_t>(kLineBytes);
  const int dims = access.shape->dims;
  // The contiguous run: innermost levels of the layout, as long as each is covered whole; and how
  // many runs there are.
  int64_t run = 1;
  double runs = 1;
  if (access.packed) {
    run = PackedRun(access, widths);
    int64_t elements = 1;
    for (int d = 0; d < dims; ++d) elements *= widths[d];
    run = std::min(run, elements);
    runs = static_cast<double>(elements) / static_cast<double>(run);
  } else {
    int d = 0;
    for (bool whole = true; d < dims && whole; ++d) {
      run *= widths[d];
      whole = widths[d] >= access.extents[d];
    }
    int64_t others = 1;
    for (; d < dims; ++d) others *= widths[d];
    runs = static_cast<double>(others);
  }
  const int64_t run_bytes = run * access.element_bytes;
  const double lines = runs * static_cast<double>((run_bytes + kLine - 1) / kLine);
  return {runs * static_cast<double>(run), std::max(1.0, std::min(lines, access.buffer_lines)),
          static_cast<double>(run_bytes)};
}

void Analyse(const Dag& dag, const LoopNest& nest, NestAnalysis* result) {
  NestAnalysis& analysis = *result;
  int total = 0;
  for (const StageNest& stage : nest.stages) total += static_cast<int>(stage.definitions.size());
  if (analysis.capacity < total || analysis.definitions == nullptr) {
    analysis.capacity = std::max(1, total);
    analysis.definitions = std::make_unique_for_overwrite<DefinitionInfo[]>(analysis.capacity);
  }
  analysis.count = analysis.acc = 0;
  Readers readers(dag.stages.size());
  double heaviest = -1;
  for (size_t n = 0; n < nest.stages.size(); ++n) {
    const StageNest& stage = nest.stages[n];
    const Stage& source = dag.stages[stage.stage];
    for (size_t d = 0; d < stage.definitions.size(); ++d) {
      DefinitionInfo& info = analysis.definitions[analysis.count];
      info.nest = static_cast<int>(n);
      info.definition = static_cast<int>(d);
      info.loops = &stage.definitions[d];
      info.source = &source.definitions[info.loops->definition];
      const InlinedDefinition& inlined = nest.inlined->Of(stage.stage, d);
      info.ops = inlined.ops;
      info.loop_count = static_cast<int>(std::min<size_t>(info.source->loops.size(), kMaxLoops));
      info.pure_loops = static_cast<int>(std::min<size_t>(source.dims.size(), info.loop_count));
      info.realisations = stage.realisations;
      info.reduces = info.loops->definition > 0;
      info.points = stage.realisations;
      for (int64_t values : info.loops->region) info.points *= static_cast<double>(values);
      ReadAccesses(dag, nest, inlined, info);
      AddOuterLevels(analysis, readers, stage, info);
      AddOwnLevels(info);
      readers.Add(analysis.count, info);
      // Without arithmetic anywhere (a transposition) the definition with the most points is the
      // heaviest.
      const double weight = info.Flops() + 1e-3 * info.points;
      if (weight > heaviest) {
        heaviest = weight;
        analysis.acc = analysis.count;
      }
      ++analysis.count;
    }
  }
}

}  // namespace whet
