// Measures candidates in worker processes: builds a batch on all CPUs, then checks and times one
// kernel at a time while nothing else runs.
//
// A candidate that fails to compile, crashes, hangs, takes all memory, overruns its buffers or
// computes wrong numbers is a Measurement with that status. Errors are returned only where nothing
// can be measured: no worker starts, the reference fails on the task, the user stopped
// (kInterrupted; what was reported stands). Thread safety: one thread at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codegen/worker.h"
#include "search/measure_job.h"
#include "search/measurer.h"
#include "search/timing.h"

namespace whet {

struct ProcessMeasurerOptions {
  WorkerOptions worker;
  TimingOptions timing = {.time_cap_ns = 30'000'000,  // of candidates; best_known_ns is filled in
                          .min_time_ns = 5'000'000,
                          .min_contender_ns = 20'000'000};
  TimingOptions comparison = {.min_sample_ns = 100'000,
                              .time_cap_ns = 160'000'000,
                              .accuracy = 0.004,
                              .min_samples = 20,
                              .min_time_ns = 80'000'000,
                              .turn_ns = 2'000'000};
  int64_t compile_limit_ms = 20'000;       // at most; less once compile times are known,
  int64_t least_compile_limit_ms = 2'000;  // but never less than this
  int64_t reference_limit_ms = 300'000;
  int64_t memory_bytes = int64_t{4} << 30;           // of a build or a run
  int64_t reference_cache_bytes = int64_t{1} << 30;  // of scratch files, all tasks together
  size_t batch = 32;  // candidates built before the first of them is timed
};

class ProcessMeasurer : public Measurer {
 public:
  // The worker warms up while the caller goes on.
  static Result<std::unique_ptr<ProcessMeasurer>> Create(ProcessMeasurerOptions options);

  Status Measure(const Task& task, std::span<const Trace> traces,
                 const std::function<bool(size_t index, const Measurement&)>& done) override;
  Result<std::vector<Measurement>> Compare(const Task& task,
                                           std::span<const Trace> traces) override;

  // Builds, checks and times one kernel that is known to be right, a canary: where it fails three
  // times in a row, no candidate would work. What it came to at last; it counts for nothing else.
  Result<Measurement> TryMachine(const Task& task, const Trace& trace);

  // For other jobs between measurements.
  WorkerClient& client() { return *client_; }

 private:
  struct ReferenceData {
    std::string task;  // fingerprint
    std::filesystem::path directory;
    int64_t bytes = 0;
  };
  // A candidate on its way: built, or failed.
  struct Built {
    BuiltCandidate candidate;
    Measurement measurement;
  };

  ProcessMeasurer(ProcessMeasurerOptions options, std::unique_ptr<WorkerClient> client)
      : options_(std::move(options)), client_(std::move(client)) {}
  // Builds the traces into `name`N.so and, where it is missing, the task's reference data.
  Result<std::vector<Built>> Build(const Task& task, std::span<const Trace> traces,
                                   std::string_view name);
  Result<Measurement> MeasureOne(const Task& task, const Built& built, const TimingOptions& timing);
  int64_t BestKnownNs(const std::string& fingerprint) const;
  const ReferenceData* FindReference(const std::string& fingerprint);
  void AddReference(ReferenceData data);
  // Limit of a job that runs `kernels` kernels of the task.
  int64_t JobLimitMs(const Task& task, size_t kernels, const TimingOptions& timing) const;

  ProcessMeasurerOptions options_;
  std::unique_ptr<WorkerClient> client_;
  std::vector<double> compile_ms_;          // of candidates that compiled, the latest ones
  std::map<std::string, int64_t> best_ns_;  // by task: the fastest sample so far
  std::list<ReferenceData> references_;     // the latest used first
  int64_t next_library_ = 0;
};

// Eight times the median of the compile times seen, at least `least_ms`; `most_ms` until eight were
// seen, and at most.
int64_t CompileLimitMs(std::vector<double> seen_ms, int64_t least_ms, int64_t most_ms);

// How long one run may take: 20 times the best known, at least 1 s; 10 s if none is known.
int64_t RunLimitMs(int64_t best_known_ns);

}  // namespace whet
