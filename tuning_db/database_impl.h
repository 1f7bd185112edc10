// What the sources of the Database class share; included by database*.cpp only.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tuning_db/connection.h"
#include "tuning_db/database.h"
#include "tuning_db/sqlite_error.h"

namespace whet {

struct Database::Impl {
  std::string path;
  Mode mode;
  const Clock* clock;
  std::unique_ptr<SQLite::Database> db;

  // Runs `work` with exceptions turned into errors.
  template <typename Work>
  auto Read(Work&& work) const -> decltype(work()) {
    return Guarded(path, db.get(), std::forward<Work>(work));
  }

  // The same in a transaction of its own, or in the one that InTransaction opened. Taking the
  // writer's lock at the start is what makes the busy timeout work: a reader that turns writer
  // would fail at once.
  template <typename Work>
  auto Write(Work&& work) -> decltype(work()) {
    return Read([&]() -> decltype(work()) {
      if (in_transaction) return work();
      SQLite::Transaction transaction(*db, SQLite::TransactionBehavior::IMMEDIATE);
      auto result = work();
      if (result) transaction.commit();
      return result;
    });
  }

  std::string TimeOr(const std::string& time) const {
    return time.empty() ? clock->NowUtc() : time;
  }

  bool in_transaction = false;
};

// Columns that ParseRecord reads, kRecordColumnCount of them, and where they come from.
inline constexpr char kRecordColumns[] =
    "r.id, COALESCE(r.run_id, 0), t.fingerprint, r.trace, r.status, r.message, r.samples_ns, "
    "r.compile_ms, r.max_error, r.predicted, r.is_default, r.role, r.created, n.version, "
    "n.halide_version";
inline constexpr int kRecordColumnCount = 15;
inline constexpr char kRecordTables[] =
    "records AS r JOIN tasks AS t ON t.id = r.task_id "
    "LEFT JOIN tuning_runs AS n ON n.id = r.run_id";

// A row of kRecordColumns; kCorrupt where its trace, status or samples do not parse.
Result<Record> ParseRecord(const SQLite::Statement& row);

// The task of a row; kCorrupt where it does not parse or is another than the fingerprint says.
Result<Task> ParseTask(const std::string& json, const std::string& fingerprint);

}  // namespace whet
