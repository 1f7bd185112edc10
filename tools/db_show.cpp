// `whet db show`: one record, or one task with its best record, in full.
#include <algorithm>
#include <charconv>
#include <iostream>

#include "tools/db_verbs.h"

namespace whet {
namespace {

struct ShowOptions : DbOptions {
  std::string what;
};

void Print(const char* label, const std::string& text) {
  if (!text.empty()) std::cout << fmt::format("{:<10}{}\n", label, text);
}

std::string Indented(const std::string& text) {
  std::string out;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    out += "  " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

// "cpu Intel(R) Xeon(R), threads 2": the members that are not nested.
std::string MachineText(const Json& machine) {
  std::string text;
  if (!machine.is_object()) return text;
  for (const auto& [key, value] : machine.items()) {
    if (value.is_structured() || value.is_null()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key,
                        value.is_string() ? value.get<std::string>() : DumpJson(value));
  }
  return FirstLine(text, 160);
}

// "warm" or "cold"; empty where the run says something else, or no run is known.
std::string CachesText(const std::optional<RunRow>& run) {
  const Result<CacheMode> mode = run ? CacheModeOf(run->info) : CacheMode::kWarm;
  return run && mode ? std::string(Name(*mode)) : "";
}

const char* RoleText(RecordRole role) {
  switch (role) {
    case RecordRole::kTrial:
      return "";
    case RecordRole::kFinal:
      return ", of the final comparison";
    case RecordRole::kLostFinal:
      return ", of the final comparison, which it lost";
    case RecordRole::kCheck:
      return ", chosen without measuring and found wrong";
  }
  return "";
}

std::string TimesText(const Measurement& measured) {
  if (!measured.ok()) return std::string(Name(measured.status));
  const int64_t median = measured.MedianNs();
  const int64_t largest = *std::max_element(measured.samples_ns.begin(), measured.samples_ns.end());
  return fmt::format("ok: {} ms median, {} min, {} max of {}", Milliseconds(median / 1e6),
                     Milliseconds(measured.MinNs() / 1e6), Milliseconds(largest / 1e6),
                     Plural(static_cast<int64_t>(measured.samples_ns.size()), "run"));
}

void PrintRecord(const Record& record, const Task& task, const std::optional<RunRow>& run) {
  const Measurement& measured = record.measurement;
  Print("record",
        fmt::format("{}, {}{}{}", record.id, record.created_utc,
                    record.is_default ? ", the default schedule" : "", RoleText(record.role)));
  Print("task", fmt::format("{}  {}", ShortFingerprint(record.task), task.Describe()));
  Print("target", task.target);
  Print("accuracy", std::string(Name(task.accuracy)));
  Print("result", TimesText(measured));
  if (measured.ok() && measured.MedianNs() > 0) {
    Print("rate",
          fmt::format("{:.1f} GFLOP/s", task.Flops() / static_cast<double>(measured.MedianNs())));
  }
  if (measured.ok() || measured.status == MeasureStatus::kWrongResult) {
    Print("error", fmt::format("{:.3g} at most against the reference, relative to 1 + |reference|",
                               measured.max_error));
  }
  if (measured.compile_ms > 0) Print("compile", fmt::format("{:.1f} ms", measured.compile_ms));
  if (record.predicted)
    Print("predicted", fmt::format("{:.4f} (a score; higher is faster)", *record.predicted));
  Print("caches", CachesText(run));
  if (run) {
    Print("run",
          fmt::format("{}, {}, whet {}, halide {}, seed {}, {}", run->id, run->started,
                      run->info.version,
                      run->info.halide_version.empty() ? "unknown" : run->info.halide_version,
                      run->info.seed, Plural(run->info.threads, "thread")));
    Print("command", FirstLine(run->info.command, 160));
    Print("machine", MachineText(run->info.machine));
  }
  if (!measured.message.empty()) std::cout << "\nmessage\n" << Indented(measured.message);
  std::cout << fmt::format("\nschedule ({})\n",
                           record.trace.sketch.empty() ? "written by hand" : record.trace.sketch)
            << Indented(record.trace.ToCpp());
}

Json RecordToJson(const Record& record, const std::optional<RunRow>& run) {
  const Measurement& measured = record.measurement;
  Json json = {{"record", record.id},
               {"task", record.task},
               {"status", Name(measured.status)},
               {"message", measured.message},
               {"samples_ns", measured.samples_ns},
               {"median_ms", NumberOrNull(measured.MedianNs() / 1e6)},
               {"min_ms", NumberOrNull(measured.MinNs() / 1e6)},
               {"compile_ms", NumberOrNull(measured.compile_ms)},
               {"max_error", measured.ok() ? Json(measured.max_error) : Json()},
               {"predicted", record.predicted ? Json(*record.predicted) : Json()},
               {"is_default", record.is_default},
               {"is_final", record.is_final()},
               {"role", Name(record.role)},
               {"created", record.created_utc},
               {"trace", record.trace.ToJson()},
               {"halide", record.trace.ToCpp()}};
  if (run) {
    json["cache"] = CachesText(run);
    json["run"] = {{"id", run->id},
                   {"uid", run->uid},
                   {"command", run->info.command},
                   {"model", run->info.model},
                   {"version", run->info.version},
                   {"seed", run->info.seed},
                   {"threads", run->info.threads},
                   {"machine", run->info.machine},
                   {"halide_version", TextOrNull(run->info.halide_version)},
                   {"settings", run->info.settings},
                   {"started", run->started}};
  }
  return json;
}

Result<std::optional<RunRow>> RunOf(const Database& database, const Record& record) {
  if (record.run_id == 0) return std::optional<RunRow>();
  ASSIGN_OR_RETURN(RunRow run, database.RunById(record.run_id));
  return std::optional<RunRow>(std::move(run));
}

Result<int> ShowRecord(const Database& database, const ShowOptions& options, const Record& record) {
  ASSIGN_OR_RETURN(const Task task, database.TaskByFingerprint(record.task));
  ASSIGN_OR_RETURN(const std::optional<RunRow> run, RunOf(database, record));
  if (options.wants_json()) {
    RETURN_IF_ERROR(WriteAnswer(database, options,
                                {{"record", RecordToJson(record, run)}, {"task", task.ToJson()}}));
  } else {
    PrintRecord(record, task, run);
  }
  return 0;
}

Result<int> ShowTask(const Database& database, const ShowOptions& options) {
  ASSIGN_OR_RETURN(const Task task, database.TaskByFingerprint(options.what));
  const std::string fingerprint = task.Fingerprint();
  ASSIGN_OR_RETURN(const std::vector<TaskRow> tasks, database.Tasks());
  ASSIGN_OR_RETURN(const std::vector<ModelRow> models, database.Models());
  ASSIGN_OR_RETURN(const std::optional<Record> best, database.Best(fingerprint));
  const auto found = std::find_if(tasks.begin(), tasks.end(), [&](const TaskRow& row) {
    return row.fingerprint == fingerprint;
  });
  const TaskRow row = found != tasks.end() ? *found : TaskRow{};
  Json used_by = Json::array();
  std::string used_text;
  for (const ModelRow& model : models) {
    for (const auto& [name, uses] : model.task_uses) {
      if (name != fingerprint) continue;
      used_by.push_back(
          {{"model", model.name}, {"fingerprint", model.fingerprint}, {"uses", uses}});
      used_text +=
          fmt::format("{}{} ({})", used_text.empty() ? "" : ", ", model.name, Plural(uses, "use"));
    }
  }
  if (options.wants_json()) {
    Json json = {{"fingerprint", fingerprint},
                 {"describe", task.Describe()},
                 {"task", task.ToJson()},
                 {"flops", task.Flops()},
                 {"models", used_by},
                 {"trials", row.trials},
                 {"failed", row.failed},
                 {"best_ms", NumberOrNull(row.best_ms)},
                 {"default_ms", NumberOrNull(row.default_ms)},
                 {"best", Json()}};
    if (best) {
      ASSIGN_OR_RETURN(const std::optional<RunRow> run, RunOf(database, *best));
      json["best"] = RecordToJson(*best, run);
    }
    RETURN_IF_ERROR(WriteAnswer(database, options, std::move(json)));
    return 0;
  }
  Print("task", fmt::format("{}  {}", fingerprint, task.Describe()));
  std::string inputs;
  for (const TaskInput& input : task.inputs) {
    inputs += fmt::format("{}{} {}{}", inputs.empty() ? "" : ", ", input.name, ToString(input.type),
                          input.constant ? " constant" : "");
  }
  Print("inputs", inputs);
  if (const Result<TensorType> output = task.OutputType(); output)
    Print("output", ToString(*output));
  Print("work", fmt::format("{:.3f} MFLOP", task.Flops() / 1e6));
  Print("models", used_text);
  Print("trials", fmt::format("{}, {} failed", row.trials, row.failed));
  Print("default", fmt::format("{} ms", Milliseconds(row.default_ms)));
  Print("best", fmt::format("{} ms, {}", Milliseconds(row.best_ms), Ratio(row.Speedup())));
  if (!best) {
    std::cout << "\nno candidate of it has worked yet\n";
    return 0;
  }
  std::cout << "\n";
  return ShowRecord(database, options, *best);
}

// A number is a record's id; what is no record's id may be the beginning of a fingerprint.
Result<int> Show(const ShowOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  if (options.what.empty())
    return Fail(
        ErrorCode::kInvalidInput,
        "give a record's id or the beginning of a task's fingerprint; whet db list shows them");
  int64_t id = 0;
  const char* const end = options.what.data() + options.what.size();
  const auto [parsed, error] = std::from_chars(options.what.data(), end, id);
  if (error == std::errc() && parsed == end && id > 0) {
    const Result<Record> record = database->RecordById(id);
    if (record) return ShowRecord(*database, options, *record);
    const bool may_be_task =
        record.error().code == ErrorCode::kNotFound && database->TaskByFingerprint(options.what);
    if (!may_be_task) return tl::unexpected<Error>(record.error());
  }
  return ShowTask(*database, options);
}

}  // namespace

void AddShowVerb(DbVerbs& verbs) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* verb =
      verbs.Add("show", "One record, or one task with its best record: provenance, times, schedule",
                "Times are in milliseconds; the schedule is printed as Halide's C++ calls.\n"
                "Example: whet db show 1a2b3c4d --db tuning.db",
                options, [options] { return Show(*options); });
  verb->add_option("record-or-task", options->what,
                   "A record's id, or the beginning of a task's fingerprint")
      ->type_name("RECORD-ID|TASK")
      ->required();
}

}  // namespace whet
