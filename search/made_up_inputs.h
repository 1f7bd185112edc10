// Inputs that are made up to check a task's kernels with.
//
// Most values are ordinary: as the operators' rows say (OperandDef::range), about [-1, 1] where
// they say nothing, and weights scaled so that outputs have about unit variance: activations are
// then neither saturated nor zero. Among them are extremes: NaN, infinities, zeros of both signs,
// denormals and, where one operator is all there is, the ends of what functions and conversions
// take, ties, and the largest numbers. How many depends on how far one is felt:
//   - every 16th element where each element of the output comes from one of the input;
//   - in a quarter of the rows, so that most still say something of ordinary numbers, where rows
//     are reduced, pooled or normalised;
//   - zeros of both signs and no more where sums run over everything: an algorithm may spread an
//     infinity over outputs that do not see it. Strict tasks allow none that does, and have a few
//     more (extremes.h).
// What is or becomes a denormal is there once: some processors take a hundred cycles for one, and
// kernels are timed on these inputs. The same task has the same data everywhere.
// Thread safety: pure functions.
#pragma once

#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

// One tensor a task input, in order. kUnsupported for an element type that has no made-up values.
Result<std::vector<Tensor>> MakeInputs(const Task& task);

}  // namespace whet
