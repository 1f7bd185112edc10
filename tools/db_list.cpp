// `whet db list`: tasks, tuning runs, or the records of a task.
#include <algorithm>
#include <iostream>

#include "base/table.h"
#include "tools/db_verbs.h"

namespace whet {
namespace {

struct ListOptions : DbOptions {
  bool runs = false;
  std::string records;  // a task's fingerprint
  int64_t limit = 40;
};

// How many of `count` rows, the last ones, are shown.
size_t Shown(size_t count, int64_t limit) {
  return limit <= 0 ? count : std::min(count, static_cast<size_t>(limit));
}

void PrintShown(size_t shown, size_t count, std::string_view noun) {
  if (shown == count) return;
  std::cout << fmt::format("(the newest {} of {}; --limit 0 shows all)\n", shown,
                           Plural(count, noun));
}

void PrintSkipped(int64_t skipped, std::string_view noun) {
  if (skipped == 0) return;
  std::cout << fmt::format("({} left out: `whet db check` says why)\n", Plural(skipped, noun));
}

Result<int> ListTasks(const Database& database, const ListOptions& options) {
  int64_t skipped = 0;
  ASSIGN_OR_RETURN(const std::vector<TaskRow> rows, database.Tasks(&skipped));
  const size_t shown = Shown(rows.size(), options.limit);
  const std::vector<TaskRow> last(rows.end() - shown, rows.end());
  if (options.wants_json()) {
    Json json = {{"tasks", Json::array()}, {"skipped", skipped}, {"total", rows.size()}};
    for (const TaskRow& row : last) {
      json["tasks"].push_back({{"fingerprint", row.fingerprint},
                               {"describe", row.describe},
                               {"target", row.task.target},
                               {"accuracy", Name(row.task.accuracy)},
                               {"flops", row.task.Flops()},
                               {"trials", row.trials},
                               {"failed", row.failed},
                               {"best_ms", NumberOrNull(row.best_ms)}});
    }
    RETURN_IF_ERROR(WriteAnswer(database, options, std::move(json)));
    return 0;
  }
  Table table({"task", "kernel", "MFLOP", "trials", "failed", "best ms", "target"});
  for (const TaskRow& row : last) {
    table.AddRow({ShortFingerprint(row.fingerprint), KernelLabel(row),
                  fmt::format("{:.1f}", row.task.Flops() / 1e6), std::to_string(row.trials),
                  std::to_string(row.failed), Milliseconds(row.best_ms), row.task.target});
  }
  std::cout << table.ToString();
  PrintShown(shown, rows.size(), "task");
  PrintSkipped(skipped, "task");
  return 0;
}

Result<int> ListRuns(const Database& database, const ListOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<RunRow> rows, database.Runs());
  const size_t shown = Shown(rows.size(), options.limit);
  const std::vector<RunRow> last(rows.end() - shown, rows.end());
  const auto rate = [](const RunRow& run) {
    return run.seconds > 0 ? static_cast<double>(run.records) / run.seconds : 0;
  };
  if (options.wants_json()) {
    Json json = {{"runs", Json::array()}, {"total", rows.size()}};
    for (const RunRow& run : last) {
      json["runs"].push_back({{"run", run.id},
                              {"uid", run.uid},
                              {"started", run.started},
                              {"finished", run.finished.empty() ? Json() : Json(run.finished)},
                              {"outcome", run.outcome.empty() ? Json() : Json(run.outcome)},
                              {"seconds", run.seconds},
                              {"tasks", run.tasks},
                              {"records", run.records},
                              {"failed", run.failed},
                              {"candidates_per_s", NumberOrNull(rate(run))},
                              {"command", run.info.command},
                              {"model", run.info.model},
                              {"version", run.info.version},
                              {"target", run.info.target},
                              {"seed", run.info.seed},
                              {"threads", run.info.threads},
                              {"machine", run.info.machine},
                              {"halide_version", TextOrNull(run.info.halide_version)},
                              {"settings", run.info.settings}});
    }
    RETURN_IF_ERROR(WriteAnswer(database, options, std::move(json)));
    return 0;
  }
  Table table({"run", "started", "outcome", "seconds", "tasks", "records", "failed", "records/s",
               "command"});
  for (const RunRow& run : last) {
    table.AddRow(
        {std::to_string(run.id), run.started, run.outcome.empty() ? "unfinished" : run.outcome,
         run.seconds > 0 ? fmt::format("{:.1f}", run.seconds) : "-", std::to_string(run.tasks),
         std::to_string(run.records), std::to_string(run.failed),
         rate(run) > 0 ? fmt::format("{:.1f}", rate(run)) : "-", FirstLine(run.info.command, 60)});
  }
  std::cout << table.ToString();
  PrintShown(shown, rows.size(), "run");
  return 0;
}

std::string Marks(const Record& record) {
  std::string marks = record.is_default ? "default" : "";
  if (record.is_trial()) return marks;
  return marks + (marks.empty() ? "" : " ") + std::string(Name(record.role));
}

Result<int> ListRecords(const Database& database, const ListOptions& options) {
  ASSIGN_OR_RETURN(const std::string task, FullFingerprint(database, options.records));
  int64_t skipped = 0;
  ASSIGN_OR_RETURN(const std::vector<Record> rows, database.Records(task, &skipped));
  const size_t shown = Shown(rows.size(), options.limit);
  const std::vector<Record> last(rows.end() - shown, rows.end());
  if (options.wants_json()) {
    Json json = {
        {"task", task}, {"records", Json::array()}, {"skipped", skipped}, {"total", rows.size()}};
    for (const Record& record : last) {
      const Measurement& measured = record.measurement;
      json["records"].push_back({{"record", record.id},
                                 {"run", record.run_id > 0 ? Json(record.run_id) : Json()},
                                 {"status", Name(measured.status)},
                                 {"message", measured.message},
                                 {"median_ms", NumberOrNull(measured.MedianNs() / 1e6)},
                                 {"min_ms", NumberOrNull(measured.MinNs() / 1e6)},
                                 {"samples", measured.samples_ns.size()},
                                 {"compile_ms", NumberOrNull(measured.compile_ms)},
                                 {"max_error", measured.ok() ? Json(measured.max_error) : Json()},
                                 {"predicted", record.predicted ? Json(*record.predicted) : Json()},
                                 {"is_default", record.is_default},
                                 {"is_final", record.is_final()},
                                 {"role", Name(record.role)},
                                 {"sketch", record.trace.sketch},
                                 {"created", record.created_utc}});
    }
    RETURN_IF_ERROR(WriteAnswer(database, options, std::move(json)));
    return 0;
  }
  Table table({"record", "run", "status", "median ms", "min ms", "samples", "compile ms",
               "predicted", "", "sketch"});
  for (const Record& record : last) {
    const Measurement& measured = record.measurement;
    table.AddRow({std::to_string(record.id),
                  record.run_id > 0 ? std::to_string(record.run_id) : "-",
                  std::string(Name(measured.status)), Milliseconds(measured.MedianNs() / 1e6),
                  Milliseconds(measured.MinNs() / 1e6), std::to_string(measured.samples_ns.size()),
                  measured.compile_ms > 0 ? fmt::format("{:.1f}", measured.compile_ms) : "-",
                  record.predicted ? fmt::format("{:.3f}", *record.predicted) : "-", Marks(record),
                  FirstLine(record.trace.sketch, 40)});
  }
  std::cout << table.ToString();
  PrintShown(shown, rows.size(), "record");
  PrintSkipped(skipped, "record");
  return 0;
}

Result<int> List(const ListOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  if (options.runs) return ListRuns(*database, options);
  if (!options.records.empty()) return ListRecords(*database, options);
  return ListTasks(*database, options);
}

}  // namespace

void AddListVerb(DbVerbs& verbs) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* verb =
      verbs.Add("list", "Tasks; or tuning runs; or the records of a task",
                "Times are in milliseconds. `unfinished` runs were killed or still go on.\n"
                "Example: whet db list --db tuning.db --records 1a2b3c4d --limit 0",
                options, [options] { return List(*options); });
  auto* runs = verb->add_flag("--runs", options->runs, "Tuning runs, oldest first");
  verb->add_option("--records", options->records,
                   "Records of the task whose fingerprint starts so, oldest first")
      ->type_name("TASK")
      ->excludes(runs);
  verb->add_option("--limit", options->limit, "Rows at most, the newest; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000}))
      ->capture_default_str();
}

}  // namespace whet
