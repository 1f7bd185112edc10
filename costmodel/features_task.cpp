// What the algorithm needs and what the schedule does of it.
#include "costmodel/feature_groups.h"

namespace whet {

void WriteTaskFeatures(const FeatureContext& context, FeatureRow& row) {
  OpCounts needed;
  double input_bytes = 0;
  double output_elements = 1;
  for (size_t s = 0; s < context.dag.stages.size(); ++s) {
    const Stage& stage = context.dag.stages[s];
    double elements = 1;
    for (const Loop& dim : stage.dims) elements *= static_cast<double>(dim.extent);
    if (stage.kind == StageKind::kInput) {
      input_bytes += elements * static_cast<double>(SizeOf(stage.dtype));
    }
    if (static_cast<int>(s) == context.dag.output()) output_elements = elements;
    for (const Definition& definition : stage.definitions) {
      double points = 1;
      for (const Loop& loop : definition.loops) points *= static_cast<double>(loop.extent);
      needed.fma += points * definition.ops.fma;
      needed.transcendental += points * definition.ops.transcendental;
      needed.div += points * definition.ops.div;
      needed.minmax += points * definition.ops.minmax;
    }
  }
  const Stage& output = context.dag.stages[context.dag.output()];
  const double output_bytes = output_elements * static_cast<double>(SizeOf(output.dtype));
  row.Log(kTaskFlops, context.task_flops);
  row.Log(kTaskFma, needed.fma);
  row.Log(kTaskTranscendental, needed.transcendental);
  row.Log(kTaskDiv, needed.div);
  row.Log(kTaskMinMax, needed.minmax);
  row.Log(kTaskOutput, output_elements);
  row.Log(kTaskInputBytes, input_bytes);
  row.LogRatio(kTaskIntensity, context.task_flops, input_bytes + output_bytes);

  double visited = 0;
  double covered = 0;
  double transcendental = 0;
  for (int i = 0; i < context.analysis.count; ++i) {
    const DefinitionInfo& info = context.analysis.definitions[i];
    visited += info.evaluations;
    covered += info.points;
    transcendental += info.points * info.ops.transcendental;
  }
  row.Log(kWorkFlops, context.work_flops);
  row.LogRatio(kWorkRecompute, context.work_flops, context.task_flops);
  row.LogRatio(kWorkPadding, visited, covered);
  row.Log(kWorkTranscendental, transcendental);
}

}  // namespace whet
