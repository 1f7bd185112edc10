// Infinities, NaN and very bright elements among the made-up inputs of strict tasks: an algorithm
// that mixes elements lets them reach outputs that do not see them, and is found out.
//
// Thread safety: pure functions.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

// Puts one of each into what the task's convolution or matrix product reads. Nothing happens where
// the task has no such operator or another that sums, where its operand is no variable input, or
// where the three would reach more than three eighths of the outputs: what is infinite or NaN tells
// nothing of rounding.
void PlaceExtremes(const Task& task, std::vector<Tensor>* inputs);

}  // namespace whet
