// Where the search gets candidates from and what it sees of them: traces in, feature rows out.
//
// The search is written against this interface; SketchSource is the one that tunes tasks, tests
// invent theirs. Thread safety: const methods may be called from several threads, each with its own
// Rng.
#pragma once

#include <memory>
#include <span>

#include "base/rng.h"
#include "base/status.h"
#include "schedules/sketch.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

class CandidateSource {
 public:
  virtual ~CandidateSource() = default;
  // The default schedule: trial 0.
  virtual Trace Default() const = 0;
  // Besides it, candidates that a search should begin with.
  virtual std::vector<Trace> Seeds() const { return {}; }
  virtual Trace Sample(Rng& rng) const = 0;
  // A point of a lattice that fills the space evenly.
  virtual Trace LatticePoint(int64_t number) const = 0;
  virtual Trace Mutate(const Trace& trace, Rng& rng, MutationChoice* choice) const = 0;
  // How many kinds of decisions MutationChoice tells apart; 64 at most.
  virtual size_t kinds() const { return 0; }
  // Candidates of one niche resemble each other more than those of two. By default each has its
  // own.
  virtual uint64_t NicheOf(const Trace& trace) const { return trace.DirectivesHash(); }
  virtual Trace Crossover(const Trace& a, const Trace& b, Rng& rng) const = 0;
  // A similar task's trace made one of this task; false where it does not fit.
  virtual bool Adapt(const Trace& foreign, Trace* adapted) const = 0;
  // Floats of a feature row.
  virtual int64_t width() const = 0;
  // Writes the features of a candidate; false for one that is not worth measuring, whose row is
  // undefined.
  virtual bool Features(const Trace& trace, std::span<float> row) const = 0;
};

// Candidates of a task's sketches, with the features of costmodel/features.h.
Result<std::unique_ptr<CandidateSource>> MakeSketchSource(const Task& task,
                                                          const MachineModel& machine);

}  // namespace whet
