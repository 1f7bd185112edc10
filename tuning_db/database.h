// The tuning database: one SQLite file of everything that was ever measured
// (docs/formats/database.md).
//
// WAL with a busy timeout of 10 s (DELETE journal where the file system refuses WAL); one
// transaction a record; opening creates the schema in an empty or missing file, brings a file of an
// earlier version to this one (migrations.h), refuses a newer version and a file that is not ours.
// Rows whose JSON does not parse are skipped and counted, they never stop a load. Errors name the
// file. Times of day are UTC, "2026-11-21T10:43:25Z"; an empty one is filled in from the clock.
// Thread safety: one thread at a time per Database; several processes may share a file. A Database
// must not be carried over a fork().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "tuning_db/cache_mode.h"
#include "tuning_db/record.h"
#include "tuning_db/rows.h"

namespace whet {

struct DatabaseOptions {
  int busy_timeout_ms = 10000;            // how long to wait for another process's lock
  const Clock* clock = &Clock::System();  // outlives the database
};

class Database {
 public:
  // kReadOnly: the file must exist, and nothing in it can be changed; it may lie in a read-only
  // directory. Of a file of an earlier version it sees a copy in memory, as of opening.
  enum class Mode { kReadWrite, kReadOnly };
  static Result<std::unique_ptr<Database>> Open(const std::string& path,
                                                Mode mode = Mode::kReadWrite,
                                                const DatabaseOptions& options = {});
  ~Database();
  const std::string& path() const;

  // --- Writing
  // ------------------------------------------------------------------------------------------

  Result<int64_t> StartRun(const RunInfo& info);
  Status FinishRun(int64_t run_id, const std::string& outcome,
                   double seconds);  // "done", "interrupted"
  Status AddTask(const Task& task);  // idempotent
  // Tasks of a network with their uses, under the model's fingerprint; the tasks must have been
  // added. Idempotent: replaces what the model had for the targets of these tasks, and keeps other
  // targets'.
  Status AddModel(const std::string& fingerprint, const std::string& name,
                  const std::vector<std::pair<std::string, int>>& task_uses);
  // Commits the record; its task must have been added. Returns its id. kInvalidInput for an ok
  // record without samples, and for an ok one of a check.
  Result<int64_t> AddRecord(const Record& record);
  // Adds a record from elsewhere with its task and its run (found by `uid`, or added). False: a
  // record with the same task, directives, status, time of creation and samples is there already.
  Result<bool> MergeRecord(const Task& task, const Record& record,
                           const std::optional<RunRow>& run);
  Result<int64_t> AddCostModel(const CostModelRow& model);
  // Everything that `work` writes is committed at once, or, where it fails, nothing. Not reentrant.
  Status InTransaction(const std::function<Status()>& work);

  // --- Records and tasks
  // --------------------------------------------------------------------------------

  // Records of a task (fingerprint: target included), oldest first. Rows that do not parse are
  // counted in `skipped`, never an error. With `caches`: of runs that measured in that mode.
  Result<std::vector<Record>> Records(const std::string& task, int64_t* skipped = nullptr,
                                      std::optional<CacheMode> caches = std::nullopt) const;
  // Every record of the file, in order of id, one at a time; an error of `visit` stops it and is
  // returned.
  Status ForEachRecord(const std::function<Status(const Record&)>& visit,
                       int64_t* skipped = nullptr) const;
  // The winner: the fastest ok record by median. Where there are final ones, the fastest ok one
  // of the newest final comparison (those of one run): measured side by side, they decide. No
  // record of WrongTraces wins, whatever its time.
  Result<std::optional<Record>> Best(const std::string& task) const;
  // The directives (Trace::DirectivesHash) of every record of the task, of any role, that found
  // their kernel wrong: a wrong result, a write outside of its output, a crash.
  Result<std::set<uint64_t>> WrongTraces(const std::string& task) const;
  Result<Record> RecordById(int64_t id) const;
  Result<Task> TaskByFingerprint(const std::string& prefix) const;       // a unique prefix suffices
  Result<std::vector<TaskRow>> Tasks(int64_t* skipped = nullptr) const;  // in order of addition
  Result<std::vector<Task>> TasksOfTarget(const std::string& target) const;
  // The measured candidates of a task in order, final ones left out: what v_curve shows.
  Result<std::vector<CurvePoint>> Curve(const std::string& task) const;

  // --- Runs, models, the whole file
  // ---------------------------------------------------------------------

  Result<std::vector<RunRow>> Runs() const;  // oldest first
  Result<RunRow> RunById(int64_t id) const;
  Result<std::vector<ModelRow>> Models() const;  // in order of addition
  Result<ModelRow> FindModel(
      const std::string& name) const;  // its name or a prefix of its fingerprint
  // The newest cost model of a target; kNotFound where there is none.
  Result<CostModelRow> LatestCostModel(const std::string& target) const;
  Result<DatabaseTotals> Totals() const;
  // Everything wrong with the file, a sentence each: its structure, its references, rows that do
  // not parse, medians that are not those of the samples. Reads all of it.
  Result<std::vector<std::string>> Check() const;
  // One read-only statement (SELECT, WITH, EXPLAIN, PRAGMA without value). kInvalidInput otherwise.
  Result<QueryResult> Query(const std::string& sql) const;

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace whet
