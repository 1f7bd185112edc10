// The whole life of a tuning run.
//
// For each task: the default schedule is trial 0; rounds of candidates follow, handed out by the
// task scheduler, proposed by the evolutionary search, measured and committed one by one; at the
// end the finalists are measured against the default schedule, interleaved. Records of earlier runs
// (with caches as warm or cold as in this one: other times do not compare) count as trials and are
// never measured again, so that the same command goes on where it stopped.
// The time budget is hard: finals included, but for the candidate in flight. Given the same
// measurements and the same times, the same seed makes the same decisions. Everything it needs
// comes in through TuningContext. Thread safety: one run at a time per database and measurer;
// `stop` may be set by a signal handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "costmodel/cost_model.h"
#include "search/candidate_source.h"
#include "search/evolutionary_search.h"
#include "search/measurer.h"
#include "search/progress.h"
#include "tuning_db/database.h"

namespace whet {

struct TuningTask {
  Task task;
  int uses = 1;       // kernels of the network that it stands for
  std::string label;  // how progress names it; empty: Task::Describe()
};

struct TuningOptions {
  int64_t trials = 64;       // a task, those of earlier runs included; 0: limited by time alone
  double time_budget_s = 0;  // of the whole run; 0: limited by trials alone
  uint64_t seed = 0;
  size_t batch = 16;     // candidates a round, at most; small budgets get smaller ones
  size_t finalists = 7;  // beside the default schedule
  bool transfer = true;  // begin with what was fast for similar tasks
  // How the measurer measures: records of the other mode are no trials of this run.
  CacheMode cache = CacheMode::kWarm;
  // A task is done after that many trials without a gain above the noise; 0: never.
  int64_t patience = 256;
  bool restarts =
      true;  // where nothing better turned up for some rounds, every other begins afresh
  EvolutionOptions evolution;
  RunInfo info;  // seed is filled in
};

struct TuningContext {
  const Clock& clock;
  Measurer& measurer;
  Database& database;
  CostModel& model;  // one for all tasks
  Progress& progress;
  MachineModel machine;
  const std::atomic<bool>* stop = nullptr;
  std::function<Result<std::unique_ptr<CandidateSource>>(const Task&, const MachineModel&)>
      make_source = MakeSketchSource;
  // Chooses the schedule that an untuned task runs: a trial of each task, that takes part in its
  // finals. Null: none does.
  CostModel* base = nullptr;
  double peak_gflops = 0;  // of the machine in single precision, for progress; 0: not known
};

struct TaskOutcome {
  std::string label, spelling, fingerprint;
  std::string short_label;  // for a table: another than that of any other task
  int uses = 1;
  int64_t trials = 0, failed = 0;      // in the database, earlier runs included
  double default_ms = 0, best_ms = 0;  // medians; 0: none ran
  double best_min_ms = 0;              // the fastest run of the best; 0: none ran
  double gflops = 0;                   // of that run
  int64_t best_record = 0;             // 0: none
  std::string error;                   // why the task cannot be tuned; empty: it can
  bool converged = false;              // it ended before its budget: `patience` was over
};

struct TuningOutcome {
  int64_t run_id = 0;
  bool interrupted = false;
  double seconds = 0;      // the whole run
  int64_t measured = 0;    // candidates built, checked and timed in this run, finals left out
  double measuring_s = 0;  // that this took
  int64_t scored = 0;      // candidates whose features went through the model
  double scoring_s = 0;    // that features and predictions took, on all threads
  double proposing_s = 0;  // that making, scoring and choosing candidates took
  double training_s = 0;   // of the cost model
  double finals_s = 0;
  // Medians over all candidates: how the samples of one scatter (RelativeDeviation), and how far
  // the fastest run in the final comparison is from that of the trial, as a part of it. Nothing
  // where too little was measured.
  std::optional<double> noise, repeatability;
  double CandidatesPerSecond() const { return measuring_s > 0 ? measured / measuring_s : 0; }
  double ScoredPerSecond() const { return scoring_s > 0 ? scored / scoring_s : 0; }
  std::vector<TaskOutcome>
      tasks;  // in order of the first mention; equal tasks once, their uses added up
};

// kInvalidInput without tasks or without any budget. Errors of the database or the measurer end the
// run; what was measured stays committed.
Result<TuningOutcome> RunTuning(std::span<const TuningTask> tasks, const TuningOptions& options,
                                const TuningContext& context);

// The fields that `whet tune --json` writes for a run and its tasks; null where there is nothing to
// tell.
Json ToJson(const TuningOutcome& outcome);

}  // namespace whet
