// Sketches: the structures that a schedule of a DAG can have, derived by rules (rules/), each a
// program over named decisions.
//
// A SketchSpace holds every sketch of one task. Each decision has a finite list of candidate values
// that depends on the DAG and the machine only, so that sampling, mutation and crossover are
// choices of indices; Expand turns any combination into directives that are legal for Halide.
// Thread safety: const methods may be called from several threads, each with its own Rng.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/status.h"
#include "schedules/dag.h"
#include "schedules/loop_nest.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// What schedules need to know of the hardware.
struct MachineModel {
  int threads = 2;
  int vector_bytes = 64;
  int vector_registers = 32;
  int64_t l1_bytes = 32 << 10, l2_bytes = 1 << 20, l3_bytes = 32 << 20;
};

struct DecisionSpec {
  std::string name;
  std::string kind;  // "tile", "order", "unroll", "location", "pack", "parallel", ..
  std::vector<std::vector<int64_t>> candidates;  // at least one
};

struct Sketch {
  std::string name;  // "tile(relu<conv)+locate(pad)+pack(w)"
  std::vector<DecisionSpec> decisions;
};

// How a mutation chooses the decisions that it changes, and which it chose.
struct MutationChoice {
  std::span<const double> weights;  // by kind of decision, as SketchSpace::kinds() has them; empty:
                                    // all alike
  uint64_t changed = 0;             // filled in; bit k: a decision of kind k was drawn
};

class SketchSpace {
 public:
  // Reads the task's DAG off its Halide algorithm and applies the rules.
  static Result<SketchSpace> Create(const Task& task, const MachineModel& machine);
  SketchSpace(SketchSpace&&) noexcept;
  SketchSpace& operator=(SketchSpace&&) noexcept;
  ~SketchSpace();

  const Task& task() const;
  const MachineModel& machine() const;
  const std::vector<Sketch>& sketches() const;
  double Size() const;  // number of combinations, all sketches
  // The kinds of decisions that there are in any sketch; 64 at most.
  const std::vector<std::string>& kinds() const;

  // The default schedule: trial 0, what an untuned network runs. One trace, always legal, decent.
  Trace Default() const;
  // A few plain schedules of every sketch, the default one first: where a search starts.
  std::vector<Trace> PlainTraces() const;
  // Uniform over sketches, then over each decision. Here and below, `nest`, if it is given, becomes
  // the loop nest that came about while the trace was made: what Nest would build, or none (no
  // stages) where that would fail. It refers to the trace's directives wherever they are moved to,
  // not to those of a copy.
  Trace Sample(Rng& rng, LoopNest* nest = nullptr) const;
  // The points of a lattice that fills the space evenly, however many of them are taken: sketches
  // in turn, each decision stepping through its candidates at a rate of its own (Roberts' additive
  // recurrence R_d of 2018, a rank-1 lattice).
  Trace LatticePoint(int64_t number) const;
  // Changes one decision, at times several, to another candidate (a neighbour more often than a far
  // one).
  Trace Mutate(const Trace& trace, Rng& rng, MutationChoice* choice = nullptr,
               LoopNest* nest = nullptr) const;
  // Each decision from one of the parents; parents of different sketches give a mutated copy of
  // `a`.
  Trace Crossover(const Trace& a, const Trace& b, Rng& rng, LoopNest* nest = nullptr) const;
  // Fits decisions of another task's trace to this space: the nearest candidate of each decision.
  // False: no sketch of that name here.
  bool Adapt(const Trace& foreign, Trace* adapted) const;

  // The loop nest of a trace of this task. Works on any legal trace, also one no sketch here made.
  Result<LoopNest> Nest(const Trace& trace) const;
  // The DAG that the trace's directives apply to (packing a variable input adds a stage).
  Result<const Dag*> DagFor(const Trace& trace) const;
  // False for a loop nest that is not worth compiling: registers spilled many times over, code or
  // stack too large. `why` gets the reason.
  bool IsPlausible(const LoopNest& nest, std::string* why) const;

 private:
  struct Impl;
  explicit SketchSpace(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace whet
