// Results against recorded ones: the tolerances of ONNX test-data folders.
#pragma once

#include <string>

#include "base/status.h"
#include "base/tensor.h"

namespace whet {

// How an output is compared, and how exactly. `allclose`: every |r - e| <= t (1 + |e|); `top1`: the
// largest element along the last axis is the same and |r - e|_2 <= t |e|_2; `relative_l2`: the
// latter; `exact`: all equal.
struct Tolerance {
  std::string compare = "allclose";
  double value = 1e-3;
};

// The row of `cases.tsv` (columns model, set, output, compare, tolerance; the first line names
// them) for one output; the default where there is no such file or row.
Result<Tolerance> ToleranceOf(const std::string& cases_file, const std::string& model, int set,
                              int output);

struct Comparison {
  bool ok = false;
  double error = 0;  // in the measure of the tolerance
  double max_abs_diff = 0;
  std::string why;  // what is wrong; empty if ok
};
Comparison CompareTensors(const Tensor& result, const Tensor& expected, const Tolerance& tolerance);

}  // namespace whet
