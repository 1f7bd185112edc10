// A tuning run as the verbs start it: database, workers, cost model and progress put together.
//
// Thread safety: one run at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "codegen/target.h"
#include "search/tuning_run.h"
#include "tools/session.h"

namespace whet {

struct TunerOptions {
  std::string database;      // path; made if it is missing
  int64_t trials = 0;        // a task; 0: limited by time alone
  double time_budget_s = 0;  // of the whole run; 0: limited by trials alone
  uint64_t seed = 0;
  std::string search = "evolutionary";
  std::string cost_model = "xgboost";
  bool base_model = true, transfer = true;
  int64_t patience = 256;            // TuningOptions'
  std::vector<std::string> without;  // parts of the search that are left out: kSearchParts
  std::string cache = "warm";        // kCacheModes
  std::string progress = "auto";
  bool use_cache = true;
  std::string command;  // what the database remembers of how this run was started
};

// What `without` may name.
inline constexpr const char* kSearchParts[] = {"crossover", "explorers",        "niches",
                                               "restarts",  "mutation-weights", "glance"};

// The cost model, what chooses schedules without it (null: nothing) and the search's settings that
// the options ask for.
Result<std::unique_ptr<CostModel>> MakeModel(const TunerOptions& options);
std::shared_ptr<CostModel> MakeGuesser(const TunerOptions& options);
Result<TuningOptions> SearchOptions(const TunerOptions& options);

struct TunerReport {
  TuningOutcome outcome;
  // Of the network, means of the fastest quarter of interleaved runs; 0: not a network.
  double untuned_ms = 0, tuned_ms = 0;
};

// Tunes and commits. `network`, which may be null, is what the tasks come from: it is remembered
// with them, and run untuned against tuned at the end, within the time budget. Errors are
// RunTuning's and the database's.
Result<TunerReport> Tune(std::span<const TuningTask> tasks, const Network* network,
                         const Target& target, const TunerOptions& options);

// The tasks of a network and those of its blocks, with their uses.
std::vector<TuningTask> TasksOf(const Network& network);

// Tunes those tasks of the network that have no record yet, `trials` each.
Status TuneMissing(const Network& network, const std::string& database, const Target& target,
                   int64_t trials);

}  // namespace whet
