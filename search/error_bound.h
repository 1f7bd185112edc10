// How far each element of a strict task's output may be from the reference's: what rounding in
// single precision explains, whatever the order of its sums, and nothing that other elements hold.
//
// With u = 2^-24 and S the sum of the magnitudes of an element's n terms, a sum may be off by
// (n + min(n, 256) + 4) u S: n for the kernel's (N. Higham, "Accuracy and Stability of Numerical
// Algorithms", 2002, section 4.2), the others for the reference's partial sums (operator.h) and the
// last rounding of each. An error that comes in is carried on: through sums with the magnitudes of
// the other factor, through max, Relu and their like as it is, through products as
// |a| e_b + |b| e_a + e_a e_b. Exponentials are approximated: Sigmoid, Tanh, Erf and Gelu add 256 u
// to 1 + |y|.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <span>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

// One float an element of the output, for these inputs (one tensor a task input): 0 where the
// reference is no finite number, for that stays as it is; infinity where terms are so large that
// their sum may overflow. Nothing for a fast task, and where a node of the task has no such bound
// (a quotient, a softmax, a user's pipeline): then ToleranceFor holds, with rounding_noise.h, and
// infinities and NaN must be where the reference has them. Errors are the references'.
Result<std::optional<Tensor>> ErrorBounds(const Task& task, std::span<const Tensor* const> inputs);

}  // namespace whet
