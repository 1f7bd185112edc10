// What people ask of the whole file: runs, models, totals, queries. The check is in
// database_check.cpp.
#include <sqlite3.h>

#include <charconv>
#include <filesystem>

#include "tuning_db/database_impl.h"
#include "tuning_db/query_guard.h"

namespace whet {
namespace {

constexpr char kRunColumns[] =
    "SELECT run, uid, command, model, version, target, seed, threads, machine, started, finished, "
    "outcome, seconds, tasks, records, failed, halide_version, settings FROM v_runs";

RunRow ParseRun(const SQLite::Statement& row) {
  RunRow run;
  run.id = row.getColumn(0).getInt64();
  run.uid = row.getColumn(1).getString();
  run.info.command = row.getColumn(2).getString();
  run.info.model = row.getColumn(3).getString();
  run.info.version = row.getColumn(4).getString();
  run.info.target = row.getColumn(5).getString();
  const std::string seed = row.getColumn(6).getString();
  std::from_chars(seed.data(), seed.data() + seed.size(), run.info.seed);
  run.info.threads = row.getColumn(7).getInt();
  run.info.machine = ParseJson(row.getColumn(8).getString()).value_or(Json());
  run.started = row.getColumn(9).getString();
  run.finished = row.getColumn(10).getString();
  const std::string outcome = row.getColumn(11).getString();
  if (outcome != "unfinished") run.outcome = outcome;
  run.seconds = row.getColumn(12).getDouble();
  run.tasks = row.getColumn(13).getInt64();
  run.records = row.getColumn(14).getInt64();
  run.failed = row.getColumn(15).getInt64();
  run.info.halide_version = row.getColumn(16).getString();
  run.info.settings = ParseJson(row.getColumn(17).getString()).value_or(Json());
  return run;
}

// A statement that the user may run, or SQLite's reason against it. Null for blanks and comments.
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using RawStatement = std::unique_ptr<sqlite3_stmt, Finalize>;

Error QueryError(const std::string& path, sqlite3* db, int code) {
  const std::string detail = sqlite3_errmsg(db);
  const Error writes{ErrorCode::kInvalidInput,
                     "the query would do more than read; one SELECT, WITH, EXPLAIN or PRAGMA "
                     "without a value is accepted"};
  // A function that is refused comes as a plain error.
  if (detail.starts_with("not authorized to use function")) return writes;
  switch (code & 0xff) {
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return writes;
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return {ErrorCode::kInvalidInput,
              fmt::format("the query does not work: {}; docs/formats/database.md lists tables, "
                          "views and columns",
                          detail)};
    default:
      return ErrorFromSqlite(path, code, sqlite3_system_errno(db), detail);
  }
}

Result<RawStatement> PrepareOne(const std::string& path, sqlite3* db, const std::string& sql) {
  const char* tail = sql.data();
  const char* const end = sql.data() + sql.size();
  RawStatement found;
  while (tail < end) {
    sqlite3_stmt* statement = nullptr;
    const char* const begin = tail;
    const int code =
        sqlite3_prepare_v2(db, begin, static_cast<int>(end - begin), &statement, &tail);
    RawStatement owned(statement);
    if (found && (owned || code != SQLITE_OK)) {
      return Fail(ErrorCode::kInvalidInput, "the query holds several statements; one is accepted");
    }
    if (code != SQLITE_OK) return tl::unexpected<Error>(QueryError(path, db, code));
    if (owned) found = std::move(owned);
    if (tail <= begin) break;
  }
  if (!found)
    return Fail(ErrorCode::kInvalidInput, "the query is empty; one SELECT statement is accepted");
  if (sqlite3_stmt_readonly(found.get()) == 0) {
    return tl::unexpected<Error>(QueryError(path, db, SQLITE_READONLY));
  }
  return found;
}

std::string Hexadecimal(const void* bytes, int count) {
  std::string text = "x'";
  for (int i = 0; i < count; ++i)
    text += fmt::format("{:02x}", static_cast<const uint8_t*>(bytes)[i]);
  return text + "'";
}

std::optional<std::string> CellText(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return std::nullopt;
    case SQLITE_BLOB: {
      const void* bytes = sqlite3_column_blob(statement, column);
      return Hexadecimal(bytes, sqlite3_column_bytes(statement, column));
    }
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return text == nullptr ? "" : std::string(text, sqlite3_column_bytes(statement, column));
    }
  }
}

}  // namespace

Result<std::vector<RunRow>> Database::Runs() const {
  return impl_->Read([&]() -> Result<std::vector<RunRow>> {
    SQLite::Statement select(*impl_->db, fmt::format("{} ORDER BY started, run", kRunColumns));
    std::vector<RunRow> runs;
    while (select.executeStep()) runs.push_back(ParseRun(select));
    return runs;
  });
}

Result<RunRow> Database::RunById(int64_t id) const {
  return impl_->Read([&]() -> Result<RunRow> {
    SQLite::Statement select(*impl_->db, fmt::format("{} WHERE run = ?", kRunColumns));
    select.bind(1, id);
    if (!select.executeStep())
      return Fail(ErrorCode::kNotFound, "{}: there is no run {}", path(), id);
    return ParseRun(select);
  });
}

Result<std::vector<ModelRow>> Database::Models() const {
  return impl_->Read([&]() -> Result<std::vector<ModelRow>> {
    SQLite::Statement select(
        *impl_->db,
        "SELECT m.id, m.fingerprint, m.name, m.created, t.fingerprint, k.uses FROM models AS m "
        "LEFT JOIN model_tasks AS k ON k.model_id = m.id LEFT JOIN tasks AS t "
        "ON t.id = k.task_id ORDER BY m.id, t.id");
    std::vector<ModelRow> models;
    int64_t last = 0;
    while (select.executeStep()) {
      const int64_t id = select.getColumn(0).getInt64();
      if (models.empty() || id != last) {
        models.push_back({.fingerprint = select.getColumn(1).getString(),
                          .name = select.getColumn(2).getString(),
                          .created = select.getColumn(3).getString()});
        last = id;
      }
      if (select.isColumnNull(4)) continue;
      models.back().task_uses.emplace_back(select.getColumn(4).getString(),
                                           select.getColumn(5).getInt());
    }
    return models;
  });
}

Result<ModelRow> Database::FindModel(const std::string& name) const {
  ASSIGN_OR_RETURN(const std::vector<ModelRow> models, Models());
  const ModelRow* found = nullptr;
  std::string known;
  for (const ModelRow& model : models) {
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", model.name);
    const bool matches =
        model.name == name || (!name.empty() && model.fingerprint.starts_with(name));
    if (!matches) continue;
    if (found != nullptr) {
      return Fail(
          ErrorCode::kInvalidInput,
          "{}: several models are called '{}'; give the beginning of one's fingerprint: {} or {}",
          path(), name, found->fingerprint.substr(0, 8), model.fingerprint.substr(0, 8));
    }
    found = &model;
  }
  if (found != nullptr) return *found;
  return Fail(ErrorCode::kNotFound, "{}: there is no model '{}'; it has {}", path(), name,
              known.empty() ? "none" : known);
}

Result<DatabaseTotals> Database::Totals() const {
  return impl_->Read([&]() -> Result<DatabaseTotals> {
    SQLite::Database& db = *impl_->db;
    const auto number = [&](const char* sql) { return db.execAndGet(sql).getDouble(); };
    const auto count = [&](const char* table) {
      return db.execAndGet(fmt::format("SELECT COUNT(*) FROM {}", table)).getInt64();
    };
    DatabaseTotals totals;
    totals.tasks = count("tasks");
    totals.models = count("models");
    totals.runs = count("tuning_runs");
    totals.cost_models = count("cost_models");
    totals.run_seconds = number("SELECT TOTAL(seconds) FROM v_runs");
    totals.timed_seconds = number(
        "SELECT TOTAL(s.value) / 1e9 FROM records AS r, "
        "json_each(CASE WHEN json_valid(r.samples_ns) THEN r.samples_ns ELSE '[]' END) AS s");
    SQLite::Statement sums(
        db,
        "SELECT COUNT(*), TOTAL(status = 'ok'), TOTAL(role = 'final'), TOTAL(compile_ms) / 1e3, "
        "MIN(created), MAX(created) FROM records");
    if (sums.executeStep()) {
      totals.records = sums.getColumn(0).getInt64();
      totals.ok = sums.getColumn(1).getInt64();
      totals.failed = totals.records - totals.ok;
      totals.finals = sums.getColumn(2).getInt64();
      totals.compile_seconds = sums.getColumn(3).getDouble();
      totals.first = sums.getColumn(4).getString();
      totals.last = sums.getColumn(5).getString();
    }
    // A bare column beside MAX comes from the row of the maximum: the newest message.
    SQLite::Statement failures(
        db,
        "SELECT status, COUNT(*), message, MAX(id) FROM records WHERE status <> 'ok' "
        "GROUP BY status ORDER BY COUNT(*) DESC, status");
    while (failures.executeStep()) {
      totals.failures.push_back({.status = failures.getColumn(0).getString(),
                                 .count = failures.getColumn(1).getInt64(),
                                 .example = failures.getColumn(2).getString()});
    }
    std::error_code error;
    const uintmax_t bytes = std::filesystem::file_size(impl_->path, error);
    totals.file_bytes = error ? 0 : static_cast<int64_t>(bytes);
    return totals;
  });
}

Result<QueryResult> Database::Query(const std::string& sql) const {
  return impl_->Read([&]() -> Result<QueryResult> {
    QueryGuard guard(*impl_->db);
    sqlite3* const db = impl_->db->getHandle();
    ASSIGN_OR_RETURN(const RawStatement statement, PrepareOne(impl_->path, db, sql));
    QueryResult result;
    const int columns = sqlite3_column_count(statement.get());
    for (int i = 0; i < columns; ++i) {
      const char* name = sqlite3_column_name(statement.get(), i);
      result.columns.push_back(name != nullptr ? name : "");
    }
    for (;;) {
      const int code = sqlite3_step(statement.get());
      if (code == SQLITE_DONE) return result;
      if (code != SQLITE_ROW) return tl::unexpected<Error>(QueryError(impl_->path, db, code));
      auto& row = result.rows.emplace_back();
      auto& numeric = result.numeric.emplace_back();
      for (int i = 0; i < columns; ++i) {
        const int type = sqlite3_column_type(statement.get(), i);
        numeric.push_back(type == SQLITE_INTEGER || type == SQLITE_FLOAT);
        row.push_back(CellText(statement.get(), i));
      }
    }
  });
}

}  // namespace whet
