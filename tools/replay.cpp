// `whet replay`: builds, checks and times one record again.
#include <cstdio>

#include "base/table.h"
#include "search/process_measurer.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct ReplayOptions {
  std::string database, json;
  int64_t record = 0;
};

std::string Ms(double ns) { return ns > 0 ? fmt::format("{:.4f}", ns / 1e6) : "-"; }

Result<int> Replay(const ReplayOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  ASSIGN_OR_RETURN(const Record record, database->RecordById(options.record));
  ASSIGN_OR_RETURN(const Task task, database->TaskByFingerprint(record.task));
  ProcessMeasurerOptions measuring;
  measuring.worker.stop_requested = [] { return InterruptFlag().load(); };
  measuring.timing = measuring.comparison;
  ASSIGN_OR_RETURN(const std::unique_ptr<ProcessMeasurer> measurer,
                   ProcessMeasurer::Create(measuring));
  Measurement now;
  RETURN_IF_ERROR(measurer->Measure(task, std::span(&record.trace, 1),
                                    [&](size_t, const Measurement& measurement) {
                                      now = measurement;
                                      return true;
                                    }));

  const Measurement& then = record.measurement;
  std::printf("record %lld: %s\n", static_cast<long long>(record.id), task.Describe().c_str());
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
                                             {"then", to_json(then)},
                                             {"now", to_json(now)}}));
  }
  return now.status == then.status || now.ok() ? 0 : 2;
}

}  // namespace

void RegisterReplay(CLI::App& app, int* exit_code) {
  CLI::App* verb =
      app.add_subcommand("replay", "build, check and time one record of the database again");
  auto options = std::make_shared<ReplayOptions>();
  verb->add_option("record", options->record, "the record's id (whet db list shows them)")
      ->type_name("RECORD-ID")
      ->required();
  verb->add_option("--db", options->database, "tuning database")->type_name("FILE")->required();
  verb->add_option("--json", options->json, "also write both measurements as JSON to this file")
      ->type_name("FILE");
  verb->footer(
      "Nothing is written to the database. Exit code 2: what worked then fails now.\n"
      "Example:\n  whet replay --db tuning.db 42");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    const auto result = Replay(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
