// Database::Check: everything wrong with the file, found by reading all of it.
#include "tuning_db/database_impl.h"

namespace whet {
namespace {

using Problems = std::vector<std::string>;

// SQLite stops at 100 mistakes; more would not help anyone.
void CheckStructure(SQLite::Database& db, Problems& problems) {
  SQLite::Statement check(db, "PRAGMA integrity_check");
  while (check.executeStep()) {
    const std::string line = check.getColumn(0).getString();
    if (line != "ok") problems.push_back("structure: " + line);
  }
}

void CheckReferences(SQLite::Database& db, Problems& problems) {
  SQLite::Statement check(db, "PRAGMA foreign_key_check");
  while (check.executeStep()) {
    problems.push_back(fmt::format("row {} of {} refers to a row of {} that is not there",
                                   check.getColumn(1).getInt64(), check.getColumn(0).getString(),
                                   check.getColumn(2).getString()));
  }
}

void CheckTasks(SQLite::Database& db, Problems& problems) {
  SQLite::Statement select(db, "SELECT fingerprint, json, accuracy FROM tasks ORDER BY id");
  while (select.executeStep()) {
    const std::string fingerprint = select.getColumn(0).getString();
    const Result<Task> task = ParseTask(select.getColumn(1).getString(), fingerprint);
    if (!task) {
      problems.push_back(
          fmt::format("task {} does not parse: {}", fingerprint, task.error().message));
    } else if (Name(task->accuracy) != select.getColumn(2).getString()) {
      problems.push_back(fmt::format("task {}: its accuracy is not that of its JSON", fingerprint));
    }
  }
}

void CheckRecords(SQLite::Database& db, Problems& problems) {
  SQLite::Statement select(
      db, fmt::format("SELECT {}, COALESCE(r.min_ns, 0), COALESCE(r.median_ns, 0), "
                      "r.directives_hash, r.accuracy = t.accuracy FROM {} ORDER BY r.id",
                      kRecordColumns, kRecordTables));
  const auto extra = [&](int i) { return select.getColumn(kRecordColumnCount + i); };
  while (select.executeStep()) {
    const int64_t id = select.getColumn(0).getInt64();
    const Result<Record> record = ParseRecord(select);
    if (!record) {
      problems.push_back(fmt::format("record {} does not parse: {}", id, record.error().message));
      continue;
    }
    const Measurement& measured = record->measurement;
    if (extra(0).getInt64() != measured.MinNs() || extra(1).getInt64() != measured.MedianNs()) {
      problems.push_back(
          fmt::format("record {}: min_ns and median_ns are not those of its samples", id));
    }
    if (extra(2).getString() != fmt::format("{:016x}", record->trace.DirectivesHash())) {
      problems.push_back(fmt::format("record {}: directives_hash is not that of its trace", id));
    }
    if (extra(3).getInt() == 0)
      problems.push_back(fmt::format("record {}: its accuracy is not that of its task", id));
  }
}

}  // namespace

Result<std::vector<std::string>> Database::Check() const {
  return impl_->Read([&]() -> Result<Problems> {
    Problems problems;
    CheckStructure(*impl_->db, problems);
    // What reads rows of a damaged file would only repeat it.
    if (!problems.empty()) return problems;
    CheckReferences(*impl_->db, problems);
    CheckTasks(*impl_->db, problems);
    CheckRecords(*impl_->db, problems);
    return problems;
  });
}

}  // namespace whet
