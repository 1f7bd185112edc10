// The DAG of a task, for those who do not want Halide.h.
#pragma once

#include "base/status.h"
#include "schedules/algorithm_options.h"
#include "schedules/dag.h"
#include "schedules/task.h"

namespace whet {

// Builds the task's Halide algorithm with the given options, except that constant inputs keep their
// natural order, and reads its DAG. kUnsupported with Halide's words where the operators have no
// algorithm. Thread safety: one thread at a time.
Result<Dag> ReadTaskDag(const Task& task, AlgorithmOptions options);

}  // namespace whet
