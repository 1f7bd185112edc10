// Map: Make finds what the cache has (Settle, task by task), then builds and checks the rest in
// worker processes (Work), each check submitted as soon as its kernel is built; whoever is refused
// comes round again with its next choice.
#include "driver/kernel_maker.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/file.h"
#include "codegen/build_job.h"
#include "codegen/target.h"
#include "driver/kernel_key.h"
#include "search/check_job.h"
#include "search/job_failure.h"
#include "search/measure_job.h"

namespace whet {
namespace {

constexpr int64_t kCompileLimitMs = 120'000;  // generous: nobody measures these candidates
constexpr int64_t kCheckMemoryBytes = int64_t{16} << 30;

// A failure that tells of the moment rather than of the kernel is found out again.
bool IsLasting(MeasureStatus status) {
  return status == MeasureStatus::kOk || status == MeasureStatus::kWrongResult ||
         status == MeasureStatus::kGuardOverrun || status == MeasureStatus::kRunCrash;
}

}  // namespace

Result<WorkerClient*> LazyWorkers::Get() {
  if (!client_) {
    ASSIGN_OR_RETURN(client_, WorkerClient::Start(options_));
  }
  return client_.get();
}

Status MadeKernels::AllRight() const {
  for (const Status& status : statuses) RETURN_IF_ERROR(status);
  return {};
}

class KernelMaker::Making {
 public:
  Making(const Options& options, std::span<const Task> tasks,
         const std::filesystem::path& directory)
      : options_(options), directory_(directory) {
    for (const Task& task : tasks)
      states_.emplace_back(task, ScheduleChoices(task, options.machine, options.database,
                                                 options.on_miss, &options.cache));
  }

  Result<MadeKernels> Run() {
    std::vector<size_t> open(states_.size());
    for (size_t t = 0; t < open.size(); ++t) open[t] = t;
    while (!open.empty()) {
      std::vector<size_t> to_build;
      for (const size_t t : open) {
        states_[t].status = Settle(t, &to_build);
        if (const Status& status = states_[t].status;
            !status && status.error().code == ErrorCode::kInterrupted)
          return tl::unexpected<Error>(status.error());
      }
      ASSIGN_OR_RETURN(open, Work(to_build));
    }
    options_.cache.Trim();
    for (const State& state : states_) {
      made_.schedules.push_back(state.choice.schedule);
      made_.object_paths.push_back(state.object_path);
      made_.statuses.push_back(state.status);
      made_.tuned += state.choice.schedule.record != 0;
    }
    return std::move(made_);
  }

 private:
  struct State {
    State(Task of, ScheduleChoices its) : task(std::move(of)), choices(std::move(its)) {}

    Task task;
    ScheduleChoices choices;
    ScheduleChoice choice;
    std::string key, object_path;
    std::string last_refusal;
    Status status;
    bool built = false;
  };

  bool NeedsCheck(const State& state) const {
    return !state.choice.vouched && RunsHere(state.task);
  }

  bool RunsHere(const Task& task) const {
    const auto target = Target::Parse(task.target);
    return target && CheckRunsOn(*target, LargestIsaHere()).has_value();
  }

  // Takes choices of task `t` until one is in the cache, right, or is not there: to be built.
  Status Settle(size_t t, std::vector<size_t>* to_build) {
    State& state = states_[t];
    while (true) {
      ASSIGN_OR_RETURN(std::optional<ScheduleChoice> choice, state.choices.Next());
      if (!choice) {
        return Fail(ErrorCode::kWrongResult, "{}: none of its schedules gives a right kernel: {}",
                    state.task.Describe(),
                    state.last_refusal.empty() ? "the database tells that they are wrong"
                                               : state.last_refusal);
      }
      state.choice = std::move(*choice);
      state.key = KernelKey(state.task, state.choice.schedule.trace);
      state.object_path =
          (directory_ / (KernelSymbol(state.task, state.choice.schedule.trace) + ".o")).string();
      std::optional<CachedKernel> cached = options_.cache.FindKernel(state.key);
      state.built = cached.has_value() && !cached->object.empty();
      if (cached && !cached->verdict.ok()) {
        Refuse(state, cached->verdict, true);
        continue;
      }
      if (!state.built) {
        to_build->push_back(t);
        // They warm up while the next task's schedule is chosen.
        if (auto workers = options_.workers(); !workers)
          return tl::unexpected<Error>(std::move(workers).error());
        return {};
      }
      RETURN_IF_ERROR(WriteFileAtomically(state.object_path, cached->object));
      if (cached->checked || state.choice.vouched) return {};
      if (NeedsCheck(state))
        to_build->push_back(t);
      else
        ++made_.unchecked;
      return {};
    }
  }

  // Builds and checks; those that were refused.
  Result<std::vector<size_t>> Work(const std::vector<size_t>& tasks) {
    std::vector<size_t> refused;
    if (tasks.empty()) return refused;
    ASSIGN_OR_RETURN(WorkerClient * workers, options_.workers());
    struct Running {
      size_t task;
      bool is_check;
    };
    std::map<int64_t, Running> running;
    for (const size_t t : tasks) {
      const State& state = states_[t];
      const Job job = state.built ? CheckOf(state) : BuildOf(state);
      running[workers->Submit(job)] = {t, state.built};
    }
    while (!running.empty()) {
      auto done = workers->Wait();
      if (!done) {
        workers->Cancel();
        return tl::unexpected<Error>(std::move(done).error());
      }
      const Running job = running.at(done->first);
      running.erase(done->first);
      State& state = states_[job.task];
      const JobResult& result = done->second;
      (job.is_check ? made_.check_ms : made_.build_ms) += result.ms;
      if (!job.is_check && result.ok()) {
        state.built = true;
        ++made_.built;
        if (NeedsCheck(state)) {
          running[workers->Submit(CheckOf(state))] = {job.task, true};
          continue;
        }
        made_.unchecked += !state.choice.vouched;
        RETURN_IF_ERROR(Remember(state, Measurement()));
        continue;
      }
      Measurement verdict;
      if (!job.is_check) {
        verdict = BuildFailure(result);
      } else if (result.status == JobStatus::kError) {
        // Nothing can be said of the kernel, nor would it of the next.
        workers->Cancel();
        return Fail(ErrorCode::kFailed, "{}: its kernel cannot be checked: {}",
                    state.task.Describe(), result.message);
      } else if (!result.ok()) {
        verdict = RunFailure(result);
      } else {
        ASSIGN_OR_RETURN(const std::vector<Measurement> answer, ParseMeasureAnswer(result.payload));
        if (answer.size() != 1)
          return Fail(ErrorCode::kInternal, "a check answered for {} kernels", answer.size());
        verdict = answer[0];
      }
      made_.checked += job.is_check;
      if (job.is_check) RETURN_IF_ERROR(Remember(state, verdict));
      if (verdict.ok()) continue;
      Refuse(state, verdict, false);
      refused.push_back(job.task);
    }
    return refused;
  }

  Job BuildOf(const State& state) const {
    return MakeBuildJob(
        {state.task, state.choice.schedule.trace,
         KernelSymbol(state.task, state.choice.schedule.trace), state.object_path, ""},
        kCompileLimitMs);
  }

  Job CheckOf(const State& state) const {
    const auto target = Target::Parse(state.task.target);
    Job job = MakeCheckJob({state.task, state.choice.schedule.trace, state.object_path,
                            KernelSymbol(state.task, state.choice.schedule.trace),
                            target ? target->threads : 1});
    job.memory_bytes = kCheckMemoryBytes;
    return job;
  }

  Status Remember(const State& state, const Measurement& verdict) const {
    if (options_.cache.directory().empty() || !IsLasting(verdict.status)) return {};
    CachedKernel kernel{state.task.Describe(), state.task.target,
                        state.choice.vouched || RunsHere(state.task), verdict, ""};
    if (verdict.ok()) {
      ASSIGN_OR_RETURN(kernel.object, ReadFile(state.object_path));
    }
    options_.cache.StoreKernel(state.key, kernel);
    return {};
  }

  void Refuse(State& state, const Measurement& verdict, bool known) {
    state.last_refusal = fmt::format("{}: {}", Name(verdict.status), verdict.message);
    if (options_.refused) options_.refused({state.task, state.choice.schedule, verdict, known});
  }

  const Options& options_;
  std::filesystem::path directory_;
  std::vector<State> states_;
  MadeKernels made_;
};

Result<MadeKernels> KernelMaker::Make(std::span<const Task> tasks,
                                      const std::filesystem::path& directory) {
  return Making(options_, tasks, directory).Run();
}

}  // namespace whet
