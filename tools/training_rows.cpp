#include "tools/training_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/rng.h"
#include "codegen/target.h"
#include "costmodel/features.h"
#include "search/candidate_source.h"
#include "tools/run_machine.h"

namespace whet {
namespace {

std::string GroupOfFeature(const std::string& name) {
  return name.substr(0, name.find_first_of(".0123456789"));
}

void Append(const TrainingSet& from, int64_t row, TrainingSet* to) {
  const auto begin = from.features.begin() + row * from.width;
  to->features.insert(to->features.end(), begin, begin + from.width);
  to->throughput.push_back(from.throughput[row]);
  to->task.push_back(from.task[row]);
}

// What times of a run compare with: those of the same machine and cache mode.
struct Conditions {
  Json machine;  // null: not known
  CacheMode cache = CacheMode::kWarm;
};

Result<Conditions> ConditionsOf(const Database& database, int64_t run) {
  Conditions conditions;
  if (run == 0) return conditions;
  ASSIGN_OR_RETURN(const RunRow row, database.RunById(run));
  ASSIGN_OR_RETURN(conditions.cache, CacheModeOf(row.info));
  conditions.machine = row.info.machine;
  return conditions;
}

// Trials of one task whose times compare.
struct Comparable {
  Conditions conditions;
  std::vector<const Record*> records;
};

// False: nothing was added, since none ran or the machine has no candidates of this task.
Result<bool> AppendRows(const Task& task, const Comparable& group, int number, TrainingSet* set) {
  ASSIGN_OR_RETURN(const Target target, Target::Parse(task.target));
  ASSIGN_OR_RETURN(const MachineModel machine, MachineOfRun(target, group.conditions.machine));
  int64_t best_ns = 0;
  for (const Record* record : group.records) {
    const int64_t ns = record->measurement.MinNs();
    if (ns > 0 && (best_ns == 0 || ns < best_ns)) best_ns = ns;
  }
  const auto source = MakeSketchSource(task, machine);
  if (!source || best_ns == 0) return false;
  std::vector<float> row(FeatureTable().size());
  const int64_t rows_before = set->rows();
  for (const Record* record : group.records) {
    if (!(*source)->Features(record->trace, row)) continue;
    const int64_t ns = record->measurement.MinNs();
    set->features.insert(set->features.end(), row.begin(), row.end());
    set->throughput.push_back(ns > 0 ? static_cast<float>(best_ns) / static_cast<float>(ns) : 0.0F);
    set->task.push_back(number);
  }
  return set->rows() > rows_before;
}

}  // namespace

Result<TrainingSet> ReadTrainingSet(const Database& database, std::vector<std::string>* labels) {
  TrainingSet set;
  set.width = static_cast<int64_t>(FeatureTable().size());
  ASSIGN_OR_RETURN(const std::vector<TaskRow> tasks, database.Tasks());
  std::map<int64_t, Conditions> runs;
  for (const TaskRow& task : tasks) {
    if (task.best_ms <= 0) continue;
    ASSIGN_OR_RETURN(const std::vector<Record> records, database.Records(task.fingerprint));
    std::map<std::string, Comparable> groups;
    for (const Record& record : records) {
      auto run = runs.find(record.run_id);
      if (run == runs.end()) {
        ASSIGN_OR_RETURN(Conditions conditions, ConditionsOf(database, record.run_id));
        run = runs.emplace(record.run_id, std::move(conditions)).first;
      }
      Comparable& group = groups[run->second.machine.dump() + std::string(Name(run->second.cache))];
      group.conditions = run->second;
      if (record.is_trial()) group.records.push_back(&record);
    }
    for (const auto& [key, group] : groups) {
      ASSIGN_OR_RETURN(const bool any,
                       AppendRows(task.task, group, static_cast<int>(labels->size()), &set));
      if (any)
        labels->push_back(task.describe +
                          (group.conditions.cache == CacheMode::kCold ? ", cold" : ""));
    }
  }
  if (set.rows() == 0)
    return Fail(ErrorCode::kNotFound, "{}: it holds no measured candidates to learn from",
                database.path());
  return set;
}

Status LeaveOut(const std::vector<std::string>& groups, TrainingSet* set) {
  std::set<std::string> known;
  for (const FeatureInfo& feature : FeatureTable()) known.insert(GroupOfFeature(feature.name));
  for (const std::string& group : groups) {
    if (!known.contains(group))
      return Fail(ErrorCode::kInvalidInput, "--without {}: there are the groups {}", group,
                  fmt::join(known, ", "));
    for (int64_t f = 0; f < set->width; ++f) {
      if (GroupOfFeature(FeatureTable()[static_cast<size_t>(f)].name) != group) continue;
      for (int64_t row = 0; row < set->rows(); ++row) set->features[row * set->width + f] = 0;
    }
  }
  return {};
}

std::vector<Fold> SplitWithinTasks(const TrainingSet& set, double held_out, uint64_t seed) {
  Fold fold;
  fold.train.width = fold.test.width = set.width;
  Rng rng(seed);
  for (int64_t row = 0; row < set.rows(); ++row)
    Append(set, row, rng.Uniform() < held_out ? &fold.test : &fold.train);
  return {std::move(fold)};
}

std::vector<Fold> SplitByTask(const TrainingSet& set, double held_out, uint64_t seed) {
  const auto count = static_cast<size_t>(std::max(2.0, std::round(1 / held_out)));
  std::vector<Fold> folds(count);
  std::map<int, size_t> fold_of;
  std::vector<size_t> place(count);  // of every count tasks, one in each fold
  Rng rng(seed);
  for (size_t i = 0; i < count; ++i) {
    place[i] = i;
    std::swap(place[i], place[static_cast<size_t>(rng.Below(static_cast<int64_t>(i) + 1))]);
  }
  for (Fold& fold : folds) fold.train.width = fold.test.width = set.width;
  for (int64_t row = 0; row < set.rows(); ++row) {
    const auto known = fold_of.emplace(set.task[row], place[fold_of.size() % count]).first;
    for (size_t f = 0; f < count; ++f)
      Append(set, row, f == known->second ? &folds[f].test : &folds[f].train);
  }
  std::erase_if(folds,
                [](const Fold& fold) { return fold.train.rows() == 0 || fold.test.rows() == 0; });
  return folds;
}

}  // namespace whet
