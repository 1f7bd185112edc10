// Convolutions that read a copy of their image: the same sums in the same order of channels, from
// addresses that suit caches better. The positions of an NHWC image lie all its channels apart, and
// those of a register tile then share few sets of a first-level cache where that is a power of two.
#pragma once

#include <string>
#include <vector>

#include "schedules/task.h"

namespace whet {

inline constexpr int64_t kConvBlock = 16;  // channels, innermost
// The image as [n, c / kConvBlock, y, x, kConvBlock].
inline constexpr const char* kConvBlocked = "blocked";
// What each tap reads at each output position, as [n, y, c / kConvBlock, ky, kx, x, kConvBlock].
inline constexpr const char* kConvIm2col = "im2col";

// Those worth trying for a node: Conv in NHWC of one group with whole blocks of channels; of every
// tap only where strides leave room for copies.
std::vector<std::string> ConvCopiesFor(const Task& task, const TaskNode& node);

}  // namespace whet
