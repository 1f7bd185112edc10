#include "tuning_db/interchange.h"

#include <algorithm>
#include <cmath>
#include <istream>
#include <limits>
#include <map>
#include <ostream>
#include <set>

namespace whet {
namespace {

constexpr char kFormat[] = "whet.record";
constexpr size_t kMaxLineBytes = size_t{16} << 20;  // a record takes some kilobytes

// JSON has no infinity: a difference that is not finite is null.
Json FiniteOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json RunToJson(const RunRow& run) {
  Json json = {{"uid", run.uid},
               {"command", run.info.command},
               {"model", run.info.model},
               {"version", run.info.version},
               {"target", run.info.target},
               {"seed", run.info.seed},
               {"threads", run.info.threads},
               {"machine", run.info.machine},
               {"started", run.started}};
  if (!run.info.halide_version.empty()) json["halide_version"] = run.info.halide_version;
  if (!run.info.settings.is_null()) json["settings"] = run.info.settings;
  if (!run.outcome.empty()) {
    json["outcome"] = run.outcome;
    json["finished"] = run.finished;
    json["seconds"] = run.seconds;
  }
  return json;
}

// "2026-11-21T10:43:25Z": what sorts by time must have this form.
Result<std::string> TimeField(const Json& json, const char* key) {
  ASSIGN_OR_RETURN(std::string text, Field<std::string>(json, key));
  constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:ddZ";
  bool fits = text.size() == kPattern.size();
  for (size_t i = 0; fits && i < text.size(); ++i) {
    fits = kPattern[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == kPattern[i];
  }
  if (!fits)
    return Fail(ErrorCode::kCorrupt, "field '{}' is no time like 2026-11-21T10:43:25Z", key);
  return text;
}

// Booleans and fractions convert to integers in JSON for C++; here they are mistakes.
template <typename T>
Result<T> IntegerField(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  if (!json.is_object() || found == json.end())
    return Fail(ErrorCode::kCorrupt, "field '{}' is missing", key);
  const bool fits =
      found->is_number_unsigned()
          ? found->get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<T>::max())
          : found->is_number_integer() && std::is_signed_v<T> &&
                found->get<int64_t>() >= static_cast<int64_t>(std::numeric_limits<T>::min());
  if (!fits) return Fail(ErrorCode::kCorrupt, "field '{}' is no integer of its range", key);
  return found->get<T>();
}

// Lines of version 1 have the settings among what is known of the machine.
Status ReadSettings(const Json& json, int version, RunInfo* info) {
  ASSIGN_OR_RETURN(info->machine, Field<Json>(json, "machine"));
  if (!info->machine.is_null() && !info->machine.is_object()) {
    return Fail(ErrorCode::kCorrupt, "field 'machine' is neither an object nor null");
  }
  if (version > 1) {
    ASSIGN_OR_RETURN(info->settings, FieldOr<Json>(json, "settings", Json()));
    if (!info->settings.is_null() && !info->settings.is_object())
      return Fail(ErrorCode::kCorrupt, "field 'settings' is neither an object nor null");
  } else if (info->machine.is_object() && info->machine.contains("search")) {
    info->settings = info->machine["search"];
    info->machine.erase("search");
  }
  return {};
}

Result<RunRow> RunFromJson(const Json& json, int version) {
  RunRow run;
  ASSIGN_OR_RETURN(run.uid, Field<std::string>(json, "uid"));
  if (run.uid.size() != 32 || run.uid.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Fail(ErrorCode::kCorrupt, "field 'uid' is not 32 hexadecimal digits");
  }
  ASSIGN_OR_RETURN(run.info.command, Field<std::string>(json, "command"));
  ASSIGN_OR_RETURN(run.info.model, Field<std::string>(json, "model"));
  ASSIGN_OR_RETURN(run.info.version, Field<std::string>(json, "version"));
  ASSIGN_OR_RETURN(run.info.target, Field<std::string>(json, "target"));
  ASSIGN_OR_RETURN(run.info.seed, IntegerField<uint64_t>(json, "seed"));
  ASSIGN_OR_RETURN(run.info.threads, IntegerField<int>(json, "threads"));
  ASSIGN_OR_RETURN(run.info.halide_version, FieldOr<std::string>(json, "halide_version", ""));
  RETURN_IF_ERROR(ReadSettings(json, version, &run.info));
  ASSIGN_OR_RETURN(run.started, TimeField(json, "started"));
  if (json.contains("outcome")) {
    ASSIGN_OR_RETURN(run.outcome, Field<std::string>(json, "outcome"));
    ASSIGN_OR_RETURN(run.finished, TimeField(json, "finished"));
    ASSIGN_OR_RETURN(run.seconds, Field<double>(json, "seconds"));
  }
  return run;
}

Result<Measurement> MeasurementFromJson(const Json& json) {
  Measurement measured;
  ASSIGN_OR_RETURN(const auto status, Field<std::string>(json, "status"));
  ASSIGN_OR_RETURN(measured.status, ParseMeasureStatus(status));
  ASSIGN_OR_RETURN(measured.message, FieldOr<std::string>(json, "message", ""));
  ASSIGN_OR_RETURN(const Json samples, FieldOr<Json>(json, "samples_ns", Json::array()));
  if (!samples.is_array() || samples.empty() == measured.ok()) {
    return Fail(ErrorCode::kCorrupt,
                "field 'samples_ns' must be a list, of one or more if ok, empty if failed");
  }
  for (const Json& sample : samples) {
    if (!sample.is_number_integer() || sample.get<int64_t>() < 0) {
      return Fail(ErrorCode::kCorrupt, "field 'samples_ns' holds something else than nanoseconds");
    }
    measured.samples_ns.push_back(sample.get<int64_t>());
  }
  ASSIGN_OR_RETURN(measured.compile_ms, FieldOr<double>(json, "compile_ms", 0.0));
  if (json.contains("max_error") && json["max_error"].is_null()) {
    measured.max_error = std::numeric_limits<double>::infinity();
  } else {
    ASSIGN_OR_RETURN(measured.max_error, FieldOr<double>(json, "max_error", 0.0));
  }
  return measured;
}

// Lines of version 1 tell the role by `is_final`, and what lost a comparison by its message.
Result<RecordRole> RoleFromJson(const Json& json, int version, const Measurement& measured) {
  if (version == 1) {
    ASSIGN_OR_RETURN(const bool is_final, FieldOr<bool>(json, "is_final", false));
    if (is_final) return RecordRole::kFinal;
    return measured.ok() && !measured.message.empty() ? RecordRole::kLostFinal : RecordRole::kTrial;
  }
  ASSIGN_OR_RETURN(const auto name, Field<std::string>(json, "role"));
  ASSIGN_OR_RETURN(const RecordRole role, ParseRecordRole(name));
  if (role == RecordRole::kCheck && measured.ok())
    return Fail(ErrorCode::kCorrupt, "field 'role' is 'check' of a record that is ok");
  return role;
}

// Reads one line of at most kMaxLineBytes; of a longer one the rest is dropped and `too_long` set.
bool ReadLine(std::istream& in, std::string& line, bool& too_long) {
  line.clear();
  too_long = false;
  std::streambuf* const buffer = in.rdbuf();
  int c = buffer->sbumpc();
  if (c == std::char_traits<char>::eof()) return false;
  for (; c != std::char_traits<char>::eof() && c != '\n'; c = buffer->sbumpc()) {
    if (line.size() < kMaxLineBytes) {
      line += static_cast<char>(c);
    } else {
      too_long = true;
    }
  }
  return true;
}

void Skip(ImportCounts& counts, const std::string& problem) {
  if (counts.skipped++ == 0) counts.first_problem = problem;
}

Status AddLine(Database& into, const InterchangeLine& line, ImportCounts& counts) {
  ASSIGN_OR_RETURN(const bool added, into.MergeRecord(line.task, line.record, line.run));
  ++(added ? counts.added : counts.duplicates);
  return {};
}

// Looks up what records refer to, each thing once.
class Provenance {
 public:
  explicit Provenance(const Database& database) : database_(database) {}

  Result<InterchangeLine> LineOf(const Record& record) {
    auto task = tasks_.find(record.task);
    if (task == tasks_.end()) {
      ASSIGN_OR_RETURN(Task found, database_.TaskByFingerprint(record.task));
      task = tasks_.emplace(record.task, std::move(found)).first;
    }
    InterchangeLine line{.task = task->second, .record = record};
    if (record.run_id > 0) {
      auto run = runs_.find(record.run_id);
      if (run == runs_.end()) {
        ASSIGN_OR_RETURN(RunRow found, database_.RunById(record.run_id));
        run = runs_.emplace(record.run_id, std::move(found)).first;
      }
      line.run = run->second;
    }
    line.record.id = 0;
    line.record.run_id = 0;
    return line;
  }

 private:
  const Database& database_;
  std::map<std::string, Task> tasks_;
  std::map<int64_t, RunRow> runs_;
};

}  // namespace

std::string FormatInterchangeLine(const InterchangeLine& line) {
  const Record& record = line.record;
  const Measurement& measured = record.measurement;
  Json json = {{"format", kFormat},
               {"version", kInterchangeVersion},
               {"task", line.task.ToJson()},
               {"trace", record.trace.ToJson()},
               {"status", Name(measured.status)},
               {"message", measured.message},
               {"samples_ns", measured.samples_ns},
               {"compile_ms", measured.compile_ms},
               {"max_error", FiniteOrNull(measured.max_error)},
               {"is_default", record.is_default},
               {"role", Name(record.role)},
               {"created", record.created_utc}};
  if (record.predicted) json["predicted"] = FiniteOrNull(*record.predicted);
  if (line.run) json["run"] = RunToJson(*line.run);
  return DumpJson(json, -1);
}

Result<InterchangeLine> ParseInterchangeLine(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  ASSIGN_OR_RETURN(const auto format, Field<std::string>(json, "format"));
  if (format != kFormat) return Fail(ErrorCode::kCorrupt, "field 'format' is not '{}'", kFormat);
  ASSIGN_OR_RETURN(const int version, IntegerField<int>(json, "version"));
  if (version > kInterchangeVersion) {
    return Fail(ErrorCode::kTooNew,
                "written by a later version of Whet (format {}; this one reads up to {})", version,
                kInterchangeVersion);
  }
  if (version < 1) return Fail(ErrorCode::kCorrupt, "field 'version' is {}", version);

  InterchangeLine line;
  ASSIGN_OR_RETURN(const Json task, Field<Json>(json, "task"));
  ASSIGN_OR_RETURN(line.task, Task::FromJson(task));
  Record& record = line.record;
  record.task = line.task.Fingerprint();
  ASSIGN_OR_RETURN(const Json trace, Field<Json>(json, "trace"));
  ASSIGN_OR_RETURN(record.trace, Trace::FromJson(trace));
  ASSIGN_OR_RETURN(record.measurement, MeasurementFromJson(json));
  if (json.contains("predicted") && !json["predicted"].is_null()) {
    ASSIGN_OR_RETURN(record.predicted, Field<double>(json, "predicted"));
  }
  ASSIGN_OR_RETURN(record.is_default, FieldOr<bool>(json, "is_default", false));
  ASSIGN_OR_RETURN(record.role, RoleFromJson(json, version, record.measurement));
  ASSIGN_OR_RETURN(record.created_utc, TimeField(json, "created"));
  if (json.contains("run")) {
    ASSIGN_OR_RETURN(line.run, RunFromJson(json["run"], version));
  }
  return line;
}

Result<ExportCounts> ExportRecords(const Database& database, const ExportFilter& filter,
                                   std::ostream& out) {
  std::set<int64_t> winners;
  if (filter.best_only) {
    ASSIGN_OR_RETURN(const std::vector<TaskRow> tasks, database.Tasks());
    for (const TaskRow& task : tasks) winners.insert(task.best_record);
  }
  ExportCounts counts;
  Provenance provenance(database);
  const auto write = [&](const Record& record) -> Status {
    if (!filter.task.empty() && record.task != filter.task) return {};
    if (filter.best_only && !winners.contains(record.id)) return {};
    const Result<InterchangeLine> line = provenance.LineOf(record);
    if (!line) {
      if (line.error().code != ErrorCode::kCorrupt) return tl::unexpected<Error>(line.error());
      ++counts.skipped;
      return {};
    }
    out << FormatInterchangeLine(*line) << '\n';
    if (!out) return Fail(ErrorCode::kIo, "the export cannot be written: the disk may be full");
    ++counts.written;
    return {};
  };
  int64_t skipped = 0;
  RETURN_IF_ERROR(database.ForEachRecord(write, &skipped));
  counts.skipped += skipped;
  return counts;
}

Result<ImportCounts> ImportRecords(Database& into, std::istream& in, const std::string& name) {
  ImportCounts counts;
  RETURN_IF_ERROR(into.InTransaction([&]() -> Status {
    std::string text;
    bool too_long = false;
    for (int64_t number = 1; ReadLine(in, text, too_long); ++number) {
      if (too_long) {
        Skip(counts, fmt::format("line {}: longer than {} MiB", number, kMaxLineBytes >> 20));
        continue;
      }
      if (std::all_of(text.begin(), text.end(),
                      [](char c) { return c == ' ' || c == '\t' || c == '\r'; })) {
        continue;
      }
      const Result<InterchangeLine> line = ParseInterchangeLine(text);
      if (line) {
        RETURN_IF_ERROR(AddLine(into, *line, counts));
      } else {
        Skip(counts, fmt::format("line {}: {}", number, line.error().message));
      }
    }
    if (in.bad()) return Fail(ErrorCode::kIo, "{}: reading failed", name);
    if (counts.skipped > 0 && counts.added + counts.duplicates == 0) {
      return Fail(ErrorCode::kCorrupt,
                  "{}: no line of it is a record that `whet db export` wrote; {}", name,
                  counts.first_problem);
    }
    return {};
  }));
  return counts;
}

Result<ImportCounts> MergeDatabase(Database& into, const Database& from) {
  ImportCounts counts;
  Provenance provenance(from);
  RETURN_IF_ERROR(into.InTransaction([&]() -> Status {
    int64_t skipped = 0;
    RETURN_IF_ERROR(from.ForEachRecord(
        [&](const Record& record) -> Status {
          const Result<InterchangeLine> line = provenance.LineOf(record);
          if (line) return AddLine(into, *line, counts);
          Skip(counts, line.error().message);
          return {};
        },
        &skipped));
    if (skipped > 0 && counts.first_problem.empty()) {
      counts.first_problem = fmt::format("{}: `whet db check` names the rows", from.path());
    }
    counts.skipped += skipped;

    ASSIGN_OR_RETURN(const std::vector<ModelRow> known, into.Models());
    ASSIGN_OR_RETURN(const std::vector<TaskRow> tasks, from.Tasks());
    for (const TaskRow& task : tasks) RETURN_IF_ERROR(into.AddTask(task.task));
    ASSIGN_OR_RETURN(const std::vector<ModelRow> models, from.Models());
    for (const ModelRow& model : models) {
      const bool is_known = std::any_of(known.begin(), known.end(), [&](const ModelRow& other) {
        return other.fingerprint == model.fingerprint;
      });
      if (is_known) continue;
      std::vector<std::pair<std::string, int>> uses;
      for (const auto& use : model.task_uses) {
        // A task that did not parse was not added above.
        const bool added = std::any_of(tasks.begin(), tasks.end(), [&](const TaskRow& task) {
          return task.fingerprint == use.first;
        });
        if (added) uses.push_back(use);
      }
      RETURN_IF_ERROR(into.AddModel(model.fingerprint, model.name, uses));
    }
    return {};
  }));
  return counts;
}

}  // namespace whet
