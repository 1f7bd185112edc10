// The body of a definition - what stands inside its innermost serial loop - as instructions and
// cycles.
//
// A port model of a superscalar core with vectors: two arithmetic instructions and two loads a
// cycle, one store, four cycles of latency. Only ratios between candidates matter, so one set of
// figures serves all machines; vector width and register count are the machine's. Thread safety:
// pure functions.
#pragma once

#include "costmodel/nest_analysis.h"
#include "schedules/sketch.h"

namespace whet {

inline constexpr double kArithmeticPerCycle = 2;

// Counts are of one execution of the body.
struct BodyModel {
  int64_t lanes = 0;     // of the vectorised loop; 0: none
  int vector_loop = -1;  // the definition's loop that is vectorised
  int64_t registers_per_vector = 1;
  double fill = 1;             // part of the machine vectors in use
  bool vector_stored = false;  // the vectorised loop is the innermost stored dimension
  bool vector_reduction = false;
  double unroll = 1, unroll_pure = 1, unroll_reduction = 1;
  double accumulators = 1;    // machine vectors that the body computes
  double vector_tile = 1;     // of them along the vectorised dimension
  double scalar_tile = 1;     // of them along all others
  double spills = 0;          // machine vectors that do not fit the registers
  bool in_registers = false;  // accumulators live in registers over the innermost reduction
  double reduction_run = 1;   // reduction steps between loading and storing an accumulator
  double arithmetic = 0;      // vector instructions, transcendentals weighted by their length
  double vector_loads = 0, broadcast_loads = 0, gather_loads = 0, scalar_loads = 0;
  double accumulator_moves = 0;  // loads and stores of accumulators
  double latency_cycles = 0;     // cycles of the longest dependent chain
  double cycles = 0;             // of one body, loop control included
  double bodies = 1;             // executions in one run
  bool guarded = false;
};

BodyModel ModelBody(const DefinitionInfo& info, const MachineModel& machine);

}  // namespace whet
