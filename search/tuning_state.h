// What a tuning run knows of each of its tasks, and the decisions that need nothing else.
//
// Thread safety: plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "search/candidate_set.h"
#include "search/candidate_source.h"
#include "search/task_scheduler.h"
#include "search/tuning_run.h"

namespace whet {

struct TaskState {
  Task task;
  std::string fingerprint, label, spelling;
  std::string short_label;  // another than that of any other task
  std::string group;        // tasks of one group resemble each other
  int uses = 1;
  double flops = 0;
  std::unique_ptr<CandidateSource> source;  // null: not needed yet, or failed
  CandidateSet candidates;
  std::vector<Trace> hints;    // adapted traces of similar tasks
  std::optional<Trace> guess;  // what runs untuned: the base model's choice
  int round = 0;
  int64_t measured = 0;  // in this run
  std::optional<double> rho;
  std::string error;
  bool converged = false;

  double BestMs() const { return static_cast<double>(candidates.best_ns()) / 1e6; }
  // What a rate is of the machine's peak in single precision; 0: not known, or of another type.
  double PeakShare(double gflops, double peak_gflops) const;
  // What the next round's proposal is to begin with.
  Known KnownBeforehand(const TuningOptions& options) const;
  // A seed of its own for each round: a run that goes on draws what a run without a break would
  // have drawn.
  uint64_t RoundSeed(uint64_t seed) const;
};

// One state a distinct task, in order of the first mention.
std::vector<TaskState> MakeTaskStates(std::span<const TuningTask> tasks);

// The operator that the task is about, with what divides its shapes into kinds: "Conv 3x3", "Conv
// 1x1 grouped".
std::string GroupOf(const Task& task);

// How many candidates the next round takes. `affordable` candidates fit into the time left for all
// `tasks` (negative: time does not matter). At least 1.
size_t RoundSize(const TuningOptions& options, int64_t trials_left, double affordable,
                 size_t tasks);

// Who takes part in the final comparison: the default schedule first and what the base model chose,
// since tuned may be slower than neither, then up to `limit` candidates that may beat the default,
// the fastest first. Empty where there is nothing to compare: none is close to the default, or
// nothing is new since the last comparison.
std::vector<const MeasuredCandidate*> Finalists(const TaskState& state, size_t limit);

}  // namespace whet
