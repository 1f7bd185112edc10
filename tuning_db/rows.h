// What the tuning database returns besides records: tasks, runs, models, curves, totals, query
// results.
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "schedules/task.h"
#include "tuning_db/record.h"

namespace whet {

struct TaskRow {
  std::string fingerprint, describe;
  Task task;
  int64_t trials = 0,
          failed = 0;  // measured candidates, final comparisons left out; failures among them
  double best_ms = 0, default_ms = 0;                                        // 0: none
  double gflops = 0;                                                         // of the best
  int64_t best_record = 0;                                                   // 0: none
  double Speedup() const { return best_ms > 0 ? default_ms / best_ms : 0; }  // 0: not known
};

struct RunInfo {  // a tuning run, written when it starts
  std::string command, model, target;
  std::string version, halide_version;  // of Whet and of Halide; empty: not known
  uint64_t seed = 0;
  int threads = 0;
  Json machine;   // CPU, caches, memory; null: not known
  Json settings;  // how it searches (docs/formats/database.md); null: not known
};

struct RunRow {
  int64_t id = 0;
  std::string uid;  // 32 hexadecimal digits, the same in every database it is merged into
  RunInfo info;
  std::string started;
  std::string finished;  // empty: it did not finish, or still runs
  std::string outcome;   // "done", "interrupted"; empty: it did not finish, or still runs
  double seconds = 0;    // unfinished: until its last record
  int64_t tasks = 0, records = 0, failed = 0;  // without final comparisons
};

struct ModelRow {
  std::string fingerprint, name, created;
  std::vector<std::pair<std::string, int>> task_uses;  // by task fingerprint
};

struct CostModelRow {
  int64_t id = 0;
  std::string name;  // "xgboost"
  std::string target;
  int64_t run_id = 0;  // 0: none
  int feature_version = 0;
  int64_t training_rows = 0;
  std::optional<double> spearman_rho;  // on measurements it had not seen
  std::string data;                    // the model as costmodel/ saves it
  std::string created;
};

struct CurvePoint {
  int64_t trial = 0;  // 0: the default schedule
  int64_t record = 0;
  MeasureStatus status = MeasureStatus::kOk;
  double median_ms = 0;  // 0: failed
  double best_ms = 0;    // the best so far; 0: none yet
};

struct FailureClass {
  std::string status;
  int64_t count = 0;
  std::string example;  // the newest message
};

struct DatabaseTotals {
  int64_t tasks = 0, models = 0, runs = 0, cost_models = 0;
  int64_t records = 0, ok = 0, failed = 0, finals = 0;  // finals are among the records
  double run_seconds = 0;                               // of all runs
  double compile_seconds = 0;                           // of all records
  double timed_seconds = 0;                             // the sum of all samples
  int64_t file_bytes = 0;
  std::string first, last;             // times of the oldest and newest record; empty: none
  std::vector<FailureClass> failures;  // the most frequent first
};

// A result set of a query, as text: what `whet db query` prints.
struct QueryResult {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // nullopt: NULL
  std::vector<std::vector<bool>> numeric;                     // by cell: an integer or a real
};

}  // namespace whet
