// Convolutions and matrix products that read a copy of their first input: the same sums, from
// addresses that suit caches better. Neighbouring positions of an NHWC image, or rows of a matrix,
// lie all its channels or columns apart, and those of a register tile then share few sets of a
// first-level cache where that is a multiple of a large power of two.
#pragma once

#include <string>
#include <vector>

#include "schedules/task.h"

namespace whet {

inline constexpr int64_t kCopyBlock = 16;  // channels or columns, innermost
// The image as [n, c / kCopyBlock, y, x, kCopyBlock], the matrix as [.., k / kCopyBlock, row,
// kCopyBlock].
inline constexpr const char* kBlocked = "blocked";
// What each tap reads at each output position, as [n, y, c / kCopyBlock, ky, kx, x, kCopyBlock].
inline constexpr const char* kIm2col = "im2col";

// Those worth trying for a node: Conv in NHWC of one group with a window, and MatMul of long rows with
// one right matrix, of whole blocks; of every tap only where strides leave room for copies.
std::vector<std::string> CopiesFor(const Task& task, const TaskNode& node);

}  // namespace whet
