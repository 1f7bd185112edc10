#include "costmodel/roofline.h"

#include <algorithm>
#include <cmath>

namespace whet {
namespace {

// Bytes a cycle and core.
constexpr double kL2Bandwidth = 40;
constexpr double kL3Bandwidth = 12;
constexpr double kDramBandwidth = 5;
constexpr double kLaunchCycles = 6000;
// A cache is shared with what the model does not see: stack, code, the tail of the last tile.
constexpr double kUsablePart = 0.75;

int64_t Usable(const MachineModel& machine, int cache) {
  const int64_t bytes[] = {machine.l1_bytes, machine.l2_bytes,
                           machine.l3_bytes / std::max(1, machine.threads)};
  return static_cast<int64_t>(kUsablePart * static_cast<double>(bytes[cache]));
}

void MeasureFootprints(const DefinitionInfo& info, const MachineModel& machine, Footprints& out) {
  const int accesses = info.read_count + 1;
  Widths widths[kMaxReads + 1];
  for (int v = 0; v <= info.body; ++v) {
    const Level& level = info.levels[v];
    out.working_set[v] = 0;
    for (int a = 0; a < accesses; ++a) {
      const AccessInfo& access = a < info.read_count ? info.reads[a] : info.store;
      if (access.shape->duplicate) continue;
      if (v > 0 && (level.changed & access.shape->loops) == 0) {
        out.lines[a][v] = out.lines[a][v - 1];
      } else {
        SetWidths(access, info, level.tile, level.changed, &widths[a]);
        out.lines[a][v] = Touch(access, widths[a]).lines;
      }
      out.working_set[v] += out.lines[a][v] * kLineBytes;
    }
  }
  for (int cache = 0; cache < kCacheLevels; ++cache) {
    const auto bytes = static_cast<double>(Usable(machine, cache));
    int fits = 0;
    while (fits <= info.body && out.working_set[fits] > bytes) ++fits;
    out.fits[cache] = fits;
    out.total[cache] = 0;
    const int filled = std::max(0, fits - 1);  // one run of the loop around the body that fits
    for (int a = 0; a < accesses; ++a) {
      const AccessInfo& access = a < info.read_count ? info.reads[a] : info.store;
      double& traffic = out.traffic[a][cache];
      traffic = 0;
      if (access.shape->duplicate) continue;
      traffic = out.lines[a][filled] * kLineBytes * info.levels[filled].trips;
      // What is produced and consumed inside a loop stays in the cache that holds it.
      if (access.local && 2 * access.buffer_bytes <= bytes) traffic = 0;
      out.total[cache] += traffic;
    }
  }
}

void MeasureParallel(const DefinitionInfo& info, const MachineModel& machine,
                     DefinitionCost& cost) {
  double before = 1;
  for (int v = 1; v < info.level_count; ++v) {
    const Level& level = info.levels[v];
    if (level.kind == LoopKind::kParallel && level.extent > 1) {
      if (cost.parallel_level == 0) {
        cost.launches = before;
        cost.parallel_outermost = before <= 1;
      } else if (cost.parallel_level != v - 1) {
        break;  // a parallel loop inside a serial one inside a parallel one runs serially
      }
      cost.parallel_level = v;
      cost.parallel *= static_cast<double>(level.extent);
    }
    before = level.trips;
  }
  if (cost.parallel_level == 0) return;
  cost.grain_trips = info.levels[cost.parallel_level].trips;
  const double threads = std::max(1, machine.threads);
  cost.speedup = cost.parallel / std::ceil(cost.parallel / threads);
  // Loops of a consumer start once for all that stands inside them.
  if (!info.levels[cost.parallel_level].own) cost.launches = 0;
}

// Cycles of the task's arithmetic on all threads without a single stall, or of its compulsory
// traffic through L2.
double LeastCycles(const Dag& dag, const MachineModel& machine) {
  double bytes = 0;
  for (size_t s = 0; s < dag.stages.size(); ++s) {
    const Stage& stage = dag.stages[s];
    if (stage.kind != StageKind::kInput && static_cast<int>(s) != dag.output()) continue;
    auto size = static_cast<double>(SizeOf(stage.dtype));
    for (const Loop& dim : stage.dims) size *= static_cast<double>(dim.extent);
    bytes += size;
  }
  const double threads = std::max(1, machine.threads);
  const double lanes = std::max(1.0, machine.vector_bytes / 4.0);
  const double arithmetic = dag.TotalFlops() / (2 * kArithmeticPerCycle * lanes);
  return std::max(1.0, std::max(arithmetic, bytes / kL2Bandwidth) / threads);
}

}  // namespace

void EstimateCost(const Dag& dag, const NestAnalysis& analysis, const MachineModel& machine,
                  NestCost* result) {
  NestCost& cost = *result;
  if (cost.capacity < analysis.count || cost.definitions == nullptr) {
    cost.capacity = std::max(1, analysis.count);
    cost.definitions = std::make_unique_for_overwrite<DefinitionCost[]>(cost.capacity);
  }
  cost.compute = cost.l2 = cost.l3 = cost.dram = cost.launch = cost.total = cost.serial = 0;
  for (int i = 0; i < analysis.count; ++i) {
    const DefinitionInfo& info = analysis.definitions[i];
    DefinitionCost& own = cost.definitions[i];
    own.speedup = own.parallel = own.grain_trips = 1;
    own.launches = 0;
    own.parallel_outermost = true;
    own.parallel_level = 0;
    own.body = ModelBody(info, machine);
    MeasureFootprints(info, machine, own.footprints);
    MeasureParallel(info, machine, own);
    own.compute = own.body.bodies * own.body.cycles / own.speedup;
    own.l2 = own.footprints.total[kL1] / kL2Bandwidth / own.speedup;
    own.l3 = own.footprints.total[kL2] / kL3Bandwidth / own.speedup;
    own.dram = own.footprints.total[kL3] / kDramBandwidth / own.speedup;
    own.launch = own.launches * kLaunchCycles;
    // Out-of-order cores hide much of one behind the other, never all of it.
    const double bound = std::max({own.compute, own.l2, own.l3, own.dram});
    const double sum = own.compute + own.l2 + own.l3 + own.dram;
    own.total = bound + 0.2 * (sum - bound) + own.launch;
    cost.compute += own.compute;
    cost.l2 += own.l2;
    cost.l3 += own.l3;
    cost.dram += own.dram;
    cost.launch += own.launch;
    cost.total += own.total;
    if (own.parallel_level == 0) cost.serial += own.total;
  }
  cost.least = LeastCycles(dag, machine);
  cost.total = std::max(cost.total, 1.0);
}

}  // namespace whet
