// A single task as a plan: what `whet bench TASK` runs, and what tests run candidates with.
//
// The executor, the thread pool and the buffers are those of a network, so that a task's time here
// is its time there. Thread safety: pure function.
#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "base/tensor.h"
#include "codegen/plan_builder.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// The task's data inputs become inputs of the plan, in order; constants are packed as the trace
// says. `inputs` has one natural tensor a task input; those of data inputs are not looked at.
Result<BuiltPlan> BuildTaskPlan(const Task& task, const Trace& trace,
                                std::span<const Tensor> inputs, const std::string& symbol);

}  // namespace whet
