// A schedule without any measurement: the best of some thousand candidates by the base model.
#pragma once

#include "base/status.h"
#include "costmodel/cost_model.h"
#include "schedules/sketch.h"
#include "schedules/task.h"
#include "schedules/trace.h"
#include "search/candidate_source.h"

namespace whet {

// The candidate of `task` that `model` scores highest, the default schedule among them. The same
// inputs give the same trace, on any number of threads. Takes some 50 ms.
Result<Trace> GuessSchedule(const Task& task, const MachineModel& machine, CostModel& model,
                            int threads);
// The same of a source.
Result<Trace> GuessSchedule(const CandidateSource& source, CostModel& model, int threads);

}  // namespace whet
