// The jobs that run kernels, each in a child of the worker:
//   "reference" {"task", "data"}: writes the task's reference data (reference_data.h) to the
//   directory `data` "measure" {"task", "threads", "data", "timing", "candidates": [{"trace",
//   "library"}]}: checks one candidate and times it "compare", the same with several candidates:
//   times them in interleaved rounds
// Answer of the last two: {"measurements": [..]}, one a candidate. A candidate that crashes takes
// the child with it; one that overruns its buffers is the only measurement in the answer. Thread
// safety: pure functions.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "codegen/worker_child.h"
#include "schedules/task.h"
#include "schedules/trace.h"
#include "search/timing.h"
#include "tuning_db/record.h"

namespace whet {

void AddMeasureHandlers(WorkerHandlers* handlers);

struct BuiltCandidate {
  Trace trace;
  std::string library;  // path of its shared object
};

Job MakeReferenceJob(const Task& task, const std::filesystem::path& data, int64_t timeout_ms);

// One candidate: "measure". More: "compare".
Job MakeMeasureJob(const Task& task, int threads, const std::filesystem::path& data,
                   const std::vector<BuiltCandidate>& candidates, const TimingOptions& timing,
                   int64_t timeout_ms);

// The answer's measurements; compile times are not in it.
Json MeasureAnswer(const std::vector<Measurement>& measurements);
Result<std::vector<Measurement>> ParseMeasureAnswer(const Json& answer);

}  // namespace whet
