// Resizing an axis by weighted sums of its elements: cubic interpolation, antialiasing and crops,
// which Whet has no operator for. Private to graph/.
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "graph/onnx_normalize.h"

namespace whet {

struct TapOptions {
  std::string mode, coordinates, nearest_mode;  // as Resize has them
  bool antialias = false, exclude_outside = false;
  double cubic_a = -0.75;
};

// One axis of a Resize: `scale` is out / in where no other was asked for; `begin` and `end` are of
// the crop, as parts of the extent.
struct TapAxis {
  int64_t axis = 0, in = 1, out = 1;
  double scale = 1, begin = 0, end = 1;
};

// Element o of the result is the sum over taps t of weights[t][o] * x[indices[t][o]].
struct Taps {
  std::vector<std::vector<int64_t>> indices;
  std::vector<std::vector<float>> weights;
  std::vector<bool> inside;  // of the input; elsewhere a crop has its extrapolation_value
};
// kUnsupported where an element is the sum of too many.
Result<Taps> MakeTaps(const TapOptions& options, const TapAxis& axis);

// The resized value; `outside`: what a crop has where it reaches beyond the input.
Result<ValueId> EmitTaps(OnnxNode& node, ValueId x, const TapOptions& options,
                         const std::vector<TapAxis>& axes, float outside);

}  // namespace whet
