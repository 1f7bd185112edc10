// The schedules that a task could run with, the most promising first: what its record says, what
// the base model would choose, and what is left if both are wrong.
//
// Thread safety: one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/status.h"
#include "codegen/plan_builder.h"
#include "driver/kernel_cache.h"
#include "schedules/sketch.h"
#include "schedules/task.h"
#include "tuning_db/database.h"

namespace whet {

// What to do where a task has no record.
enum class OnMiss { kDefault, kTune, kError };

struct ScheduleChoice {
  ChosenSchedule schedule;
  // A record of this very version, and of this Halide, measured it, and so compared it with the
  // reference.
  bool vouched = false;
};

class ScheduleChoices {
 public:
  // `database` may be null; it and the cache outlive this. With OnMiss::kError a task without a
  // record is an error of Next, kNotFound.
  ScheduleChoices(Task task, const MachineModel& machine, const Database* database, OnMiss on_miss,
                  const KernelCache* cache)
      : task_(std::move(task)),
        machine_(machine),
        database_(database),
        on_miss_(on_miss),
        cache_(cache) {}

  // The next one; nothing when there are no more. No two have the same directives, and none those
  // that a record of the task found wrong.
  Result<std::optional<ScheduleChoice>> Next();

 private:
  enum class Stage { kRecord, kGuess, kDefault, kPlain, kEnd };

  Result<std::optional<ScheduleChoice>> FromRecord();
  Result<Trace> Guess();
  // The task's space, made when it is first asked for: it reads the DAG off Halide's Funcs.
  Result<SketchSpace*> Space();
  bool IsNew(const Trace& trace) { return seen_.insert(trace.DirectivesHash()).second; }

  Task task_;
  MachineModel machine_;
  const Database* database_;
  OnMiss on_miss_;
  const KernelCache* cache_;
  Stage stage_ = Stage::kRecord;
  std::optional<SketchSpace> space_;
  std::vector<Trace> plain_;  // what is left of the plain traces
  std::unordered_set<uint64_t> seen_;
};

}  // namespace whet
