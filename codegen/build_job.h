// The "build" job: a candidate to an object file and a shared object, in a child of the worker.
//
// Payload: {"task", "trace", "kernel_name", "object_path", "library_path"}; either path may be
// empty, not both. Answer: {}. The child may crash, hang or run out of memory in Halide or LLVM:
// that is what it is for.
#pragma once

#include <string>

#include "codegen/worker_child.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// Adds the handler, and a warm-up that compiles one small kernel so that children inherit a warm
// compiler.
void AddBuildHandler(WorkerHandlers* handlers);

// What to build.
struct KernelRequest {
  Task task;
  Trace trace;
  std::string kernel_name;
  std::string object_path;   // empty: not kept
  std::string library_path;  // shared object with that one kernel; empty: not linked
};

Job MakeBuildJob(const KernelRequest& request, int64_t timeout_ms);

}  // namespace whet
