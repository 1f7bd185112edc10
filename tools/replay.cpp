// `whet replay`: builds, checks and times one record again; `--run`: the decisions of a whole run.
#include <cstdio>

#include "base/cpu.h"
#include "base/table.h"
#include "search/process_measurer.h"
#include "tools/accuracy_option.h"
#include "tools/replay_run.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct ReplayOptions {
  std::string database, json;
  std::optional<Accuracy> accuracy;
  int64_t record = 0, run = 0;
};

// How the record was measured; warm where that is not known.
Result<CacheMode> ModeOf(const Database& database, const Record& record) {
  if (record.run_id == 0) return CacheMode::kWarm;
  ASSIGN_OR_RETURN(const RunRow run, database.RunById(record.run_id));
  const Result<CacheMode> mode = CacheModeOf(run.info);
  if (!mode) return Prefixed(mode.error(), fmt::format("run {}", run.id));
  return mode;
}

std::string Ms(double ns) { return ns > 0 ? fmt::format("{:.4f}", ns / 1e6) : "-"; }

Result<int> Replay(const ReplayOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  ASSIGN_OR_RETURN(const Record record, database->RecordById(options.record));
  ASSIGN_OR_RETURN(Task task, database->TaskByFingerprint(record.task));
  task.accuracy = options.accuracy.value_or(task.accuracy);
  ProcessMeasurerOptions measuring;
  measuring.worker.stop_requested = [] { return InterruptFlag().load(); };
  measuring.timing = measuring.comparison;
  ASSIGN_OR_RETURN(measuring.timing.cache, ModeOf(*database, record));
  ASSIGN_OR_RETURN(const std::unique_ptr<ProcessMeasurer> measurer,
                   ProcessMeasurer::Create(measuring));
  Measurement now;
  RETURN_IF_ERROR(measurer->Measure(task, std::span(&record.trace, 1),
                                    [&](size_t, const Measurement& measurement) {
                                      now = measurement;
                                      return true;
                                    }));

  const Measurement& then = record.measurement;
  const std::string mode(Name(measuring.timing.cache));
  std::printf("record %lld: %s, %s caches, %s\n", static_cast<long long>(record.id),
              task.Describe().c_str(), mode.c_str(), std::string(Name(task.accuracy)).c_str());
  Table table({"", "status", "median ms", "min ms", "largest error", "compile ms"});
  for (const Measurement* measurement : {&then, static_cast<const Measurement*>(&now)}) {
    table.AddRow({measurement == &then ? "then" : "now", std::string(Name(measurement->status)),
                  Ms(static_cast<double>(measurement->MedianNs())),
                  Ms(static_cast<double>(measurement->MinNs())),
                  measurement->ok() ? fmt::format("{:.1e}", measurement->max_error) : "-",
                  fmt::format("{:.0f}", measurement->compile_ms)});
  }
  std::fputs(table.ToString().c_str(), stdout);
  if (!now.ok()) std::printf("%s\n", now.message.c_str());
  if (then.ok() && now.ok()) {
    std::printf("now / then: %.3f\n",
                static_cast<double>(now.MedianNs()) /
                    static_cast<double>(std::max<int64_t>(then.MedianNs(), 1)));
  }
  if (!options.json.empty()) {
    const auto to_json = [](const Measurement& measurement) {
      return Json{{"status", Name(measurement.status)},
                  {"message", measurement.message},
                  {"samples_ns", measurement.samples_ns},
                  {"compile_ms", measurement.compile_ms},
                  {"max_error", measurement.max_error}};
    };
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(AllowedCpuCount())},
                                             {"record", record.id},
                                             {"task", record.task},
                                             {"cache", mode},
                                             {"accuracy", Name(task.accuracy)},
                                             {"then", to_json(then)},
                                             {"now", to_json(now)}}));
  }
  return now.status == then.status || now.ok() ? 0 : 2;
}

// Exit code 2 where the search decides otherwise now.
Result<int> ReplayDecisions(const ReplayOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  ASSIGN_OR_RETURN(const ReplayedRun replayed, ReplayRun(*database, options.run));
  const bool same = replayed.difference.empty() && replayed.replayed == replayed.records;
  std::printf(
      "run %lld: %lld of %lld records replayed; %s\n", static_cast<long long>(replayed.run),
      static_cast<long long>(replayed.replayed), static_cast<long long>(replayed.records),
      same ? "every proposal, prediction and decision is the same"
           : (replayed.difference.empty() ? "then the search ends" : replayed.difference.c_str()));
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(AllowedCpuCount())},
                                             {"run", replayed.run},
                                             {"records", replayed.records},
                                             {"replayed", replayed.replayed},
                                             {"same", same},
                                             {"difference", replayed.difference}}));
  }
  return same ? 0 : 2;
}

}  // namespace

void RegisterReplay(CLI::App& app, int* exit_code) {
  CLI::App* verb =
      app.add_subcommand("replay", "build, check and time one record again, or decide a run again");
  auto options = std::make_shared<ReplayOptions>();
  auto* record =
      verb->add_option("record", options->record, "the record's id (whet db list shows them)")
          ->type_name("RECORD-ID");
  verb->add_option("--run", options->run,
                   "instead: the decisions of this tuning run again, from its records; nothing is "
                   "compiled or run")
      ->type_name("RUN-ID")
      ->check(CLI::PositiveNumber)
      ->excludes(record);
  verb->add_option("--db", options->database, "tuning database")->type_name("FILE")->required();
  AddAccuracyOption(verb, &options->accuracy, "default: the record's own");
  verb->add_option("--json", options->json, "also write the result as JSON to this file")
      ->type_name("FILE");
  verb->footer(
      "Nothing is written to the database. Exit code 2: what worked then fails now, or the search "
      "decides otherwise.\nExamples:\n  whet replay --db tuning.db 42\n"
      "  whet replay --db tuning.db --run 3");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    if (options->run == 0 && options->record == 0) {
      *exit_code =
          Report(Error{ErrorCode::kInvalidInput, "replay wants a record's id, or --run RUN-ID"});
      return;
    }
    const auto result = options->run > 0 ? ReplayDecisions(*options) : Replay(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
