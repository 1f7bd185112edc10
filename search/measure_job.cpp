#include "search/measure_job.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "runtime/scratch_allocator.h"
#include "search/cold_caches.h"
#include "search/kernel_run.h"
#include "search/kernel_threads.h"
#include "search/reference_data.h"
#include "search/shared_core.h"

namespace whet {
namespace {

constexpr int kPoison = 0xFF;  // NaN in every float type

struct MeasureRequest {
  Task task;
  int threads = 1;
  std::filesystem::path data;
  TimingOptions timing;
  std::vector<BuiltCandidate> candidates;
};

Result<MeasureRequest> ParseRequest(const Json& payload) {
  MeasureRequest request;
  ASSIGN_OR_RETURN(const auto task, Field<Json>(payload, "task"));
  ASSIGN_OR_RETURN(request.task, Task::FromJson(task));
  ASSIGN_OR_RETURN(request.threads, Field<int>(payload, "threads"));
  ASSIGN_OR_RETURN(request.data, Field<std::string>(payload, "data"));
  ASSIGN_OR_RETURN(const auto timing, Field<Json>(payload, "timing"));
  ASSIGN_OR_RETURN(request.timing, TimingOptions::FromJson(timing));
  ASSIGN_OR_RETURN(const auto candidates, Field<std::vector<Json>>(payload, "candidates"));
  for (const Json& json : candidates) {
    BuiltCandidate candidate;
    ASSIGN_OR_RETURN(const auto trace, Field<Json>(json, "trace"));
    ASSIGN_OR_RETURN(candidate.trace, Trace::FromJson(trace));
    ASSIGN_OR_RETURN(candidate.library, Field<std::string>(json, "library"));
    request.candidates.push_back(std::move(candidate));
  }
  return request;
}

Measurement CannotLoad(const Error& error) {
  Measurement measurement;
  measurement.status = MeasureStatus::kCompileError;
  measurement.message = error.message;
  return measurement;
}

// Runs longer than this times the best known are clear losers, and one run of them has to do.
bool IsHopeless(int64_t first_run_ns, const TimingOptions& timing) {
  const auto first = static_cast<double>(first_run_ns);
  return first > static_cast<double>(timing.time_cap_ns) && timing.best_known_ns > 0 &&
         first > timing.loser_factor * static_cast<double>(timing.best_known_ns);
}

// What empties the caches before each timed call; nothing where they are to be warm.
Result<std::function<void()>> CacheEmptier(const TimingOptions& timing) {
  if (timing.cache == CacheMode::kWarm) return std::function<void()>();
  ASSIGN_OR_RETURN(ColdCaches cold, ColdCaches::Create());
  return std::function<void()>(
      [cold = std::make_shared<ColdCaches>(std::move(cold))] { cold->Empty(); });
}

// Timed while the threads have a core each, if that is to be had: they share one for some 5 to 50
// ms at a time. Samples that begin on cores of their own include some of those whatever comes, and
// the fastest sample is what counts; the others get a second chance.
Timing TimeOnOwnCores(const std::function<void()>& run, const Clock& clock,
                      const TimingOptions& options, const std::function<void()>& empty_caches) {
  constexpr std::chrono::milliseconds kPatience{8};
  const auto time = [&] { return TimeKernel(run, clock, options, empty_caches); };
  if (AwaitOwnCores(kPatience) < kSharedCoreSlowdown) return time();
  Timing first = time();
  if (ParallelSlowdown() < kSharedCoreSlowdown) return first;
  AwaitOwnCores(kPatience);
  Timing second = time();
  const auto fastest = [](const Timing& timing) {
    return *std::min_element(timing.samples_ns.begin(), timing.samples_ns.end());
  };
  return fastest(second) < fastest(first) ? second : first;
}

Result<Json> Measure(const Json& payload, JobContext& context) {
  ASSIGN_OR_RETURN(const MeasureRequest request, ParseRequest(payload));
  if (request.candidates.size() != 1)
    return Fail(ErrorCode::kInternal, "a measure job has one candidate, not {}",
                request.candidates.size());
  ASSIGN_OR_RETURN(const Expected expected, ReadExpected(request.task, request.data));
  UseKernelThreads(request.threads);
  const BuiltCandidate& candidate = request.candidates[0];
  auto run =
      KernelRun::Prepare(request.task, candidate.trace, candidate.library, request.data, context);
  if (!run) return MeasureAnswer({CannotLoad(run.error())});
  const Clock& clock = Clock::System();

  PoisonScratch(kPoison);
  const int64_t start_ns = clock.MonotonicNs();
  (*run)->Run();
  const int64_t first_run_ns = clock.MonotonicNs() - start_ns;
  PoisonScratch(-1);
  Measurement measurement = (*run)->Check(expected);
  if (!measurement.ok()) return MeasureAnswer({measurement});
  if (IsHopeless(first_run_ns, request.timing)) {
    measurement.samples_ns = {first_run_ns};
    return MeasureAnswer({measurement});
  }
  ASSIGN_OR_RETURN(const std::function<void()> empty_caches, CacheEmptier(request.timing));
  const Timing timing = TimeOnOwnCores([&] { (*run)->Run(); }, clock, request.timing, empty_caches);
  // Once more: a race between threads need not show in the first run.
  measurement = (*run)->Check(expected);
  if (measurement.ok()) measurement.samples_ns = timing.samples_ns;
  return MeasureAnswer({measurement});
}

Result<Json> Compare(const Json& payload, JobContext& context) {
  ASSIGN_OR_RETURN(const MeasureRequest request, ParseRequest(payload));
  ASSIGN_OR_RETURN(const Expected expected, ReadExpected(request.task, request.data));
  UseKernelThreads(request.threads);
  std::vector<Measurement> measurements(request.candidates.size());
  std::vector<std::unique_ptr<KernelRun>> runs(request.candidates.size());
  std::vector<std::function<void()>> timed;
  std::vector<size_t> timed_candidates;
  for (size_t i = 0; i < runs.size(); ++i) {
    const BuiltCandidate& candidate = request.candidates[i];
    auto run =
        KernelRun::Prepare(request.task, candidate.trace, candidate.library, request.data, context);
    if (!run) {
      measurements[i] = CannotLoad(run.error());
      continue;
    }
    runs[i] = std::move(*run);
    PoisonScratch(kPoison);
    runs[i]->Run();
    PoisonScratch(-1);
    measurements[i] = runs[i]->Check(expected);
    if (!measurements[i].ok()) continue;
    timed.push_back([kernel = runs[i].get()] { kernel->Run(); });
    timed_candidates.push_back(i);
  }
  ASSIGN_OR_RETURN(const std::function<void()> empty_caches, CacheEmptier(request.timing));
  AwaitOwnCores(std::chrono::milliseconds(100));
  const std::vector<Timing> timings =
      TimeInterleaved(timed, Clock::System(), request.timing, empty_caches);
  for (size_t t = 0; t < timings.size(); ++t) {
    const size_t i = timed_candidates[t];
    measurements[i] = runs[i]->Check(expected);
    if (measurements[i].ok()) measurements[i].samples_ns = timings[t].samples_ns;
  }
  return MeasureAnswer(measurements);
}

Result<Json> MakeReference(const Json& payload, JobContext&) {
  ASSIGN_OR_RETURN(const auto task_json, Field<Json>(payload, "task"));
  ASSIGN_OR_RETURN(const Task task, Task::FromJson(task_json));
  ASSIGN_OR_RETURN(const auto data, Field<std::string>(payload, "data"));
  RETURN_IF_ERROR(WriteReferenceData(task, data));
  return Json::object();
}

}  // namespace

void AddMeasureHandlers(WorkerHandlers* handlers) {
  handlers->jobs["reference"] = MakeReference;
  handlers->jobs["measure"] = Measure;
  handlers->jobs["compare"] = Compare;
}

Job MakeReferenceJob(const Task& task, const std::filesystem::path& data, int64_t timeout_ms) {
  Job job;
  job.kind = "reference";
  job.payload = Json{{"task", task.ToJson()}, {"data", data.string()}};
  job.timeout_ms = timeout_ms;
  return job;
}

Job MakeMeasureJob(const Task& task, int threads, const std::filesystem::path& data,
                   const std::vector<BuiltCandidate>& candidates, const TimingOptions& timing,
                   int64_t timeout_ms) {
  Json list = Json::array();
  for (const BuiltCandidate& candidate : candidates)
    list.push_back(Json{{"trace", candidate.trace.ToJson()}, {"library", candidate.library}});
  Job job;
  job.kind = candidates.size() == 1 ? "measure" : "compare";
  job.payload = Json{{"task", task.ToJson()},
                     {"threads", threads},
                     {"data", data.string()},
                     {"candidates", std::move(list)},
                     {"timing", timing.ToJson()}};
  job.timeout_ms = timeout_ms;
  return job;
}

Json MeasureAnswer(const std::vector<Measurement>& measurements) {
  Json list = Json::array();
  for (const Measurement& measurement : measurements)
    list.push_back(Json{{"status", Name(measurement.status)},
                        {"message", measurement.message},
                        {"samples_ns", measurement.samples_ns},
                        {"max_error", measurement.max_error}});
  return Json{{"measurements", std::move(list)}};
}

Result<std::vector<Measurement>> ParseMeasureAnswer(const Json& answer) {
  ASSIGN_OR_RETURN(const auto list, Field<std::vector<Json>>(answer, "measurements"));
  std::vector<Measurement> measurements;
  for (const Json& json : list) {
    Measurement measurement;
    ASSIGN_OR_RETURN(const auto status, Field<std::string>(json, "status"));
    ASSIGN_OR_RETURN(measurement.status, ParseMeasureStatus(status));
    ASSIGN_OR_RETURN(measurement.message, Field<std::string>(json, "message"));
    ASSIGN_OR_RETURN(measurement.samples_ns, Field<std::vector<int64_t>>(json, "samples_ns"));
    ASSIGN_OR_RETURN(measurement.max_error, Field<double>(json, "max_error"));
    measurements.push_back(std::move(measurement));
  }
  return measurements;
}

}  // namespace whet
