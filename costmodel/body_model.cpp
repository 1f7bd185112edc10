#include "costmodel/body_model.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace whet {
namespace {

constexpr double kLoadsPerCycle = 2;
constexpr double kStoresPerCycle = 1;
constexpr double kArithmeticLatency = 4;
constexpr double kLoopControlCycles = 1.5;
constexpr double kGuardCycles = 3;
// Lengths in instructions of what is no single fast instruction.
constexpr double kDivisionInstructions = 8;
constexpr double kTranscendentalInstructions = 24;

// Which of the definition's loops a fused loop's lanes run along: the first that the loop's tile
// covers.
int VectorLoop(const DefinitionInfo& info, int level) {
  const Level& vector = info.levels[level];
  if (vector.origin >= 0) return vector.origin;
  for (int l = 0; level > 0 && l < info.loop_count; ++l) {
    if (info.levels[level - 1].tile[l] > vector.tile[l]) return l;
  }
  return 0;
}

void ReadTile(const DefinitionInfo& info, const MachineModel& machine, BodyModel& body) {
  for (int v = info.body + 1; v < info.level_count; ++v) {
    const Level& level = info.levels[v];
    if (level.extent <= 1) continue;
    const auto extent = static_cast<double>(level.extent);
    body.guarded = body.guarded || level.guarded;
    if (level.kind == LoopKind::kVectorized) {
      body.lanes = level.extent;
      body.vector_loop = VectorLoop(info, v);
      body.vector_reduction = level.reduction;
    } else if (level.kind == LoopKind::kUnrolled) {
      body.unroll *= extent;
      (level.reduction ? body.unroll_reduction : body.unroll_pure) *= extent;
    }
  }
  if (body.lanes > 0) {
    const int64_t bytes = body.lanes * info.store.element_bytes;
    body.registers_per_vector = (bytes + machine.vector_bytes - 1) / machine.vector_bytes;
    body.fill = static_cast<double>(bytes) /
                static_cast<double>(body.registers_per_vector * machine.vector_bytes);
    body.vector_stored = !body.vector_reduction && body.vector_loop < info.store.shape->dims &&
                         info.store.strides[body.vector_loop] == 1;
  }
  double along = 1;
  for (int v = info.body + 1; v < info.level_count; ++v) {
    const Level& level = info.levels[v];
    if (level.kind == LoopKind::kUnrolled && level.own && level.origin == body.vector_loop) {
      along *= static_cast<double>(level.extent);
    }
  }
  const auto registers = static_cast<double>(body.registers_per_vector);
  body.accumulators = body.unroll_pure * registers;
  body.vector_tile = std::min(along, body.unroll_pure) * registers;
  body.scalar_tile = body.accumulators / body.vector_tile;
}

void ReadReductionRun(const DefinitionInfo& info, const MachineModel& machine, BodyModel& body) {
  if (!info.reduces) return;
  body.reduction_run = body.unroll_reduction;
  bool innermost = true;
  for (int v = info.level_count - 1; v >= info.outer_levels; --v) {
    const Level& level = info.levels[v];
    if (!level.Repeats()) continue;
    if (!level.reduction) break;
    if (innermost) body.in_registers = true;
    innermost = false;
    body.reduction_run *= static_cast<double>(level.extent);
  }
  const double live = body.accumulators + body.vector_tile + 1;
  body.spills = std::max(0.0, live - machine.vector_registers);
}

// Loads of one read: distinct ones, as a compiler sees them after removing repeated ones.
double DistinctLoads(const AccessInfo& read, const BodyModel& body, const Tile& tile) {
  double loads = 1;
  for (int d = 0; d < read.shape->dims; ++d) {
    double product = 1;
    double span = 1;
    bool vector = false;
    for (uint32_t left = read.shape->moved_by[d]; left != 0; left &= left - 1) {
      const int l = std::countr_zero(left);
      const auto step = static_cast<double>(std::abs(read.shape->steps[d][l]));
      if (step == 0) continue;
      double extent = static_cast<double>(tile[l]);
      if (l == body.vector_loop) {
        vector = true;
        extent = std::ceil(extent / static_cast<double>(std::max<int64_t>(1, body.lanes)));
      }
      product *= extent;
      span += step * (extent - 1);
    }
    loads *= vector ? product : std::min(product, span);
  }
  return loads;
}

void CountLoads(const DefinitionInfo& info, BodyModel& body) {
  const Tile& tile = info.levels[info.body].tile;
  for (int r = 0; r < info.read_count; ++r) {
    const AccessInfo& read = info.reads[r];
    const double loads = DistinctLoads(read, body, tile);
    if (body.lanes == 0) {
      body.scalar_loads += loads;
    } else if (!read.shape->DependsOn(body.vector_loop)) {
      body.broadcast_loads += loads;
    } else if (std::abs(read.Stride(body.vector_loop)) == 1) {
      body.vector_loads += loads * static_cast<double>(body.registers_per_vector);
    } else {
      body.gather_loads += loads * static_cast<double>(body.lanes);
    }
  }
}

}  // namespace

BodyModel ModelBody(const DefinitionInfo& info, const MachineModel& machine) {
  BodyModel body;
  ReadTile(info, machine, body);
  ReadReductionRun(info, machine, body);
  CountLoads(info, body);
  body.bodies = info.levels[info.body].trips;

  const OpCounts& ops = info.ops;
  const double instructions = ops.fma + ops.add + ops.mul + ops.minmax + ops.compare +
                              kDivisionInstructions * ops.div +
                              kTranscendentalInstructions * ops.transcendental;
  const double points = body.accumulators * body.unroll_reduction;  // machine vectors evaluated
  body.arithmetic = points * instructions;
  double stores = 0;
  if (info.reduces) {
    // Loaded and stored once a run of reduction steps that keeps them in registers, else every
    // body.
    const double serial_run = body.in_registers ? body.reduction_run / body.unroll_reduction : 1;
    body.accumulator_moves = 2 * body.accumulators / std::max(1.0, serial_run);
    body.accumulator_moves += 2 * body.spills * body.unroll_reduction;
    if (body.lanes > 0 && !body.vector_stored) {
      body.accumulator_moves += body.accumulator_moves * static_cast<double>(body.lanes);
    }
    stores = body.accumulator_moves / 2;
    body.latency_cycles =
        kArithmeticLatency * body.unroll_reduction * (ops.fma > 0 ? 1.0 : instructions);
  } else {
    stores = points;
    if (body.lanes > 0 && !body.vector_stored) stores *= static_cast<double>(body.lanes);
  }
  const double loads = body.vector_loads + body.broadcast_loads + body.gather_loads +
                       body.scalar_loads + (info.reduces ? body.accumulator_moves / 2 : 0.0);
  const double dependent = body.in_registers ? body.latency_cycles : 0.0;
  body.cycles = std::max({body.arithmetic / kArithmeticPerCycle, loads / kLoadsPerCycle,
                          stores / kStoresPerCycle, dependent});
  body.cycles += kLoopControlCycles + (body.guarded ? kGuardCycles : 0.0);
  return body;
}

}  // namespace whet
