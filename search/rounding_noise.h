// How far each element of an output without bounds of its own (error_bound.h) may be from the
// reference's where the task divides, takes logarithms, powers and roots of, or compares what it
// has rounded: a sum that is about 0, and its sign, may come to anything then, and a right kernel
// is told from a wrong one elsewhere.
//
// Measured rather than derived: the reference is run again with noise of the size of rounding on
// each result that is rounded, and an element may be as far off as it moved, several times over
// (Monte Carlo arithmetic: D. Parker, "Monte Carlo Arithmetic: exploiting randomness in floating-
// point arithmetic", 1997). Thread safety: pure functions.
#pragma once

#include <optional>
#include <span>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

// One float an element of `output`, the reference's for `inputs` (one tensor a task input), on top
// of `tolerance` as ToleranceFor has it; infinity: anything is right. Nothing for a task that does
// not do so. Errors are the references'.
Result<std::optional<Tensor>> NoiseBounds(const Task& task, std::span<const Tensor* const> inputs,
                                          const Tensor& output, double tolerance);

}  // namespace whet
