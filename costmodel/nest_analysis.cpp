#include "costmodel/nest_analysis.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "schedules/index_range.h"

namespace whet {
namespace {

// Coefficients of an expression that is affine up to clamping against constants; false for any
// other.
bool ReadAffine(const IndexExpr& expr, int loops, int64_t* coefficients) {
  constexpr int kDepth = 8;
  int64_t stack[kDepth][kMaxLoops];
  bool constant[kDepth];
  int64_t value[kDepth];
  int top = 0;
  for (const IndexExpr::Node& node : expr.nodes) {
    switch (node.op) {
      case IndexExpr::Op::kConst:
      case IndexExpr::Op::kLoop: {
        if (top == kDepth) return false;
        std::fill_n(stack[top], loops, int64_t{0});
        constant[top] = node.op == IndexExpr::Op::kConst;
        value[top] = constant[top] ? node.value : 0;
        if (!constant[top]) {
          if (node.value < 0 || node.value >= loops) return false;
          stack[top][node.value] = 1;
        }
        ++top;
        break;
      }
      case IndexExpr::Op::kAdd: {
        if (top < 2) return false;
        --top;
        for (int l = 0; l < loops; ++l) stack[top - 1][l] += stack[top][l];
        value[top - 1] += value[top];
        constant[top - 1] = constant[top - 1] && constant[top];
        break;
      }
      case IndexExpr::Op::kMul: {
        if (top < 1) return false;
        for (int l = 0; l < loops; ++l) stack[top - 1][l] *= node.value;
        value[top - 1] *= node.value;
        break;
      }
      case IndexExpr::Op::kMin:
      case IndexExpr::Op::kMax: {
        if (top < 2) return false;
        --top;
        if (!constant[top] && !constant[top - 1]) return false;
        if (constant[top - 1]) {
          std::copy_n(stack[top], loops, stack[top - 1]);
          constant[top - 1] = constant[top];
        }
        break;
      }
      default:
        return false;
    }
  }
  if (top != 1) return false;
  std::copy_n(stack[0], loops, coefficients);
  return true;
}

void SetBuffer(const Dag& dag, const LoopNest& nest, int stage, AccessInfo& access) {
  const Stage& source = dag.stages[stage];
  access.stage = stage;
  access.dims = static_cast<int>(std::min<size_t>(source.dims.size(), kMaxDims));
  access.element_bytes = static_cast<int>(SizeOf(source.dtype));
  access.layout = stage < static_cast<int>(nest.layouts.size()) ? &nest.layouts[stage] : nullptr;
  access.packed = access.layout != nullptr && !access.layout->levels.empty();
  const int at = stage < static_cast<int>(nest.nest_of.size()) ? nest.nest_of[stage] : -1;
  access.local = at >= 0 && nest.stages[at].at_stage >= 0;
  access.duplicate = false;
  access.loops = 0;
  int64_t natural = 1;
  for (int d = 0; d < access.dims; ++d) {
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
}

// The index of dimension `d` is that loop alone.
void SetLoop(int d, int loop, AccessInfo& access) {
  std::fill_n(access.steps[d], kMaxLoops, int64_t{0});
  access.affine[d] = true;
  access.steps[d][loop] = 1;
  access.moved_by[d] = 1U << loop;
  access.loops |= access.moved_by[d];
}

void SetIndex(int d, const IndexExpr& expr, int loops, AccessInfo& access) {
  access.index[d] = &expr;
  const IndexExpr::Node& first = expr.nodes.front();
  if (expr.nodes.size() == 1 && first.op == IndexExpr::Op::kLoop && first.value < loops)
    return SetLoop(d, static_cast<int>(first.value), access);
  std::fill_n(access.steps[d], kMaxLoops, int64_t{0});
  access.affine[d] = ReadAffine(expr, loops, access.steps[d]);
  access.moved_by[d] = 0;
  for (int l = 0; l < loops; ++l) {
    if (!access.affine[d]) access.steps[d][l] = expr.Step(l);
    const bool moves = access.steps[d][l] != 0 || (!access.affine[d] && expr.Uses(l));
    access.moved_by[d] |= static_cast<uint32_t>(moves) << l;
  }
  access.loops |= access.moved_by[d];
}

bool SameShape(const AccessInfo& a, const AccessInfo& b) {
  if (a.stage != b.stage || a.loops != b.loops) return false;
  for (int d = 0; d < a.dims; ++d) {
    if (!a.affine[d] || !b.affine[d] || a.moved_by[d] != b.moved_by[d]) return false;
    if (!std::equal(a.steps[d], a.steps[d] + kMaxLoops, b.steps[d])) return false;
  }
  return true;
}

void ReadAccesses(const Dag& dag, const LoopNest& nest, DefinitionInfo& info) {
  info.read_count = 0;
  const int number = info.loops->definition;
  for (const LoopNest::Read& read : nest.reads) {
    if (read.nest != info.nest || read.definition != number || info.read_count == kMaxReads)
      continue;
    AccessInfo& access = info.reads[info.read_count++];
    SetBuffer(dag, nest, read.stage, access);
    access.dims = std::min<int>(access.dims, static_cast<int>(read.index.size()));
    for (int d = 0; d < access.dims; ++d) SetIndex(d, read.index[d], info.loop_count, access);
    for (int r = 0; r + 1 < info.read_count && !access.duplicate; ++r)
      access.duplicate = SameShape(info.reads[r], access);
  }
  SetBuffer(dag, nest, nest.stages[info.nest].stage, info.store);
  info.store.dims = std::min(info.store.dims, info.pure_loops);
  for (int d = 0; d < info.store.dims; ++d) {
    info.store.index[d] = nullptr;
    SetLoop(d, d, info.store);
  }
}

// Distinct values of dimension `d` of the access when each loop covers `tile` of its values, at
// most `extent`.
int64_t Width(const AccessInfo& access, int d, int64_t extent, int loops, const int64_t* tile) {
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
  const int64_t width = WidthOf(*access.index[d], {tile, static_cast<size_t>(loops)});
  return std::clamp<int64_t>(width, 1, std::max<int64_t>(1, extent));
}

// Who reads a stage: a list a stage, of all reads of the definitions analysed so far.
class Readers {
 public:
  explicit Readers(size_t stages) : heads_(stages, -1) {}
  void Add(int definition, const DefinitionInfo& info) {
    for (int r = 0; r < info.read_count; ++r) {
      if (info.reads[r].duplicate) continue;
      int& head = heads_[static_cast<size_t>(info.reads[r].stage)];
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
    const AccessInfo& access = reader.reads[read];
    if (v >= reader.level_count || loop >= access.dims) return;
    needed = std::max(needed,
                      Width(access, loop, extent, reader.loop_count, reader.levels[v].tile));
  });
  return needed;
}

// Adds the run and the levels of consumers: what each iteration of theirs needs of this definition.
// Whoever reads the stage stands inside the same loops, so that its levels have the same numbers.
void AddOuterLevels(const NestAnalysis& analysis, const Readers& readers, const StageNest& stage,
                    DefinitionInfo& info) {
  Level& run = info.levels[0];
  run = Level{1, LoopKind::kSerial, false, false, false, -1, 0, 1.0, {}};
  std::fill_n(run.tile, kMaxLoops, int64_t{1});
  for (int l = 0; l < info.loop_count; ++l) run.tile[l] = info.source->loops[l].extent;
  info.level_count = 1;
  const DefinitionInfo* consumer = nullptr;
  for (int i = 0; i < analysis.count;
       ++i) {  // the last definition of the consumer is what holds us
    const DefinitionInfo& other = analysis.definitions[i];
    if (other.store.stage == stage.at_stage) consumer = &other;
  }
  if (stage.at_stage < 0 || consumer == nullptr) return;
  const int levels = std::min(consumer->outer_levels + stage.at_loop + 1, consumer->level_count);
  for (int v = 1; v < levels; ++v) {
    Level& level = info.levels[info.level_count++];
    level = consumer->levels[v];
    level.own = false;
    level.origin = -1;
    for (int l = 0; l < info.loop_count; ++l) {
      const int64_t extent = info.source->loops[l].extent;
      level.tile[l] = extent;
      if (l >= info.pure_loops) continue;
      const int64_t needed = Needed(analysis, readers, stage.stage, l, extent, v);
      if (needed > 0) level.tile[l] = needed;
    }
  }
}

void AddOwnLevels(DefinitionInfo& info) {
  info.outer_levels = info.level_count;
  double trips = info.levels[info.level_count - 1].trips;
  for (const NestLoop& loop : info.loops->loops) {
    if (info.level_count == kMaxLevels) break;
    Level& level = info.levels[info.level_count++];
    trips *= static_cast<double>(std::max<int64_t>(1, loop.extent));
    level =
        Level{loop.extent, loop.kind, loop.reduction, loop.guarded, true, loop.origin, loop.step,
              trips,       {}};
    std::fill_n(level.tile, kMaxLoops, int64_t{1});
    const int known = std::min<int>(info.loop_count, static_cast<int>(loop.tile.size()));
    for (int l = 0; l < known; ++l) level.tile[l] = std::max<int64_t>(1, loop.tile[l]);
  }
  info.evaluations = trips;
  info.body = 0;
  for (int v = 0; v < info.level_count; ++v) {
    if (info.levels[v].Repeats()) info.body = v;
  }
}

}  // namespace

int64_t AccessInfo::Stride(int loop) const {
  int64_t stride = 0;
  if (!DependsOn(loop)) return 0;
  for (int d = 0; d < dims; ++d) stride += steps[d][loop] * strides[d];
  return stride;
}

Footprint Touch(const AccessInfo& access, const DefinitionInfo& info, const int64_t* tile) {
  int64_t widths[kMaxDims];
  double elements = 1;
  for (int d = 0; d < access.dims; ++d) {
    widths[d] = Width(access, d, access.extents[d], info.loop_count, tile);
    elements *= static_cast<double>(widths[d]);
  }
  // The contiguous run: innermost levels of the layout, as long as each is covered whole.
  double run = 1;
  if (access.packed) {
    int64_t left[kMaxDims];
    int64_t extent[kMaxDims];
    std::copy_n(widths, access.dims, left);
    std::copy_n(access.extents, access.dims, extent);
    for (const PackLevel& level : access.layout->levels) {
      const int d = access.dims - 1 - level.dim;  // a layout counts dimensions from the outermost
      if (d < 0 || d >= access.dims) break;
      const int64_t size = level.size > 0 ? level.size : extent[d];
      run *= static_cast<double>(std::min(size, left[d]));
      if (left[d] < size) break;
      left[d] = (left[d] + size - 1) / size;
      extent[d] = (extent[d] + size - 1) / size;
    }
  } else {
    for (int d = 0; d < access.dims; ++d) {
      run *= static_cast<double>(widths[d]);
      if (widths[d] < access.extents[d]) break;
    }
  }
  run = std::min(run, elements);
  const double run_bytes = run * access.element_bytes;
  double lines = elements / run * std::ceil(run_bytes / kLineBytes);
  lines = std::min(lines, std::ceil(access.buffer_bytes / kLineBytes));
  return {elements, std::max(1.0, lines), run_bytes};
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
      info.ops = n < nest.ops.size() && d < nest.ops[n].size() ? nest.ops[n][d] : info.source->ops;
      info.loop_count = static_cast<int>(std::min<size_t>(info.source->loops.size(), kMaxLoops));
      info.pure_loops = static_cast<int>(std::min<size_t>(source.dims.size(), info.loop_count));
      info.realisations = stage.realisations;
      info.reduces = info.loops->definition > 0;
      info.points = stage.realisations;
      for (int64_t values : info.loops->region) info.points *= static_cast<double>(values);
      ReadAccesses(dag, nest, info);
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
