// The same work with fewer dimensions.
#pragma once

#include "schedules/task.h"

namespace whet {

// Where every node takes each position by itself (elementwise operators, pointwise convolutions of
// stride 1), images are lists of positions: [n, h, w, c] becomes [1, 1, n h w, c], channels first
// [n, c, h, w] becomes [n, c, 1, h w], and where there is no convolution and nothing is broadcast,
// [1, 1, 1, n h w c]. The bytes of all tensors are the same, so the kernels are too; 7 x 7
// positions no longer have to be tiled as a square. Dimensions that a Transpose leaves side by side
// become one. Other tasks come back as they are. Requires a validated task.
Task Flattened(const Task& task);

}  // namespace whet
