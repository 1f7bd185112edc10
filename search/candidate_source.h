// Where the search gets candidates from and what it sees of them: traces in, feature rows out.
//
// The search is written against this interface; SketchSource is the one that tunes tasks, tests
// invent theirs. Thread safety: const methods may be called from several threads, each with its own
// Rng.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "base/rng.h"
#include "base/status.h"
#include "schedules/sketch.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// A candidate as it is made: its trace, and the loop nest where that came about with it (no stages:
// it did not). It moves and is not copied: the nest refers to the trace's directives.
struct Draft {
  Trace trace;
  LoopNest nest;
  Draft() = default;
  Draft(Trace made) : trace(std::move(made)) {}  // NOLINT: a trace is a draft without a nest
  Draft(Draft&&) = default;
  Draft& operator=(Draft&&) = default;
};

class CandidateSource {
 public:
  virtual ~CandidateSource() = default;
  // The default schedule: trial 0.
  virtual Trace Default() const = 0;
  // Besides it, candidates that a search should begin with.
  virtual std::vector<Trace> Seeds() const { return {}; }
  virtual Draft Sample(Rng& rng) const = 0;
  // A point of a lattice that fills the space evenly.
  virtual Trace LatticePoint(int64_t number) const = 0;
  virtual Draft Mutate(const Trace& trace, Rng& rng, MutationChoice* choice) const = 0;
  // How many kinds of decisions MutationChoice tells apart; 64 at most.
  virtual size_t kinds() const { return 0; }
  // Candidates of one niche resemble each other more than those of two. By default each has its
  // own.
  virtual uint64_t NicheOf(const Trace& trace) const { return trace.DirectivesHash(); }
  virtual Draft Crossover(const Trace& a, const Trace& b, Rng& rng) const = 0;
  // A similar task's trace made one of this task; false where it does not fit.
  virtual bool Adapt(const Trace& foreign, Trace* adapted) const = 0;
  // Floats of a feature row.
  virtual int64_t width() const = 0;
  // Writes the features of a candidate; false for one that is not worth measuring, whose row is
  // undefined.
  virtual bool Features(const Draft& candidate, std::span<float> row) const = 0;
};

// Candidates of a task's sketches, with the features of costmodel/features.h.
Result<std::unique_ptr<CandidateSource>> MakeSketchSource(const Task& task,
                                                          const MachineModel& machine);

}  // namespace whet
