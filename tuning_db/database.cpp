// Opening and writing. Reading is in database_read.cpp (records, tasks) and database_report.cpp
// (the rest).
#include "tuning_db/database.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/fingerprint.h"
#include "tuning_db/database_impl.h"

namespace whet {
namespace {

void BindOrNull(SQLite::Statement& statement, int index, bool present, double value) {
  if (present) {
    statement.bind(index, value);
  } else {
    statement.bind(index);
  }
}

void BindOrNull(SQLite::Statement& statement, int index, const std::string& text) {
  if (text.empty()) {
    statement.bind(index);
  } else {
    statement.bind(index, text);
  }
}

void BindId(SQLite::Statement& statement, int index, int64_t id) {
  if (id > 0) {
    statement.bind(index, id);
  } else {
    statement.bind(index);
  }
}

// The id of the row whose column `key` is `value`; 0: there is none.
int64_t FindId(SQLite::Database& db, const char* table, const char* key, const std::string& value) {
  SQLite::Statement find(db, fmt::format("SELECT id FROM {} WHERE {} = ?", table, key));
  find.bind(1, value);
  return find.executeStep() ? find.getColumn(0).getInt64() : 0;
}

int64_t TargetId(SQLite::Database& db, const std::string& target) {
  if (const int64_t id = FindId(db, "targets", "name", target); id != 0) return id;
  SQLite::Statement insert(db, "INSERT INTO targets (name) VALUES (?)");
  insert.bind(1, target);
  insert.exec();
  return db.getLastInsertRowid();
}

// 0: the machine is not known.
int64_t MachineId(SQLite::Database& db, const Json& machine) {
  if (machine.is_null() || machine.empty()) return 0;
  const std::string json = DumpJson(machine);
  const std::string fingerprint = Fingerprint(json);
  if (const int64_t id = FindId(db, "machines", "fingerprint", fingerprint); id != 0) return id;
  SQLite::Statement insert(db, "INSERT INTO machines (fingerprint, json) VALUES (?, ?)");
  insert.bind(1, fingerprint);
  insert.bind(2, json);
  insert.exec();
  return db.getLastInsertRowid();
}

int64_t InsertTask(SQLite::Database& db, const Task& task, const std::string& created) {
  const std::string fingerprint = task.Fingerprint();
  if (const int64_t id = FindId(db, "tasks", "fingerprint", fingerprint); id != 0) return id;
  SQLite::Statement insert(
      db,
      "INSERT INTO tasks (fingerprint, target_id, describe, flops, json, created, accuracy) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, fingerprint);
  insert.bind(2, TargetId(db, task.target));
  insert.bind(3, task.Describe());
  insert.bind(4, task.Flops());
  insert.bind(5, DumpJson(task.ToJson()));
  insert.bind(6, created);
  insert.bind(7, std::string(Name(task.accuracy)));
  insert.exec();
  return db.getLastInsertRowid();
}

int64_t InsertRun(SQLite::Database& db, const RunRow& run) {
  SQLite::Statement insert(
      db,
      "INSERT INTO tuning_runs (uid, command, model, version, target_id, machine_id, "
      "seed, threads, started, halide_version, settings) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, run.uid);
  insert.bind(2, run.info.command);
  insert.bind(3, run.info.model);
  insert.bind(4, run.info.version);
  insert.bind(5, TargetId(db, run.info.target));
  BindId(insert, 6, MachineId(db, run.info.machine));
  insert.bind(7, std::to_string(run.info.seed));
  insert.bind(8, run.info.threads);
  insert.bind(9, run.started);
  BindOrNull(insert, 10, run.info.halide_version);
  BindOrNull(insert, 11, run.info.settings.is_null() ? "" : DumpJson(run.info.settings));
  insert.exec();
  return db.getLastInsertRowid();
}

std::string HashText(const Trace& trace) { return fmt::format("{:016x}", trace.DirectivesHash()); }

std::string SamplesText(const Measurement& measurement) {
  return DumpJson(Json(measurement.samples_ns));
}

int64_t InsertRecord(SQLite::Database& db, int64_t task_id, int64_t run_id, const Record& record,
                     const std::string& created) {
  const Measurement& measured = record.measurement;
  SQLite::Statement insert(
      db,
      "INSERT INTO records (task_id, run_id, status, message, sketch, trace, directives_hash, "
      "samples_ns, min_ns, median_ns, compile_ms, max_error, predicted, is_default, role, created, "
      "accuracy) VALUES (?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "(SELECT accuracy FROM tasks WHERE id = ?1))");
  insert.bind(1, task_id);
  BindId(insert, 2, run_id);
  insert.bind(3, std::string(Name(measured.status)));
  insert.bind(4, measured.message);
  insert.bind(5, record.trace.sketch);
  insert.bind(6, DumpJson(record.trace.ToJson()));
  insert.bind(7, HashText(record.trace));
  if (measured.ok()) {
    insert.bind(8, SamplesText(measured));
    insert.bind(9, measured.MinNs());
    insert.bind(10, measured.MedianNs());
  }
  BindOrNull(insert, 11, measured.compile_ms > 0, measured.compile_ms);
  // An error is known where results were compared; SQLite has no NaN, and a result of NaN is
  // infinitely wrong.
  const bool compared = measured.ok() || measured.status == MeasureStatus::kWrongResult;
  BindOrNull(insert, 12, compared, std::isnan(measured.max_error) ? INFINITY : measured.max_error);
  BindOrNull(insert, 13, record.predicted.has_value(), record.predicted.value_or(0));
  insert.bind(14, record.is_default ? 1 : 0);
  insert.bind(15, std::string(Name(record.role)));
  insert.bind(16, created);
  insert.exec();
  return db.getLastInsertRowid();
}

Status CheckRecord(const std::string& path, const Record& record) {
  if (record.measurement.ok() && record.measurement.samples_ns.empty()) {
    return Fail(ErrorCode::kInvalidInput, "{}: a record of status 'ok' needs at least one sample",
                path);
  }
  if (record.measurement.ok() && record.role == RecordRole::kCheck) {
    return Fail(ErrorCode::kInvalidInput, "{}: a check is a record only where the kernel failed it",
                path);
  }
  return {};
}

// Distinct also between processes that start within the same second.
std::string NewUid(const RunInfo& info, const std::string& started) {
  std::random_device random;
  std::string seed = info.command + "\n" + started;
  for (int i = 0; i < 4; ++i) seed += fmt::format(" {}", random());
  return Fingerprint(seed);
}

}  // namespace

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;
const std::string& Database::path() const { return impl_->path; }

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode,
                                                 const DatabaseOptions& options) {
  ASSIGN_OR_RETURN(auto connection, OpenConnection(path, mode, options.busy_timeout_ms));
  return std::unique_ptr<Database>(
      new Database(std::make_unique<Impl>(Impl{path, mode, options.clock, std::move(connection)})));
}

Result<int64_t> Database::StartRun(const RunInfo& info) {
  return impl_->Write([&]() -> Result<int64_t> {
    RunRow run;
    run.info = info;
    run.started = impl_->clock->NowUtc();
    run.uid = NewUid(info, run.started);
    return InsertRun(*impl_->db, run);
  });
}

Status Database::FinishRun(int64_t run_id, const std::string& outcome, double seconds) {
  return impl_->Write([&]() -> Status {
    SQLite::Statement update(
        *impl_->db, "UPDATE tuning_runs SET outcome = ?, seconds = ?, finished = ? WHERE id = ?");
    update.bind(1, outcome);
    update.bind(2, seconds);
    update.bind(3, impl_->clock->NowUtc());
    update.bind(4, run_id);
    if (update.exec() == 0)
      return Fail(ErrorCode::kNotFound, "{}: there is no run {}", path(), run_id);
    return {};
  });
}

Status Database::AddTask(const Task& task) {
  return impl_->Write([&]() -> Status {
    InsertTask(*impl_->db, task, impl_->clock->NowUtc());
    return {};
  });
}

Status Database::AddModel(const std::string& fingerprint, const std::string& name,
                          const std::vector<std::pair<std::string, int>>& task_uses) {
  return impl_->Write([&]() -> Status {
    SQLite::Database& db = *impl_->db;
    SQLite::Statement upsert(db,
                             "INSERT INTO models (fingerprint, name, created) VALUES (?, ?, ?) "
                             "ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name");
    upsert.bind(1, fingerprint);
    upsert.bind(2, name);
    upsert.bind(3, impl_->clock->NowUtc());
    upsert.exec();
    const int64_t model_id = FindId(db, "models", "fingerprint", fingerprint);
    std::vector<int64_t> ids;
    for (const auto& [task, uses] : task_uses) {
      ids.push_back(FindId(db, "tasks", "fingerprint", task));
      if (ids.back() == 0) {
        return Fail(ErrorCode::kInvalidInput, "{}: task {} of model '{}' has not been added",
                    path(), task, name);
      }
      SQLite::Statement clear(
          db,
          "DELETE FROM model_tasks WHERE model_id = ?1 AND task_id IN (SELECT id FROM tasks "
          "WHERE target_id = (SELECT target_id FROM tasks WHERE id = ?2))");
      clear.bind(1, model_id);
      clear.bind(2, ids.back());
      clear.exec();
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      SQLite::Statement insert(db,
                               "INSERT INTO model_tasks (model_id, task_id, uses) VALUES (?, ?, ?) "
                               "ON CONFLICT DO UPDATE SET uses = uses + excluded.uses");
      insert.bind(1, model_id);
      insert.bind(2, ids[i]);
      insert.bind(3, task_uses[i].second);
      insert.exec();
    }
    return {};
  });
}

Result<int64_t> Database::AddRecord(const Record& record) {
  RETURN_IF_ERROR(CheckRecord(path(), record));
  return impl_->Write([&]() -> Result<int64_t> {
    const int64_t task_id = FindId(*impl_->db, "tasks", "fingerprint", record.task);
    if (task_id == 0) {
      return Fail(ErrorCode::kInvalidInput, "{}: task {} has not been added", path(), record.task);
    }
    // The latest final is what counts: also where the clock was set back since the one before it.
    SQLite::Statement newest(
        *impl_->db, "SELECT MAX(created) FROM records WHERE task_id = ? AND role = 'final'");
    newest.bind(1, task_id);
    newest.executeStep();
    const std::string created =
        std::max(impl_->TimeOr(record.created_utc), newest.getColumn(0).getString());
    return InsertRecord(*impl_->db, task_id, record.run_id, record, created);
  });
}

Result<bool> Database::MergeRecord(const Task& task, const Record& record,
                                   const std::optional<RunRow>& run) {
  RETURN_IF_ERROR(CheckRecord(path(), record));
  return impl_->Write([&]() -> Result<bool> {
    SQLite::Database& db = *impl_->db;
    const std::string created = impl_->TimeOr(record.created_utc);
    const int64_t task_id = InsertTask(db, task, created);
    SQLite::Statement find(
        db,
        "SELECT 1 FROM records WHERE task_id = ? AND directives_hash = ? AND status = ? "
        "AND created = ? AND role = ? AND samples_ns IS ?");
    find.bind(1, task_id);
    find.bind(2, HashText(record.trace));
    find.bind(3, std::string(Name(record.measurement.status)));
    find.bind(4, created);
    find.bind(5, std::string(Name(record.role)));
    BindOrNull(find, 6, record.measurement.ok() ? SamplesText(record.measurement) : "");
    if (find.executeStep()) return false;

    int64_t run_id = 0;
    if (run) {
      run_id = FindId(db, "tuning_runs", "uid", run->uid);
      if (run_id == 0) run_id = InsertRun(db, *run);
      // The copy that was merged first may have been taken before the run finished.
      SQLite::Statement finish(db,
                               "UPDATE tuning_runs SET outcome = ?, seconds = ?, finished = ? "
                               "WHERE id = ? AND outcome IS NULL AND ?1 IS NOT NULL");
      BindOrNull(finish, 1, run->outcome);
      BindOrNull(finish, 2, !run->outcome.empty(), run->seconds);
      BindOrNull(finish, 3, run->finished);
      finish.bind(4, run_id);
      finish.exec();
    }
    InsertRecord(db, task_id, run_id, record, created);
    return true;
  });
}

Result<int64_t> Database::AddCostModel(const CostModelRow& model) {
  return impl_->Write([&]() -> Result<int64_t> {
    SQLite::Database& db = *impl_->db;
    SQLite::Statement insert(
        db,
        "INSERT INTO cost_models (name, target_id, run_id, feature_version, training_rows, "
        "spearman_rho, data, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, model.name);
    insert.bind(2, TargetId(db, model.target));
    BindId(insert, 3, model.run_id);
    insert.bind(4, model.feature_version);
    insert.bind(5, model.training_rows);
    BindOrNull(insert, 6, model.spearman_rho.has_value(), model.spearman_rho.value_or(0));
    insert.bind(7, model.data.data(), static_cast<int>(model.data.size()));
    insert.bind(8, impl_->TimeOr(model.created));
    insert.exec();
    return db.getLastInsertRowid();
  });
}

Status Database::InTransaction(const std::function<Status()>& work) {
  return impl_->Read([&]() -> Status {
    SQLite::Transaction transaction(*impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    {
      struct Inside {
        bool& flag;
        explicit Inside(bool& f) : flag(f) { flag = true; }
        ~Inside() { flag = false; }
      } inside(impl_->in_transaction);
      RETURN_IF_ERROR(work());
    }
    transaction.commit();
    return {};
  });
}

}  // namespace whet
