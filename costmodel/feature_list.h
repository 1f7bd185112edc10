// The list of features: one line each, in the order of a feature row. Identifier, name, unit,
// meaning.
//
// "log2 X" means log2(1 + X). "acc" is the heaviest definition: the one with the most
// floating-point operations in the whole run of the task. Its "body" is what stands inside its
// innermost serial loop: unrolled and vectorised loops only. A "level" is one loop around a
// definition, those of its consumers included. Changing, adding or reordering lines needs a new
// kFeatureVersion (features.h): models know the version.
#pragma once

// clang-format off
#define WHET_TASK_FEATURES(F) \
  F(TaskFlops, "task.flops", "log2 flop", "operations that the algorithm needs, whatever the schedule") \
  F(TaskFma, "task.fma", "log2 1", "multiply-adds among them") \
  F(TaskTranscendental, "task.transcendental", "log2 1", "calls of exp, tanh and their like") \
  F(TaskDiv, "task.div", "log2 1", "divisions") \
  F(TaskMinMax, "task.minmax", "log2 1", "minima and maxima") \
  F(TaskOutput, "task.output_elements", "log2 1", "elements of the output") \
  F(TaskInputBytes, "task.input_bytes", "log2 bytes", "all inputs") \
  F(TaskIntensity, "task.intensity", "log2 flop/byte", "task.flops over the bytes of inputs and output") \
  F(WorkFlops, "work.flops", "log2 flop", "operations that the schedule performs, recomputation included") \
  F(WorkRecompute, "work.recompute", "log2 ratio", "work.flops / task.flops") \
  F(WorkPadding, "work.padding", "log2 ratio", "points that the loops visit / points of the regions they cover") \
  F(WorkTranscendental, "work.transcendental", "log2 1", "transcendental calls performed")

#define WHET_ACC_FEATURES(F) \
  F(AccShare, "acc.share", "1", "acc's part of work.flops") \
  F(AccEvaluations, "acc.evaluations", "log2 1", "evaluations of acc in one run") \
  F(AccRealisations, "acc.realisations", "log2 1", "how often acc's stage is realised") \
  F(AccAtRoot, "acc.at_root", "0/1", "acc's stage is realised once, at root") \
  F(AccBufferBytes, "acc.buffer_bytes", "log2 bytes", "storage of one realisation") \
  F(AccLanes, "acc.vector.lanes", "log2 1", "lanes of the vectorised loop; 0: none") \
  F(AccVectors, "acc.vector.registers", "log2 1", "machine vectors that its lanes fill") \
  F(AccFill, "acc.vector.fill", "1", "part of the machine vectors in use") \
  F(AccVectorStored, "acc.vector.contiguous", "0/1", "the vectorised loop is the innermost stored dimension") \
  F(AccVectorReduction, "acc.vector.reduction", "0/1", "the vectorised loop is a reduction") \
  F(AccUnroll, "acc.unroll", "log2 1", "product of unrolled extents in the body") \
  F(AccUnrollPure, "acc.unroll.pure", "log2 1", "those of pure loops") \
  F(AccUnrollReduction, "acc.unroll.reduction", "log2 1", "those of reductions") \
  F(AccInstructions, "acc.instructions", "log2 1", "vector instructions of one body, estimated") \
  F(AccAccumulators, "acc.tile.accumulators", "log2 1", "vector accumulators of the body: acc.unroll.pure x registers") \
  F(AccRegisterShare, "acc.tile.register_share", "log2 ratio", "accumulators / vector registers") \
  F(AccSpills, "acc.tile.spills", "log2 1", "vectors that do not fit the registers") \
  F(AccVectorTile, "acc.tile.vectors", "log2 1", "vectors of the tile along the vectorised dimension") \
  F(AccScalarTile, "acc.tile.broadcasts", "log2 1", "points of the tile along the other dimensions") \
  F(AccLatency, "acc.latency", "log2 ratio", "cycles lost to dependent accumulators / cycles of arithmetic") \
  F(AccInRegisters, "acc.in_registers", "0/1", "accumulators can stay in registers over the innermost reduction") \
  F(AccReductionRun, "acc.reduction_run", "log2 1", "reduction steps between loading and storing an accumulator") \
  F(AccLoadsVector, "acc.loads.vector", "1/op", "contiguous vector loads an arithmetic instruction") \
  F(AccLoadsBroadcast, "acc.loads.broadcast", "1/op", "scalar loads broadcast to a vector an arithmetic instruction") \
  F(AccLoadsGather, "acc.loads.gather", "1/op", "lanes loaded one by one an arithmetic instruction") \
  F(AccLoadsScalar, "acc.loads.scalar", "1/op", "loads of unvectorised code an arithmetic instruction") \
  F(AccStores, "acc.stores", "1/op", "accumulator loads and stores an arithmetic instruction") \
  F(AccInnerExtent, "acc.inner.extent", "log2 1", "trip count of the innermost serial loop") \
  F(AccInnerReduction, "acc.inner.reduction", "0/1", "the innermost serial loop is a reduction") \
  F(AccInnerTrips, "acc.inner.trips", "log2 1", "bodies executed in one run") \
  F(AccSerialLoops, "acc.serial_loops", "1", "serial and parallel loops of trip count above 1 around the body") \
  F(AccGuards, "acc.guards", "1", "loops with a guard for a tail") \
  F(AccGuardedBody, "acc.guarded_body", "0/1", "a loop of the body is guarded") \
  F(AccBodyFlops, "acc.body_flops", "log2 flop", "operations of one body: what a loop step is spread over")

#define WHET_PARALLEL_FEATURES(F) \
  F(ParExtent, "parallel.extent", "log2 1", "iterations of acc's parallel loops") \
  F(ParImbalance, "parallel.imbalance", "ratio", "ceil(n / threads) x threads / n; threads, where nothing is parallel") \
  F(ParLaunches, "parallel.launches", "log2 1", "parallel loops started in one run, all stages") \
  F(ParGrain, "parallel.grain", "log2 flop", "operations of one parallel iteration of acc") \
  F(ParSerialShare, "parallel.serial_share", "1", "part of the estimated cycles outside parallel loops") \
  F(ParInnerLoops, "parallel.not_outermost", "0/1", "a loop stands around acc's parallel loop")

// One of acc's reads; the four with the most bytes, in that order. Absent ones are all zero.
#define WHET_READ_FEATURES(F, N) \
  F(Read##N##Bytes, "read" #N ".bytes", "log2 bytes", "distinct bytes read in one run") \
  F(Read##N##Lines, "read" #N ".body_lines", "log2 1", "cache lines that one body touches") \
  F(Read##N##Run, "read" #N ".run", "log2 bytes", "contiguous bytes that one iteration of the second innermost serial loop touches") \
  F(Read##N##Stride, "read" #N ".vector_stride", "log2 elements", "distance of neighbouring lanes; 0: a broadcast") \
  F(Read##N##InnerStride, "read" #N ".inner_stride", "log2 bytes", "distance of neighbouring steps of the innermost serial loop") \
  F(Read##N##Reuse, "read" #N ".reuse", "log2 ratio", "evaluations / distinct elements") \
  F(Read##N##Distance, "read" #N ".reuse_distance", "log2 bytes", "working set of the innermost loop that the read does not depend on") \
  F(Read##N##TrafficL1, "read" #N ".l1_traffic", "log2 bytes", "bytes it brings from beyond L1") \
  F(Read##N##TrafficL2, "read" #N ".l2_traffic", "log2 bytes", "bytes it brings from beyond L2") \
  F(Read##N##Local, "read" #N ".local", "0/1", "the buffer is a stage realised inside a loop") \
  F(Read##N##Packed, "read" #N ".packed", "0/1", "the buffer has a packed layout")

#define WHET_MEMORY_FEATURES(F) \
  WHET_READ_FEATURES(F, 0) WHET_READ_FEATURES(F, 1) WHET_READ_FEATURES(F, 2) WHET_READ_FEATURES(F, 3) \
  F(MemBodySet, "memory.body_set", "log2 bytes", "working set of one body of acc") \
  F(MemInnerSet, "memory.inner_set", "log2 bytes", "working set of one run of acc's innermost serial loop") \
  F(MemTileSet, "memory.tile_set", "log2 bytes", "working set of one realisation of acc's stage") \
  F(MemGrainSet, "memory.grain_set", "log2 bytes", "working set of one parallel iteration of acc") \
  F(MemTileL1, "memory.tile_l1", "log2 ratio", "memory.tile_set / L1") \
  F(MemTileL2, "memory.tile_l2", "log2 ratio", "memory.tile_set / L2") \
  F(MemTripsL1, "memory.l1_trips", "log2 1", "executions of the outermost loop body whose working set fits L1") \
  F(MemTripsL2, "memory.l2_trips", "log2 1", "the same for L2") \
  F(MemTripsL3, "memory.l3_trips", "log2 1", "the same for this thread's part of L3") \
  F(MemTrafficL1, "memory.l1_traffic", "log2 bytes", "bytes from beyond L1, all definitions") \
  F(MemTrafficL2, "memory.l2_traffic", "log2 bytes", "bytes from beyond L2, all definitions") \
  F(MemTrafficL3, "memory.l3_traffic", "log2 bytes", "bytes from beyond L3, all definitions") \
  F(MemIntensityL1, "memory.l1_intensity", "log2 flop/byte", "work.flops / memory.l1_traffic") \
  F(MemIntensityL2, "memory.l2_intensity", "log2 flop/byte", "work.flops / memory.l2_traffic") \
  F(MemIntensityL3, "memory.l3_intensity", "log2 flop/byte", "work.flops / memory.l3_traffic")

#define WHET_STAGE_FEATURES(F) \
  F(OutBytes, "output.bytes", "log2 bytes", "bytes of the output") \
  F(OutLanes, "output.vector.lanes", "log2 1", "lanes of the output's last definition") \
  F(OutContiguous, "output.vector.contiguous", "0/1", "they are the innermost stored dimension") \
  F(OutRun, "output.run", "log2 bytes", "contiguous bytes stored by one parallel iteration") \
  F(OutUnroll, "output.unroll", "log2 1", "unrolled extents of the output's last definition") \
  F(StageCount, "stages.count", "1", "stages that are realised") \
  F(StageInlined, "stages.inlined", "1", "stages that are inlined") \
  F(StageRoot, "stages.root", "1", "stages realised at root, the output included") \
  F(StageRealisations, "stages.realisations", "log2 1", "realisations in one run, all stages") \
  F(StageAllocBytes, "stages.alloc_bytes", "log2 bytes", "storage of one realisation of each stage, added up") \
  F(StageRootBytes, "stages.root_bytes", "log2 bytes", "that of stages at root") \
  F(StageRecompute, "stages.recompute", "log2 ratio", "the largest (points computed / points needed) of a stage") \
  F(StageOtherShare, "stages.other_share", "1", "part of the estimated cycles outside acc") \
  F(StageScalarShare, "stages.scalar_share", "1", "part of the estimated cycles in unvectorised definitions") \
  F(StageCopyBytes, "stages.copy_bytes", "log2 bytes", "bytes stored by stages without arithmetic: padding, packing") \
  F(StageLoopSteps, "stages.loop_steps", "log2 1", "iterations of all serial loops")

// Cycles of one run on the machine's threads by the roofline of roofline.h.
#define WHET_ROOFLINE_FEATURES(F) \
  F(RoofCompute, "roofline.compute", "log2 cycles", "arithmetic, loads, latency and loop control") \
  F(RoofL2, "roofline.l2", "log2 cycles", "bringing memory.l1_traffic from L2") \
  F(RoofL3, "roofline.l3", "log2 cycles", "bringing memory.l2_traffic from L3") \
  F(RoofDram, "roofline.dram", "log2 cycles", "bringing memory.l3_traffic from memory") \
  F(RoofLaunch, "roofline.launch", "log2 cycles", "starting parallel loops") \
  F(RoofTotal, "roofline.total", "log2 cycles", "all of them together") \
  F(RoofEfficiency, "roofline.efficiency", "1", "(0, 1]: the least conceivable cycles of the task / roofline.total")

// Times are in cycles above, and scores compare within a machine: its frequency tells nothing.
#define WHET_MACHINE_FEATURES(F) \
  F(MachineThreads, "machine.threads", "log2 1", "that run the kernel") \
  F(MachineVectorBytes, "machine.vector_bytes", "log2 bytes", "a vector register") \
  F(MachineVectorRegisters, "machine.vector_registers", "log2 1", "that an instruction can name") \
  F(MachineL1, "machine.l1_bytes", "log2 bytes", "the L1 data cache") \
  F(MachineL2, "machine.l2_bytes", "log2 bytes", "the L2 cache") \
  F(MachineL3, "machine.l3_bytes", "log2 bytes", "the L3 cache")

#define WHET_ALL_FEATURES(F) \
  WHET_TASK_FEATURES(F) WHET_ACC_FEATURES(F) WHET_PARALLEL_FEATURES(F) WHET_MEMORY_FEATURES(F) \
  WHET_STAGE_FEATURES(F) WHET_ROOFLINE_FEATURES(F) WHET_MACHINE_FEATURES(F)
// clang-format on

namespace whet {

enum FeatureId : int {
#define WHET_FEATURE_ID(id, name, unit, meaning) k##id,
  WHET_ALL_FEATURES(WHET_FEATURE_ID)
#undef WHET_FEATURE_ID
      kFeatureCount,
};

}  // namespace whet
