// `whet db query` and `whet db stats`: a SELECT of the user's, and what people ask most.
#include <algorithm>
#include <charconv>
#include <iostream>

#include "base/table.h"
#include "tools/db_verbs.h"

namespace whet {
namespace {

struct QueryOptions : DbOptions {
  std::string sql;
};

// A number of the database as JSON; SQLite's "Inf" is none.
Json CellToJson(const std::optional<std::string>& cell, bool numeric) {
  if (!cell) return Json();
  if (!numeric) return *cell;
  const char* const end = cell->data() + cell->size();
  int64_t integer = 0;
  if (const auto parsed = std::from_chars(cell->data(), end, integer); parsed.ptr == end)
    return integer;
  double real = 0;
  const auto parsed = std::from_chars(cell->data(), end, real);
  return parsed.ec == std::errc() && parsed.ptr == end ? NumberOrNull(real) : Json();
}

Result<int> Query(const QueryOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  ASSIGN_OR_RETURN(const QueryResult result, database->Query(options.sql));
  if (options.wants_json()) {
    Json json = {{"columns", result.columns}, {"rows", Json::array()}};
    for (size_t r = 0; r < result.rows.size(); ++r) {
      Json row = Json::array();
      for (size_t c = 0; c < result.columns.size(); ++c) {
        row.push_back(CellToJson(result.rows[r][c], result.numeric[r][c]));
      }
      json["rows"].push_back(std::move(row));
    }
    RETURN_IF_ERROR(WriteAnswer(*database, options, std::move(json)));
    return 0;
  }
  Table table(result.columns);
  for (const auto& row : result.rows) {
    std::vector<std::string> cells;
    for (const auto& cell : row) cells.push_back(cell ? FirstLine(*cell, 100) : "-");
    table.AddRow(std::move(cells));
  }
  std::cout << table.ToString()
            << fmt::format("({})\n", Plural(static_cast<int64_t>(result.rows.size()), "row"));
  return 0;
}

Json TotalsToJson(const DatabaseTotals& totals, const std::vector<RunRow>& runs) {
  Json json = {{"tasks", totals.tasks},
               {"models", totals.models},
               {"cost_models", totals.cost_models},
               {"records", totals.records},
               {"ok", totals.ok},
               {"failed", totals.failed},
               {"finals", totals.finals},
               {"run_seconds", totals.run_seconds},
               {"compile_seconds", totals.compile_seconds},
               {"timed_seconds", totals.timed_seconds},
               {"file_bytes", totals.file_bytes},
               {"first", totals.first.empty() ? Json() : Json(totals.first)},
               {"last", totals.last.empty() ? Json() : Json(totals.last)},
               {"failures", Json::array()},
               {"runs", Json::array()}};
  for (const FailureClass& failure : totals.failures) {
    json["failures"].push_back(
        {{"status", failure.status}, {"count", failure.count}, {"example", failure.example}});
  }
  for (const RunRow& run : runs) {
    const double rate = run.seconds > 0 ? static_cast<double>(run.records) / run.seconds : 0;
    json["runs"].push_back({{"run", run.id},
                            {"started", run.started},
                            {"seconds", run.seconds},
                            {"records", run.records},
                            {"candidates_per_s", NumberOrNull(rate)}});
  }
  return json;
}

Result<int> Stats(const DbOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  ASSIGN_OR_RETURN(const DatabaseTotals totals, database->Totals());
  ASSIGN_OR_RETURN(const std::vector<RunRow> runs, database->Runs());
  if (options.wants_json()) {
    RETURN_IF_ERROR(WriteAnswer(*database, options, TotalsToJson(totals, runs)));
    return 0;
  }
  const auto share = [&](int64_t count) {
    return totals.records > 0
               ? 100.0 * static_cast<double>(count) / static_cast<double>(totals.records)
               : 0.0;
  };
  const auto print = [](const char* label, const std::string& text) {
    std::cout << fmt::format("{:<9}{}\n", label, text);
  };
  print("file", fmt::format("{}, {}", options.db, Bytes(totals.file_bytes)));
  print("tasks", fmt::format("{}, {}", totals.tasks, Plural(totals.models, "model")));
  print("records",
        fmt::format("{}: {} ok, {} failed ({:.1f} %), {} of final comparisons", totals.records,
                    totals.ok, totals.failed, share(totals.failed), totals.finals));
  if (!totals.first.empty()) print("between", fmt::format("{} and {}", totals.first, totals.last));
  print("time", fmt::format("{} in {}; compiling {}, timing {}", Seconds(totals.run_seconds),
                            Plural(totals.runs, "run"), Seconds(totals.compile_seconds),
                            Seconds(totals.timed_seconds)));
  if (!totals.failures.empty()) {
    std::cout << "\n";
    Table table({"failure", "records", "share %", "newest message"});
    for (const FailureClass& failure : totals.failures) {
      table.AddRow({failure.status, std::to_string(failure.count),
                    fmt::format("{:.1f}", share(failure.count)), FirstLine(failure.example, 70)});
    }
    std::cout << table.ToString();
  }
  if (!runs.empty()) {
    constexpr size_t kShown = 10;
    std::cout << "\n";
    Table table({"run", "started", "outcome", "seconds", "records", "failed", "records/s"});
    for (size_t i = runs.size() - std::min(kShown, runs.size()); i < runs.size(); ++i) {
      const RunRow& run = runs[i];
      table.AddRow(
          {std::to_string(run.id), run.started, run.outcome.empty() ? "unfinished" : run.outcome,
           run.seconds > 0 ? fmt::format("{:.1f}", run.seconds) : "-", std::to_string(run.records),
           std::to_string(run.failed),
           run.seconds > 0 ? fmt::format("{:.1f}", static_cast<double>(run.records) / run.seconds)
                           : "-"});
    }
    std::cout << table.ToString();
    if (runs.size() > kShown)
      std::cout << fmt::format("(the newest {} of {} runs)\n", kShown, runs.size());
  }
  return 0;
}

}  // namespace

void AddQueryVerb(DbVerbs& verbs) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* verb = verbs.Add(
      "query", "The rows of one SELECT; nothing in the file can be changed",
      "Tables, views, columns and units are in docs/formats/database.md.\n"
      "Example: whet db query 'SELECT describe, best_ms, speedup FROM v_best' --db tuning.db",
      options, [options] { return Query(*options); });
  verb->add_option("sql", options->sql, "One SELECT, WITH, EXPLAIN or PRAGMA without a value")
      ->type_name("SQL")
      ->required();
}

void AddStatsVerb(DbVerbs& verbs) {
  auto options = std::make_shared<DbOptions>();
  verbs.Add("stats", "Totals, failures by class, records a second by run, time spent",
            "Records/s counts candidates built, checked and timed, without final comparisons.\n"
            "Example: whet db stats --db tuning.db",
            options, [options] { return Stats(*options); });
}

}  // namespace whet
