#include "search/process_measurer.h"

#include <algorithm>
#include <utility>

#include "codegen/build_job.h"
#include "codegen/target.h"
#include "search/job_failure.h"
#include "search/kernel_run.h"

namespace whet {
namespace {

constexpr size_t kCompileTimesKept = 256;
constexpr size_t kCompileTimesNeeded = 8;
constexpr std::string_view kCandidate = "candidate", kCanary = "canary";  // how files are named

int ThreadsOf(const Task& task) {
  const auto target = Target::Parse(task.target);
  return target ? std::max(1, target->threads) : 1;
}

int64_t DataBytes(const Task& task) {
  int64_t bytes = 0;
  for (const TaskInput& input : task.inputs) bytes += input.type.bytes();
  const auto output = task.OutputType();
  return output ? bytes + output->bytes() : bytes;
}

// Removes the libraries of candidates when they have been measured, or dropped.
void RemoveLibrary(const BuiltCandidate& candidate) {
  std::error_code ignored;
  std::filesystem::remove(candidate.library, ignored);
}

}  // namespace

int64_t CompileLimitMs(std::vector<double> seen_ms, int64_t least_ms, int64_t most_ms) {
  if (seen_ms.size() < kCompileTimesNeeded) return most_ms;
  const auto middle = seen_ms.begin() + static_cast<ptrdiff_t>(seen_ms.size() / 2);
  std::nth_element(seen_ms.begin(), middle, seen_ms.end());
  return std::min(most_ms, std::max(least_ms, static_cast<int64_t>(8 * *middle)));
}

int64_t RunLimitMs(int64_t best_known_ns) {
  if (best_known_ns <= 0) return 10'000;
  return std::max<int64_t>(1'000, 20 * best_known_ns / 1'000'000);
}

Result<std::unique_ptr<ProcessMeasurer>> ProcessMeasurer::Create(ProcessMeasurerOptions options) {
  ASSIGN_OR_RETURN(auto client, WorkerClient::Start(options.worker));
  return std::unique_ptr<ProcessMeasurer>(
      new ProcessMeasurer(std::move(options), std::move(client)));
}

Status ProcessMeasurer::Measure(const Task& task, std::span<const Trace> traces,
                                const std::function<bool(size_t index, const Measurement&)>& done) {
  const std::string fingerprint = task.Fingerprint();
  const size_t batch = std::max<size_t>(1, options_.batch);
  for (size_t begin = 0; begin < traces.size(); begin += batch) {
    const size_t count = std::min(batch, traces.size() - begin);
    ASSIGN_OR_RETURN(std::vector<Built> built,
                     Build(task, traces.subspan(begin, count), kCandidate));
    Status status;
    bool go_on = true;
    for (size_t i = 0; i < count && go_on; ++i) {
      TimingOptions timing = options_.timing;
      timing.best_known_ns = BestKnownNs(fingerprint);
      auto measurement = MeasureOne(task, built[i], timing);
      if (!measurement) {
        status = tl::unexpected<Error>(std::move(measurement).error());
        break;
      }
      const int64_t time_ns = measurement->MinNs();
      if (measurement->ok() && (timing.best_known_ns == 0 || time_ns < timing.best_known_ns))
        best_ns_[fingerprint] = time_ns;
      go_on = done(begin + i, *measurement);
    }
    for (const Built& one : built) RemoveLibrary(one.candidate);
    if (!status || !go_on) return status;
  }
  return {};
}

Result<std::vector<Measurement>> ProcessMeasurer::Compare(const Task& task,
                                                          std::span<const Trace> traces) {
  ASSIGN_OR_RETURN(const std::vector<Built> built, Build(task, traces, kCandidate));
  std::vector<Measurement> measurements(built.size());
  std::vector<BuiltCandidate> candidates;
  std::vector<size_t> indices;
  for (size_t i = 0; i < built.size(); ++i) {
    measurements[i] = built[i].measurement;
    if (!built[i].measurement.ok()) continue;
    candidates.push_back(built[i].candidate);
    indices.push_back(i);
  }
  Status status;
  bool together = false;
  if (candidates.size() > 1) {
    client_->Submit(MakeMeasureJob(
        task, ThreadsOf(task), FindReference(task.Fingerprint())->directory, candidates,
        options_.comparison, JobLimitMs(task, candidates.size(), options_.comparison)));
    auto result = client_->Wait();
    if (!result) {
      client_->Cancel();
      status = tl::unexpected<Error>(std::move(result).error());
    } else if (result->second.ok()) {
      const auto parsed = ParseMeasureAnswer(result->second.payload);
      together = parsed && parsed->size() == candidates.size();
      for (size_t c = 0; together && c < candidates.size(); ++c) {
        measurements[indices[c]] = (*parsed)[c];
        measurements[indices[c]].compile_ms = built[indices[c]].measurement.compile_ms;
      }
    }
  }
  // One candidate, or one that took the others' process with it: each alone.
  for (size_t c = 0; status && !together && c < candidates.size(); ++c) {
    auto measurement = MeasureOne(task, built[indices[c]], options_.comparison);
    if (measurement)
      measurements[indices[c]] = std::move(*measurement);
    else
      status = tl::unexpected<Error>(std::move(measurement).error());
  }
  for (const Built& one : built) RemoveLibrary(one.candidate);
  if (!status) return tl::unexpected<Error>(std::move(status).error());
  return measurements;
}

Result<Measurement> ProcessMeasurer::TryMachine(const Task& task, const Trace& trace) {
  constexpr int kTries = 3;  // something may kill one process; hardly three in a row
  const std::vector<double> compile_ms = compile_ms_;
  const int64_t next_library = next_library_;
  Measurement measurement;
  for (int i = 0; i < kTries; ++i) {
    ASSIGN_OR_RETURN(const std::vector<Built> built, Build(task, {&trace, 1}, kCanary));
    ASSIGN_OR_RETURN(measurement, MeasureOne(task, built[0], options_.timing));
    RemoveLibrary(built[0].candidate);
    if (measurement.ok()) break;
  }
  // The next canary's reference data take the same place.
  references_.remove_if(
      [](const ReferenceData& data) { return data.directory.filename() == kCanary; });
  compile_ms_ = compile_ms;
  next_library_ = next_library;
  return measurement;
}

Result<std::vector<ProcessMeasurer::Built>> ProcessMeasurer::Build(const Task& task,
                                                                   std::span<const Trace> traces,
                                                                   std::string_view name) {
  const std::string fingerprint = task.Fingerprint();
  const bool need_reference = FindReference(fingerprint) == nullptr;
  const std::string folder = name == kCandidate ? fingerprint : std::string(name);
  const ReferenceData reference{fingerprint, client_->scratch() / folder, DataBytes(task)};
  std::vector<Job> jobs;
  // The reference first: it may take longer than a compile, and keeps one CPU busy meanwhile.
  if (need_reference) {
    jobs.push_back(MakeReferenceJob(task, reference.directory, options_.reference_limit_ms));
    jobs.back().memory_bytes = 4 * options_.memory_bytes;
  }
  std::vector<Built> built(traces.size());
  const int64_t limit_ms =
      CompileLimitMs(compile_ms_, options_.least_compile_limit_ms, options_.compile_limit_ms);
  for (size_t i = 0; i < traces.size(); ++i) {
    const std::string library = client_->scratch() / fmt::format("{}{}.so", name, next_library_++);
    built[i].candidate = {traces[i], library};
    jobs.push_back(MakeBuildJob({task, traces[i], kCandidateKernel, "", library}, limit_ms));
    jobs.back().memory_bytes = options_.memory_bytes;
  }
  ASSIGN_OR_RETURN(std::vector<JobResult> results, client_->RunAll(std::move(jobs)));
  if (need_reference) {
    if (!results[0].ok())
      return Fail(ErrorCode::kFailed, "the reference of {}: {}", task.Describe(),
                  results[0].message);
    AddReference(reference);
    results.erase(results.begin());
  }
  for (size_t i = 0; i < built.size(); ++i) {
    if (!results[i].ok())
      built[i].measurement = BuildFailure(results[i]);
    else
      compile_ms_.push_back(results[i].ms);
    built[i].measurement.compile_ms = results[i].ms;
  }
  if (compile_ms_.size() > kCompileTimesKept)
    compile_ms_.erase(compile_ms_.begin(), compile_ms_.end() - kCompileTimesKept);
  return built;
}

Result<Measurement> ProcessMeasurer::MeasureOne(const Task& task, const Built& built,
                                                const TimingOptions& timing) {
  if (!built.measurement.ok()) return built.measurement;
  Job job = MakeMeasureJob(task, ThreadsOf(task), FindReference(task.Fingerprint())->directory,
                           {built.candidate}, timing, JobLimitMs(task, 1, timing));
  job.memory_bytes = options_.memory_bytes;
  client_->Submit(std::move(job));
  auto result = client_->Wait();
  if (!result) {
    client_->Cancel();
    return tl::unexpected<Error>(std::move(result).error());
  }
  Measurement measurement;
  if (!result->second.ok()) {
    measurement = RunFailure(result->second);
  } else {
    ASSIGN_OR_RETURN(const auto measurements, ParseMeasureAnswer(result->second.payload));
    if (measurements.size() != 1)
      return Fail(ErrorCode::kInternal, "a measure job answered for {} candidates",
                  measurements.size());
    measurement = measurements[0];
  }
  measurement.compile_ms = built.measurement.compile_ms;
  return measurement;
}

int64_t ProcessMeasurer::BestKnownNs(const std::string& fingerprint) const {
  const auto best = best_ns_.find(fingerprint);
  return best == best_ns_.end() ? 0 : best->second;
}

int64_t ProcessMeasurer::JobLimitMs(const Task& task, size_t kernels,
                                    const TimingOptions& timing) const {
  // Reading, packing and comparing go at several hundred megabytes a second where nothing else
  // runs.
  const int64_t loading_ms = 1'000 + DataBytes(task) / 50'000;
  const int64_t timing_ms = 2 * timing.time_cap_ns / 1'000'000;
  const int64_t run_ms = RunLimitMs(BestKnownNs(task.Fingerprint()));
  return static_cast<int64_t>(kernels) * (loading_ms + timing_ms + run_ms);
}

const ProcessMeasurer::ReferenceData* ProcessMeasurer::FindReference(
    const std::string& fingerprint) {
  for (auto data = references_.begin(); data != references_.end(); ++data) {
    if (data->task != fingerprint) continue;
    references_.splice(references_.begin(), references_, data);
    return &references_.front();
  }
  return nullptr;
}

void ProcessMeasurer::AddReference(ReferenceData data) {
  references_.push_front(std::move(data));
  int64_t bytes = 0;
  for (const ReferenceData& one : references_) bytes += one.bytes;
  while (references_.size() > 1 && bytes > options_.reference_cache_bytes) {
    bytes -= references_.back().bytes;
    std::error_code ignored;
    std::filesystem::remove_all(references_.back().directory, ignored);
    references_.pop_back();
  }
}

}  // namespace whet
