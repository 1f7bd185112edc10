// Kernels of tasks, ready to be used: chosen, built and checked, none of them unchecked.
//
// For each task the first of its choices (schedule_choices.h) whose kernel is right: it agrees with
// the reference between guard zones (search/check_job.h), or a record of this version measured it.
// What was built and found out before comes from the cache; what is new goes there. Where the
// target's kernels cannot run on this machine, they are not checked here, and Made says how many.
// Thread safety: one thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "codegen/plan_builder.h"
#include "codegen/worker.h"
#include "driver/kernel_cache.h"
#include "driver/schedule_choices.h"
#include "schedules/sketch.h"
#include "schedules/task.h"
#include "tuning_db/database.h"
#include "tuning_db/record.h"

namespace whet {

// A kernel that did not build, or whose check failed.
struct RefusedKernel {
  Task task;
  ChosenSchedule schedule;
  Measurement verdict;
  bool known = false;  // the cache told of it
};

struct MadeKernels {
  std::vector<ChosenSchedule> schedules;  // one a task, in order
  std::vector<std::string> object_paths;  // of them, each defining KernelSymbol(task, trace)
  // Why a task has no kernel: kWrongResult where none of its choices is right.
  std::vector<Status> statuses;
  Status AllRight() const;            // the first failure
  int tuned = 0;                      // schedules that come from records
  int built = 0, checked = 0;         // now, rather than found in the cache
  double build_ms = 0, check_ms = 0;  // lives of the processes that did so, added up
  int unchecked = 0;                  // since this machine does not run such kernels
};

class KernelMaker {
 public:
  struct Options {
    MachineModel machine;
    const Database* database = nullptr;  // outlives the maker; null: none
    OnMiss on_miss = OnMiss::kDefault;
    KernelCache cache;
    // Called when there is something to build or check, and not before.
    std::function<Result<WorkerClient*>()> workers;
    // Told of each kernel that is refused; may be empty.
    std::function<void(const RefusedKernel&)> refused;
  };
  explicit KernelMaker(Options options) : options_(std::move(options)) {}

  // The objects are written to `directory`. Errors are those of the workers, kInterrupted among
  // them; what concerns one task is its status.
  Result<MadeKernels> Make(std::span<const Task> tasks, const std::filesystem::path& directory);

 private:
  class Making;
  Options options_;
};

// Workers of `program` (empty: this one), started when they are first asked for.
class LazyWorkers {
 public:
  explicit LazyWorkers(WorkerOptions options) : options_(std::move(options)) {}
  Result<WorkerClient*> Get();

 private:
  WorkerOptions options_;
  std::unique_ptr<WorkerClient> client_;
};

}  // namespace whet
