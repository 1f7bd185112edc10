#include "costmodel/features.h"

#include <cassert>

#include "costmodel/feature_groups.h"

namespace whet {
namespace {

void WriteMachineFeatures(const MachineModel& machine, FeatureRow& row) {
  row.Log(kMachineThreads, machine.threads);
  row.Log(kMachineVectorBytes, machine.vector_bytes);
  row.Log(kMachineVectorRegisters, machine.vector_registers);
  row.Log(kMachineL1, static_cast<double>(machine.l1_bytes));
  row.Log(kMachineL2, static_cast<double>(machine.l2_bytes));
  row.Log(kMachineL3, static_cast<double>(machine.l3_bytes));
}

}  // namespace

std::span<const FeatureInfo> FeatureTable() {
  static const FeatureInfo kTable[] = {
#define WHET_FEATURE_INFO(id, name, unit, meaning) {name, unit, meaning},
      WHET_ALL_FEATURES(WHET_FEATURE_INFO)
#undef WHET_FEATURE_INFO
  };
  return kTable;
}

int FeatureIndex(std::string_view name) {
  const auto table = FeatureTable();
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

void ExtractFeatures(const Dag& dag, const LoopNest& nest, const MachineModel& machine,
                     std::span<float> row) {
  assert(row.size() == kFeatureCount);
  FeatureRow out(row);
  WriteMachineFeatures(machine, out);
  thread_local NestAnalysis analysis;
  thread_local NestCost cost;
  Analyse(dag, nest, &analysis);
  if (analysis.count == 0) return;
  EstimateCost(dag, analysis, machine, &cost);
  double work_flops = 0;
  for (int i = 0; i < analysis.count; ++i) work_flops += analysis.definitions[i].Flops();
  const FeatureContext context{dag,
                               nest,
                               machine,
                               analysis,
                               cost,
                               analysis.definitions[analysis.acc],
                               cost.definitions[analysis.acc],
                               dag.TotalFlops(),
                               work_flops};
  WriteTaskFeatures(context, out);
  WriteAccFeatures(context, out);
  WriteParallelFeatures(context, out);
  WriteMemoryFeatures(context, out);
  WriteStageFeatures(context, out);
  WriteRooflineFeatures(context, out);
}

}  // namespace whet
