// A task as a network of its own, in ONNX's layouts: an operator that stands alone.
#pragma once

#include <span>

#include "base/status.h"
#include "graph/graph.h"
#include "schedules/task.h"

namespace whet {

// Inputs, outputs and constants as ONNX has them: where the task's spatial operators are NHWC, its
// 4-D activations become NCHW. `tensors` has one natural tensor a task input; those of constant
// inputs become constants. The passes have not run. Errors name the node.
Result<Graph> GraphOfTask(const Task& task, std::span<const Tensor> tensors);

}  // namespace whet
