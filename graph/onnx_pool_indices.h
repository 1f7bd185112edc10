// Where a MaxPool found its maxima, which Whet has no operator for. Private to graph/.
//
// Thread safety: pure functions.
#pragma once

#include <vector>

#include "base/status.h"
#include "graph/onnx_normalize.h"

namespace whet {

// Over the axes [h, w] of an image; pads: top, left, bottom, right.
struct PoolWindow {
  std::vector<int64_t> kernel, strides, pads, dilations;
};

// The index in the whole of `image` [n, c, h, w] of the first element of each window that has the
// value of `pooled`; `by_columns`: as if the planes were stored so. kUnsupported for large windows.
Result<ValueId> EmitPoolIndices(OnnxNode& node, ValueId image, ValueId pooled,
                                const PoolWindow& window, bool by_columns);

}  // namespace whet
