// The job that tries a kernel which was chosen without measuring, before anything uses it:
//   "check" {"task", "trace", "object", "symbol", "threads"}
// links the object, makes inputs up (made_up_inputs.h), runs the kernel between guard zones several
// times, each time on other poison where nothing was written yet, and compares with the reference.
// A race, or what is read before it is written, shows in one of the runs.
//
// Answer: a measurement without samples (measure_job.h). An error where nothing can be said of the
// kernel: it does not link, the reference fails. Thread safety: pure functions.
#pragma once

#include <string>

#include "codegen/worker_child.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

void AddCheckHandler(WorkerHandlers* handlers);

struct CheckRequest {
  Task task;
  Trace trace;
  std::string object_path;  // of the kernel
  std::string symbol;
  int threads = 1;
};

// Limited to a time in which the reference is done a few times over.
Job MakeCheckJob(const CheckRequest& request);

}  // namespace whet
