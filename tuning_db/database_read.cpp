// Reading records, tasks and the cost model. Runs, models, totals and queries are in
// database_report.cpp.
#include <sqlite3.h>

#include <charconv>
#include <cmath>

#include "tuning_db/database_impl.h"

namespace whet {
namespace {

std::string SelectRecords(const std::string& rest) {
  return fmt::format("SELECT {} FROM {} {}", kRecordColumns, kRecordTables, rest);
}

// The mode (CacheModeOf) that record r was measured in.
constexpr char kModeSql[] =
    "COALESCE(CASE WHEN json_valid(n.settings) THEN json_extract(n.settings, '$.cache') END, "
    "'warm')";

// IsWrong of record w: no record of the same directives is a winner then. v_best and the index
// records_wrong say the same.
constexpr char kWrongSql[] = "w.status IN ('wrong_result', 'guard_overrun', 'run_crash')";

std::string SoundSql() {
  return fmt::format(
      "r.status = 'ok' AND NOT EXISTS (SELECT 1 FROM records AS w WHERE w.task_id = r.task_id "
      "AND w.directives_hash = r.directives_hash AND {})",
      kWrongSql);
}

std::optional<double> OptionalDouble(const SQLite::Statement& row, int column) {
  if (row.isColumnNull(column)) return std::nullopt;
  return row.getColumn(column).getDouble();
}

double DoubleOrZero(const SQLite::Statement& row, int column) {
  return OptionalDouble(row, column).value_or(0);
}

void Count(int64_t* skipped) {
  if (skipped != nullptr) ++*skipped;
}

}  // namespace

Result<Record> ParseRecord(const SQLite::Statement& row) {
  Record record;
  record.id = row.getColumn(0).getInt64();
  record.run_id = row.getColumn(1).getInt64();
  record.task = row.getColumn(2).getString();
  ASSIGN_OR_RETURN(const Json trace, ParseJson(row.getColumn(3).getString()));
  ASSIGN_OR_RETURN(record.trace, Trace::FromJson(trace));
  Measurement& measured = record.measurement;
  ASSIGN_OR_RETURN(measured.status, ParseMeasureStatus(row.getColumn(4).getString()));
  measured.message = row.getColumn(5).getString();
  if (measured.ok()) {
    ASSIGN_OR_RETURN(const Json samples, ParseJson(row.getColumn(6).getString()));
    if (!samples.is_array() || samples.empty())
      return Fail(ErrorCode::kCorrupt, "samples_ns is not a list");
    for (const Json& sample : samples) {
      if (!sample.is_number_integer() || sample.get<int64_t>() < 0) {
        return Fail(ErrorCode::kCorrupt, "samples_ns holds something else than nanoseconds");
      }
      measured.samples_ns.push_back(sample.get<int64_t>());
    }
  }
  measured.compile_ms = DoubleOrZero(row, 7);
  measured.max_error = DoubleOrZero(row, 8);
  record.predicted = OptionalDouble(row, 9);
  record.is_default = row.getColumn(10).getInt() != 0;
  ASSIGN_OR_RETURN(record.role, ParseRecordRole(row.getColumn(11).getString()));
  record.created_utc = row.getColumn(12).getString();
  record.whet_version = row.getColumn(13).getString();
  record.halide_version = row.getColumn(14).getString();
  return record;
}

Result<Task> ParseTask(const std::string& json, const std::string& fingerprint) {
  ASSIGN_OR_RETURN(const Json parsed, ParseJson(json));
  ASSIGN_OR_RETURN(Task task, Task::FromJson(parsed));
  if (task.Fingerprint() != fingerprint) {
    return Fail(ErrorCode::kCorrupt, "its fingerprint is not {}", fingerprint);
  }
  return task;
}

Result<std::vector<Record>> Database::Records(const std::string& task, int64_t* skipped,
                                              std::optional<CacheMode> caches) const {
  if (skipped != nullptr) *skipped = 0;
  return impl_->Read([&]() -> Result<std::vector<Record>> {
    const std::string mode = caches ? std::string(kModeSql) + " = ?2" : "TRUE";
    SQLite::Statement select(
        *impl_->db, SelectRecords(fmt::format(
                        "WHERE t.fingerprint = ?1 AND {} ORDER BY r.created, r.id", mode)));
    select.bind(1, task);
    if (caches) select.bind(2, std::string(Name(*caches)));
    std::vector<Record> records;
    while (select.executeStep()) {
      Result<Record> record = ParseRecord(select);
      if (record) {
        records.push_back(*std::move(record));
      } else {
        Count(skipped);
      }
    }
    return records;
  });
}

Status Database::ForEachRecord(const std::function<Status(const Record&)>& visit,
                               int64_t* skipped) const {
  if (skipped != nullptr) *skipped = 0;
  return impl_->Read([&]() -> Status {
    SQLite::Statement select(*impl_->db, SelectRecords("ORDER BY r.id"));
    while (select.executeStep()) {
      const Result<Record> record = ParseRecord(select);
      if (record) {
        RETURN_IF_ERROR(visit(*record));
      } else {
        Count(skipped);
      }
    }
    return {};
  });
}

Result<std::optional<Record>> Database::Best(const std::string& task) const {
  return impl_->Read([&]() -> Result<std::optional<Record>> {
    SQLite::Statement newest(
        *impl_->db,
        fmt::format("SELECT r.run_id FROM records AS r JOIN tasks AS t ON t.id = r.task_id "
                    "WHERE t.fingerprint = ? AND r.role = 'final' AND {} "
                    "ORDER BY r.created DESC, r.id DESC LIMIT 1",
                    SoundSql()));
    newest.bind(1, task);
    const bool compared = newest.executeStep();
    SQLite::Statement select(
        *impl_->db, SelectRecords(fmt::format(
                        "WHERE t.fingerprint = ?1 AND {} {} "
                        "ORDER BY r.median_ns, r.min_ns, r.id",
                        SoundSql(), compared ? "AND r.role = 'final' AND r.run_id IS ?2" : "")));
    select.bind(1, task);
    if (compared && !newest.isColumnNull(0)) select.bind(2, newest.getColumn(0).getInt64());
    while (select.executeStep()) {
      Result<Record> record = ParseRecord(select);
      if (record) return std::optional<Record>(*std::move(record));
    }
    return std::optional<Record>();
  });
}

Result<std::set<uint64_t>> Database::WrongTraces(const std::string& task) const {
  return impl_->Read([&]() -> Result<std::set<uint64_t>> {
    SQLite::Statement select(
        *impl_->db, fmt::format("SELECT w.directives_hash FROM records AS w JOIN tasks AS t "
                                "ON t.id = w.task_id WHERE t.fingerprint = ? AND {}",
                                kWrongSql));
    select.bind(1, task);
    std::set<uint64_t> hashes;
    while (select.executeStep()) {
      const std::string text = select.getColumn(0).getString();
      uint64_t hash = 0;
      std::from_chars(text.data(), text.data() + text.size(), hash, 16);
      hashes.insert(hash);
    }
    return hashes;
  });
}

Result<Record> Database::RecordById(int64_t id) const {
  return impl_->Read([&]() -> Result<Record> {
    SQLite::Statement select(*impl_->db, SelectRecords("WHERE r.id = ?"));
    select.bind(1, id);
    if (!select.executeStep())
      return Fail(ErrorCode::kNotFound, "{}: there is no record {}", path(), id);
    Result<Record> record = ParseRecord(select);
    if (!record)
      return Prefixed(record.error(), fmt::format("{}: record {} does not parse", path(), id));
    return record;
  });
}

Result<Task> Database::TaskByFingerprint(const std::string& prefix) const {
  return impl_->Read([&]() -> Result<Task> {
    SQLite::Statement select(
        *impl_->db,
        "SELECT fingerprint, json FROM tasks "
        "WHERE substr(fingerprint, 1, length(?1)) = ?1 ORDER BY fingerprint LIMIT 2");
    select.bind(1, prefix);
    if (!select.executeStep()) {
      return Fail(ErrorCode::kNotFound,
                  "{}: no task's fingerprint starts with '{}'; `whet db list` shows them", path(),
                  prefix);
    }
    const std::string fingerprint = select.getColumn(0).getString();
    const std::string json = select.getColumn(1).getString();
    if (select.executeStep()) {
      return Fail(ErrorCode::kInvalidInput,
                  "{}: several tasks' fingerprints start with '{}', {} and {} among them", path(),
                  prefix, fingerprint, select.getColumn(0).getString());
    }
    Result<Task> task = ParseTask(json, fingerprint);
    if (!task)
      return Prefixed(task.error(), fmt::format("{}: task {} does not parse", path(), fingerprint));
    return task;
  });
}

Result<std::vector<TaskRow>> Database::Tasks(int64_t* skipped) const {
  if (skipped != nullptr) *skipped = 0;
  return impl_->Read([&]() -> Result<std::vector<TaskRow>> {
    SQLite::Statement select(
        *impl_->db,
        "SELECT v.task, v.describe, t.json, v.trials, v.failed, v.best_ms, v.default_ms, "
        "v.gflops, v.best_record FROM v_tasks AS v JOIN tasks AS t "
        "ON t.fingerprint = v.task ORDER BY t.id");
    std::vector<TaskRow> rows;
    while (select.executeStep()) {
      TaskRow row;
      row.fingerprint = select.getColumn(0).getString();
      row.describe = select.getColumn(1).getString();
      Result<Task> task = ParseTask(select.getColumn(2).getString(), row.fingerprint);
      if (!task) {
        Count(skipped);
        continue;
      }
      row.task = *std::move(task);
      row.trials = select.getColumn(3).getInt64();
      row.failed = select.getColumn(4).getInt64();
      row.best_ms = DoubleOrZero(select, 5);
      row.default_ms = DoubleOrZero(select, 6);
      row.gflops = DoubleOrZero(select, 7);
      row.best_record = select.getColumn(8).getInt64();
      rows.push_back(std::move(row));
    }
    return rows;
  });
}

Result<std::vector<Task>> Database::TasksOfTarget(const std::string& target) const {
  return impl_->Read([&]() -> Result<std::vector<Task>> {
    SQLite::Statement select(*impl_->db,
                             "SELECT t.fingerprint, t.json FROM tasks AS t JOIN targets AS g "
                             "ON g.id = t.target_id WHERE g.name = ? ORDER BY t.id");
    select.bind(1, target);
    std::vector<Task> tasks;
    while (select.executeStep()) {
      Result<Task> task =
          ParseTask(select.getColumn(1).getString(), select.getColumn(0).getString());
      if (task) tasks.push_back(*std::move(task));
    }
    return tasks;
  });
}

Result<std::vector<CurvePoint>> Database::Curve(const std::string& task) const {
  return impl_->Read([&]() -> Result<std::vector<CurvePoint>> {
    SQLite::Statement select(*impl_->db,
                             "SELECT trial, record, status, median_ms, best_ms FROM v_curve "
                             "WHERE task = ? ORDER BY trial");
    select.bind(1, task);
    std::vector<CurvePoint> points;
    while (select.executeStep()) {
      const Result<MeasureStatus> status = ParseMeasureStatus(select.getColumn(2).getString());
      points.push_back({.trial = select.getColumn(0).getInt64(),
                        .record = select.getColumn(1).getInt64(),
                        .status = status.value_or(MeasureStatus::kWorkerLost),
                        .median_ms = DoubleOrZero(select, 3),
                        .best_ms = DoubleOrZero(select, 4)});
    }
    return points;
  });
}

Result<CostModelRow> Database::LatestCostModel(const std::string& target) const {
  return impl_->Read([&]() -> Result<CostModelRow> {
    SQLite::Statement select(
        *impl_->db,
        "SELECT c.id, c.name, g.name, COALESCE(c.run_id, 0), c.feature_version, "
        "c.training_rows, c.spearman_rho, c.data, c.created FROM cost_models AS c "
        "JOIN targets AS g ON g.id = c.target_id WHERE g.name = ? "
        "ORDER BY c.created DESC, c.id DESC LIMIT 1");
    select.bind(1, target);
    if (!select.executeStep()) {
      return Fail(ErrorCode::kNotFound, "{}: there is no cost model for target {}", path(), target);
    }
    CostModelRow row;
    row.id = select.getColumn(0).getInt64();
    row.name = select.getColumn(1).getString();
    row.target = select.getColumn(2).getString();
    row.run_id = select.getColumn(3).getInt64();
    row.feature_version = select.getColumn(4).getInt();
    row.training_rows = select.getColumn(5).getInt64();
    row.spearman_rho = OptionalDouble(select, 6);
    row.data = select.getColumn(7).getString();
    row.created = select.getColumn(8).getString();
    return row;
  });
}

}  // namespace whet
