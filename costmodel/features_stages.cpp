// The output and the stages beside the heaviest one; and the analytic estimate of the whole.
#include "costmodel/feature_groups.h"

namespace whet {
namespace {

void WriteOutput(const FeatureContext& context, FeatureRow& row) {
  const DefinitionInfo* output = nullptr;
  const DefinitionCost* cost = nullptr;
  for (int i = 0; i < context.analysis.count; ++i) {  // its last definition
    if (context.analysis.definitions[i].store.shape->stage != context.dag.output()) continue;
    output = &context.analysis.definitions[i];
    cost = &context.cost.definitions[i];
  }
  if (output == nullptr) return;
  row.Log(kOutBytes, output->store.buffer_bytes);
  row.Log(kOutLanes, static_cast<double>(cost->body.lanes));
  row.Set(kOutContiguous, cost->body.vector_stored);
  const Level& grain = output->levels[cost->parallel_level];
  row.Log(kOutRun, Touch(output->store, *output, grain.tile).run_bytes);
  row.Log(kOutUnroll, cost->body.unroll);
}

}  // namespace

void WriteStageFeatures(const FeatureContext& context, FeatureRow& row) {
  WriteOutput(context, row);
  int computed = 0;  // stages of the DAG that are no inputs
  for (const Stage& stage : context.dag.stages) computed += stage.kind != StageKind::kInput;
  int root = 0;
  double realisations = 0;
  double alloc_bytes = 0;
  double root_bytes = 0;
  double recompute = 1;
  for (const StageNest& stage : context.nest.stages) {
    realisations += stage.realisations;
    const auto bytes = static_cast<double>(stage.buffer_bytes);
    alloc_bytes += bytes;
    if (stage.at_stage < 0) {
      ++root;
      root_bytes += bytes;
    }
    double points = stage.realisations;
    for (int64_t extent : stage.region) points *= static_cast<double>(extent);
    double needed = 1;
    for (const Loop& dim : context.dag.stages[stage.stage].dims)
      needed *= static_cast<double>(dim.extent);
    recompute = std::max(recompute, points / needed);
  }
  row.Set(kStageCount, static_cast<double>(context.nest.stages.size()));
  row.Set(kStageInlined, computed - static_cast<double>(context.nest.stages.size()));
  row.Set(kStageRoot, root);
  row.Log(kStageRealisations, realisations);
  row.Log(kStageAllocBytes, alloc_bytes);
  row.Log(kStageRootBytes, root_bytes);
  row.Log(kStageRecompute, recompute);

  double scalar_cycles = 0;
  double copy_bytes = 0;
  double steps = 0;
  for (int i = 0; i < context.analysis.count; ++i) {
    const DefinitionInfo& info = context.analysis.definitions[i];
    const DefinitionCost& cost = context.cost.definitions[i];
    steps += cost.body.bodies;
    if (cost.body.lanes == 0) scalar_cycles += cost.total;
    if (info.ops.Flops() == 0 && !info.reduces)
      copy_bytes += info.points * info.store.element_bytes;
  }
  row.Set(kStageOtherShare, 1 - context.acc_cost.total / context.cost.total);
  row.Set(kStageScalarShare, scalar_cycles / context.cost.total);
  row.Log(kStageCopyBytes, copy_bytes);
  row.Log(kStageLoopSteps, steps);
}

void WriteRooflineFeatures(const FeatureContext& context, FeatureRow& row) {
  const NestCost& cost = context.cost;
  row.Log(kRoofCompute, cost.compute);
  row.Log(kRoofL2, cost.l2);
  row.Log(kRoofL3, cost.l3);
  row.Log(kRoofDram, cost.dram);
  row.Log(kRoofLaunch, cost.launch);
  row.Log(kRoofTotal, cost.total);
  row.Set(kRoofEfficiency, std::clamp(cost.least / cost.total, 1e-6, 1.0));
}

}  // namespace whet
