// What the heaviest definition reads, how often, from how far; and the traffic of all definitions.
#include <array>

#include "costmodel/feature_groups.h"

namespace whet {
namespace {

constexpr int kReadsShown = 4;
constexpr int kFeaturesPerRead = kRead1Bytes - kRead0Bytes;

// The same feature of the read in place `shown`.
FeatureId Of(FeatureId of_first, int shown) {
  return static_cast<FeatureId>(of_first + shown * kFeaturesPerRead);
}

// The working set of the innermost repeating loop whose iterations all touch the same of this read.
double ReuseDistance(const DefinitionInfo& info, const Footprints& footprints, int access) {
  for (int v = info.body; v > 0; --v) {
    if (!info.levels[v].Repeats()) continue;
    if (footprints.lines[access][v - 1] <= footprints.lines[access][v] * 1.001) {
      return footprints.working_set[v];
    }
  }
  return footprints.working_set[0];
}

void WriteRead(const DefinitionInfo& info, const DefinitionCost& cost, int read, int shown,
               double bytes, FeatureRow& row) {
  const AccessInfo& access = info.reads[read];
  const Level& inner = info.levels[info.body];
  row.Log(Of(kRead0Bytes, shown), bytes);
  row.Log(Of(kRead0Lines, shown), cost.footprints.lines[read][info.body]);
  const Level& around = info.levels[std::max(0, info.body - 1)];
  row.Log(Of(kRead0Run, shown), Touch(access, info, around.tile).run_bytes);
  const int vector_loop = cost.body.vector_loop;
  row.Log(Of(kRead0Stride, shown),
          vector_loop >= 0 ? std::abs(static_cast<double>(access.Stride(vector_loop))) : 0.0);
  double inner_stride = 0;
  if (inner.own && inner.origin >= 0 && inner.origin < info.loop_count) {
    inner_stride = std::abs(static_cast<double>(access.Stride(inner.origin) * inner.step));
  }
  row.Log(Of(kRead0InnerStride, shown), inner_stride * access.element_bytes);
  row.LogRatio(Of(kRead0Reuse, shown), info.points, bytes / access.element_bytes);
  row.Log(Of(kRead0Distance, shown), ReuseDistance(info, cost.footprints, read));
  row.Log(Of(kRead0TrafficL1, shown), cost.footprints.traffic[read][kL1]);
  row.Log(Of(kRead0TrafficL2, shown), cost.footprints.traffic[read][kL2]);
  row.Set(Of(kRead0Local, shown), access.local);
  row.Set(Of(kRead0Packed, shown), access.packed);
}

void WriteReads(const DefinitionInfo& info, const DefinitionCost& cost, FeatureRow& row) {
  std::array<double, kMaxReads> bytes{};
  std::array<bool, kMaxReads> done{};
  for (int r = 0; r < info.read_count; ++r) {
    const AccessInfo& access = info.reads[r];
    done[r] = access.shape->duplicate;
    if (done[r]) continue;
    bytes[r] = Touch(access, info, info.levels[0].tile).elements * access.element_bytes;
  }
  for (int shown = 0; shown < kReadsShown; ++shown) {
    int largest = -1;
    for (int r = 0; r < info.read_count; ++r) {
      if (!done[r] && (largest < 0 || bytes[r] > bytes[largest])) largest = r;
    }
    if (largest < 0) return;
    done[largest] = true;
    WriteRead(info, cost, largest, shown, bytes[largest], row);
  }
}

}  // namespace

void WriteMemoryFeatures(const FeatureContext& context, FeatureRow& row) {
  const DefinitionInfo& acc = context.acc;
  const Footprints& footprints = context.acc_cost.footprints;
  WriteReads(acc, context.acc_cost, row);

  const int tile = std::min(acc.outer_levels - 1, acc.body);
  const int grain = std::min(context.acc_cost.parallel_level, acc.body);
  row.Log(kMemBodySet, footprints.working_set[acc.body]);
  row.Log(kMemInnerSet, footprints.working_set[std::max(0, acc.body - 1)]);
  row.Log(kMemTileSet, footprints.working_set[tile]);
  row.Log(kMemGrainSet, footprints.working_set[grain]);
  row.LogRatio(kMemTileL1, footprints.working_set[tile],
               static_cast<double>(context.machine.l1_bytes));
  row.LogRatio(kMemTileL2, footprints.working_set[tile],
               static_cast<double>(context.machine.l2_bytes));

  constexpr FeatureId kTrips[] = {kMemTripsL1, kMemTripsL2, kMemTripsL3};
  constexpr FeatureId kTraffic[] = {kMemTrafficL1, kMemTrafficL2, kMemTrafficL3};
  constexpr FeatureId kIntensity[] = {kMemIntensityL1, kMemIntensityL2, kMemIntensityL3};
  for (int cache = 0; cache < kCacheLevels; ++cache) {
    row.Log(kTrips[cache], acc.levels[std::min(footprints.fits[cache], acc.body)].trips);
    double traffic = 0;
    for (int i = 0; i < context.analysis.count; ++i) {
      traffic += context.cost.definitions[i].footprints.total[cache];
    }
    row.Log(kTraffic[cache], traffic);
    row.LogRatio(kIntensity[cache], context.work_flops, traffic);
  }
}

}  // namespace whet
