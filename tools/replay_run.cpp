#include "tools/replay_run.h"

#include <algorithm>
#include <atomic>
#include <deque>

#include "base/file.h"
#include "tools/run_machine.h"
#include "tools/tuner.h"

namespace whet {
namespace {

// The records of a run as a measurer: each candidate must be the next one.
class RecordedMeasurer : public Measurer {
 public:
  explicit RecordedMeasurer(const std::vector<Record>& records) : records_(records) {}

  Status Measure(const Task& task, std::span<const Trace> traces,
                 const std::function<bool(size_t, const Measurement&)>& done) override {
    for (size_t i = 0; i < traces.size(); ++i) {
      const Record* record = Next(task, traces[i]);
      if (record == nullptr || !done(i, record->measurement)) return {};
    }
    return {};
  }

  Result<std::vector<Measurement>> Compare(const Task& task,
                                           std::span<const Trace> traces) override {
    std::vector<Measurement> measurements;
    for (const Trace& trace : traces) {
      const Record* record = Next(task, trace);
      if (record == nullptr) return Fail(ErrorCode::kInterrupted, "the records end here");
      measurements.push_back(record->measurement);
      // What the comparison itself says of a measurement is no part of it.
      if (measurements.back().ok()) measurements.back().message.clear();
    }
    return measurements;
  }

  const std::atomic<bool>* stop() const { return &stop_; }
  size_t replayed() const { return next_; }
  const std::string& difference() const { return difference_; }

 private:
  // Null where the records end, or another candidate is next: then the run stops.
  const Record* Next(const Task& task, const Trace& trace) {
    if (stop_ || next_ == records_.size()) {
      stop_ = true;
      return nullptr;
    }
    const Record& record = records_[next_];
    if (record.task != task.Fingerprint() ||
        record.trace.DirectivesHash() != trace.DirectivesHash()) {
      difference_ = fmt::format("the search now proposes another candidate than record {}: {}",
                                record.id, trace.sketch);
      stop_ = true;
      return nullptr;
    }
    ++next_;
    return &record;
  }

  const std::vector<Record>& records_;
  size_t next_ = 0;
  std::atomic<bool> stop_{false};
  std::string difference_;
};

Result<TunerOptions> OptionsOf(const RunRow& row, std::vector<std::pair<std::string, int>>* tasks) {
  const Json& settings = row.info.settings;
  if (!settings.is_object())
    return Fail(ErrorCode::kUnsupported,
                "run {} was made by whet {}, which did not keep its settings", row.id,
                row.info.version);
  TunerOptions options;
  options.seed = row.info.seed;
  ASSIGN_OR_RETURN(options.trials, Field<int64_t>(settings, "trials"));
  ASSIGN_OR_RETURN(options.time_budget_s, Field<double>(settings, "time_budget_s"));
  ASSIGN_OR_RETURN(options.search, Field<std::string>(settings, "search"));
  ASSIGN_OR_RETURN(options.cost_model, Field<std::string>(settings, "cost_model"));
  ASSIGN_OR_RETURN(options.base_model, Field<bool>(settings, "base_model"));
  ASSIGN_OR_RETURN(options.transfer, Field<bool>(settings, "transfer"));
  ASSIGN_OR_RETURN(options.patience, FieldOr<int64_t>(settings, "patience", 0));
  ASSIGN_OR_RETURN(options.without, FieldOr<std::vector<std::string>>(settings, "without", {}));
  ASSIGN_OR_RETURN(options.cache, FieldOr<std::string>(settings, "cache", "warm"));
  ASSIGN_OR_RETURN(const auto list, Field<std::vector<Json>>(settings, "tasks"));
  for (const Json& task : list) {
    if (!task.is_array() || task.size() != 2 || !task[0].is_string() ||
        !task[1].is_number_integer())
      return Fail(ErrorCode::kCorrupt, "run {}: its list of tasks does not parse", row.id);
    tasks->emplace_back(task[0].get<std::string>(), task[1].get<int>());
  }
  if (options.time_budget_s > 0)
    return Fail(ErrorCode::kUnsupported,
                "run {} had a time budget: what it did depended on the clock", row.id);
  return options;
}

// The records of the run; and all that was there before it, in a database of its own.
Result<std::vector<Record>> Separate(const Database& database, const RunRow& row,
                                     Database& before) {
  std::vector<Record> records, earlier;
  RETURN_IF_ERROR(database.ForEachRecord([&](const Record& record) -> Status {
    if (record.run_id == row.id)
      records.push_back(record);
    else if (records.empty())
      earlier.push_back(record);
    return {};
  }));
  ASSIGN_OR_RETURN(const std::vector<TaskRow> tasks, database.Tasks());
  RETURN_IF_ERROR(before.InTransaction([&]() -> Status {
    for (const TaskRow& task : tasks) RETURN_IF_ERROR(before.AddTask(task.task));
    for (const Record& record : earlier) {
      ASSIGN_OR_RETURN(const Task task, database.TaskByFingerprint(record.task));
      std::optional<RunRow> run;
      if (record.run_id != 0) {
        ASSIGN_OR_RETURN(run, database.RunById(record.run_id));
      }
      RETURN_IF_ERROR(before.MergeRecord(task, record, run));
    }
    return {};
  }));
  return records;
}

// The first of the run's records that differs from what the search made of it now.
Result<std::string> FirstDifference(const std::vector<Record>& then, const Database& database,
                                    int64_t run) {
  std::vector<Record> now;
  RETURN_IF_ERROR(database.ForEachRecord([&](const Record& record) -> Status {
    if (record.run_id == run) now.push_back(record);
    return {};
  }));
  for (size_t i = 0; i < std::min(then.size(), now.size()); ++i) {
    const char* what = then[i].predicted != now[i].predicted     ? "prediction"
                       : then[i].is_default != now[i].is_default ? "default schedule"
                       : then[i].role != now[i].role             ? "final decision"
                                                                 : nullptr;
    if (what != nullptr) return fmt::format("the {} of record {} is another now", what, then[i].id);
  }
  return std::string();
}

}  // namespace

Result<ReplayedRun> ReplayRun(const Database& database, int64_t run) {
  ASSIGN_OR_RETURN(const RunRow row, database.RunById(run));
  std::vector<std::pair<std::string, int>> uses;
  ASSIGN_OR_RETURN(const TunerOptions options, OptionsOf(row, &uses));
  std::vector<TuningTask> tasks;
  for (const auto& [fingerprint, count] : uses) {
    ASSIGN_OR_RETURN(Task task, database.TaskByFingerprint(fingerprint));
    tasks.push_back({std::move(task), count, ""});
  }
  ASSIGN_OR_RETURN(const TemporaryDirectory folder, TemporaryDirectory::Create("whet-replay"));
  ASSIGN_OR_RETURN(const auto before, Database::Open((folder.path() / "replay.db").string()));
  ASSIGN_OR_RETURN(const std::vector<Record> records, Separate(database, row, *before));

  // The machine as the run saw it.
  ASSIGN_OR_RETURN(const Target target, Target::Parse(row.info.target));
  ASSIGN_OR_RETURN(const MachineModel machine, MachineOfRun(target, row.info.machine));
  ASSIGN_OR_RETURN(const std::unique_ptr<CostModel> model, MakeModel(options));
  ASSIGN_OR_RETURN(TuningOptions tuning, SearchOptions(options));
  tuning.info = row.info;
  RecordedMeasurer measurer(records);
  const auto silent = MakeProgress(ProgressMode::kNone, Clock::System(), StandardError());
  const std::shared_ptr<CostModel> base = MakeGuesser(options);
  TuningContext context{Clock::System(), measurer, *before,        *model,
                        *silent,         machine,  measurer.stop()};
  context.base = base.get();
  const auto outcome = RunTuning(tasks, tuning, context);
  if (!outcome) return tl::unexpected<Error>(outcome.error());
  ReplayedRun replayed{run, static_cast<int64_t>(records.size()),
                       static_cast<int64_t>(measurer.replayed()), measurer.difference()};
  if (replayed.difference.empty()) {
    ASSIGN_OR_RETURN(replayed.difference, FirstDifference(records, *before, outcome->run_id));
  }
  return replayed;
}

}  // namespace whet
