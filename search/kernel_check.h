// Is a kernel's output right? Comparison with the reference, element by element.
//
// The error of an element is |result - expected| / (1 + |expected|): relative for large values,
// absolute for small ones. What it may be is one number for all of a fast task's, and a bound on
// |result - expected| for each of a strict one's (error_bound.h), and of a fast one's that makes
// much of small errors (rounding_noise.h). Integers that are rounded from floating point numbers,
// which a tolerance above 0 says, may be one off. Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

// What a kernel's output is compared with.
struct Expected {
  Tensor output;                 // the reference's
  double tolerance = 0;          // of every element's error, where there are no bounds
  std::optional<Tensor> bounds;  // one float an element; infinite: anything is right
};

struct Deviation {
  double max_error = 0;     // over the elements whose error is a finite number
  int64_t wrong = 0;        // elements whose error exceeds what it may be, or is no number
  int64_t worst_index = 0;  // of the worst wrong element; the first that is no number, if any is
  double got = 0, expected = 0;  // of that element
  double allowed = 0;            // with bounds: what they allow there
  bool ok() const { return wrong == 0; }
};

// `got` holds an output of the type of `expected`. A NaN or infinity is right only where the
// reference has it too.
Deviation CompareWithReference(const Tensor& expected, const void* got, double tolerance);
// The same with the bounds, if there are any.
Deviation CompareWithReference(const Expected& expected, const void* got);

// "element [0, 3, 2, 1] is 0.5 instead of 1.25 (17 of 3136 elements wrong, tolerance 0.0001)"
std::string ToString(const Deviation& deviation, const Shape& shape, double tolerance);
// With bounds: "... (17 of 3136 elements wrong; 2.1e-07 is allowed there)"
std::string ToString(const Deviation& deviation, const Expected& expected);

// The largest error that the order of summation and fused operations can explain: 1e-4 for floating
// outputs of contractions up to 1024 long, growing with the root of the length (the error of a sum
// of n rounded terms is a random walk), at most 1e-3. 0 where no operator
// rounds, so that a denormal that becomes 0 is wrong, and for integers, but for those that a user's
// pipeline computes from floating point numbers.
double ToleranceFor(const Task& task, DataType output);

}  // namespace whet
