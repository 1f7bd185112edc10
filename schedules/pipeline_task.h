// Halide pipelines from files as tasks, and their schedules as C++. No Halide here.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// A .hlpipe file (Halide::serialize_pipeline) as a task of one Pipeline operator named after the
// file; its inputs are the pipeline's images, the output has the shape of its estimates. Errors
// name the file, and the Func or input at fault.
// `shapes` are "NAME=WIDTHxHEIGHT" (dimension 0 first) for inputs whose bounds the pipeline asks
// for, `scalars` "NAME=NUMBER": Halide's format holds neither.
Result<Task> ReadPipelineTask(const std::string& path, const std::string& target,
                              const std::vector<std::string>& shapes = {},
                              const std::vector<std::string>& scalars = {});

// A C++ header with one function that schedules the user's pipeline as the trace does:
//   Halide::Pipeline schedule_NAME(Halide::Pipeline pipeline);
// kUnsupported where the trace speaks of stages that the user's pipeline does not have.
Result<std::string> PipelineScheduleToCpp(const Task& task, const Trace& trace);

}  // namespace whet
