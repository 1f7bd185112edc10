// The heaviest definition: its register tile, its loads, its loops; and how it is spread over
// threads.
#include "costmodel/feature_groups.h"

namespace whet {

void WriteAccFeatures(const FeatureContext& context, FeatureRow& row) {
  const DefinitionInfo& acc = context.acc;
  const BodyModel& body = context.acc_cost.body;
  const StageNest& stage = context.nest.stages[acc.nest];
  row.Set(kAccShare, context.work_flops > 0 ? acc.Flops() / context.work_flops : 1.0);
  row.Log(kAccEvaluations, acc.evaluations);
  row.Log(kAccRealisations, acc.realisations);
  row.Set(kAccAtRoot, stage.at_stage < 0);
  row.Log(kAccBufferBytes, static_cast<double>(stage.buffer_bytes));

  row.Log(kAccLanes, static_cast<double>(body.lanes));
  row.Log(kAccVectors, static_cast<double>(body.registers_per_vector));
  row.Set(kAccFill, body.lanes > 0 ? body.fill : 0.0);
  row.Set(kAccVectorStored, body.vector_stored);
  row.Set(kAccVectorReduction, body.vector_reduction);
  row.Log(kAccUnroll, body.unroll);
  row.Log(kAccUnrollPure, body.unroll_pure);
  row.Log(kAccUnrollReduction, body.unroll_reduction);
  const double loads =
      body.vector_loads + body.broadcast_loads + body.gather_loads + body.scalar_loads;
  row.Log(kAccInstructions, body.arithmetic + loads + body.accumulator_moves);
  row.Log(kAccAccumulators, body.accumulators);
  row.LogRatio(kAccRegisterShare, body.accumulators, context.machine.vector_registers);
  row.Log(kAccSpills, body.spills);
  row.Log(kAccVectorTile, body.vector_tile);
  row.Log(kAccScalarTile, body.scalar_tile);

  const double arithmetic = std::max(body.arithmetic, 1.0);
  const double busy = arithmetic / kArithmeticPerCycle;
  row.LogRatio(kAccLatency, body.in_registers ? std::max(0.0, body.latency_cycles - busy) : 0.0,
               busy);
  row.Set(kAccInRegisters, body.in_registers);
  row.Log(kAccReductionRun, body.reduction_run);
  row.Set(kAccLoadsVector, body.vector_loads / arithmetic);
  row.Set(kAccLoadsBroadcast, body.broadcast_loads / arithmetic);
  row.Set(kAccLoadsGather, body.gather_loads / arithmetic);
  row.Set(kAccLoadsScalar, body.scalar_loads / arithmetic);
  row.Set(kAccStores, body.accumulator_moves / arithmetic);

  const Level& inner = acc.levels[acc.body];
  int serial_loops = 0;
  int guards = 0;
  for (int v = 0; v < acc.level_count; ++v) {
    serial_loops += acc.levels[v].Repeats();
    guards += acc.levels[v].guarded;
  }
  row.Log(kAccInnerExtent, static_cast<double>(inner.extent));
  row.Set(kAccInnerReduction, inner.own && inner.reduction);
  row.Log(kAccInnerTrips, inner.trips);
  row.Set(kAccSerialLoops, serial_loops);
  row.Set(kAccGuards, guards);
  row.Set(kAccGuardedBody, body.guarded);
  const double lanes = static_cast<double>(std::max<int64_t>(1, body.lanes));
  row.Log(kAccBodyFlops, body.unroll * lanes * acc.ops.Flops());
}

void WriteParallelFeatures(const FeatureContext& context, FeatureRow& row) {
  const DefinitionCost& cost = context.acc_cost;
  const double threads = std::max(1, context.machine.threads);
  double launches = 0;
  for (int i = 0; i < context.analysis.count; ++i) launches += context.cost.definitions[i].launches;
  row.Log(kParExtent, cost.parallel_level > 0 ? cost.parallel : 0.0);
  row.Set(kParImbalance, threads / cost.speedup);
  row.Log(kParLaunches, launches);
  row.LogRatio(kParGrain, context.acc.Flops(), cost.grain_trips);
  row.Set(kParSerialShare, context.cost.serial / context.cost.total);
  row.Set(kParInnerLoops, cost.parallel_level > 0 && !cost.parallel_outermost);
}

}  // namespace whet
