#include "schedules/operators/conv_copies.h"

#include <algorithm>

namespace whet {
namespace {

constexpr int64_t kFewestChannels = 2 * kConvBlock;
// Without a window, the distance of positions has to be worth a copy.
constexpr int64_t kFarApart = 256;  // channels

}  // namespace

std::vector<std::string> ConvCopiesFor(const Task& task, const TaskNode& node) {
  const Attributes& a = node.attributes;
  if (node.op != "Conv" || a.String("layout", "NCHW") != "NHWC" || a.Int("group", 1) != 1)
    return {};
  const auto types = task.Types();
  if (!types) return {};
  const auto weights = types->find(node.inputs[1]);
  if (weights == types->end()) return {};
  const Shape& w = weights->second.shape;
  const std::vector<int64_t> strides = a.Ints("strides", {1, 1});
  const bool strided = std::any_of(strides.begin(), strides.end(), [](int64_t s) { return s > 1; });
  const bool window = w[2] * w[3] > 1;
  if (w[1] < kFewestChannels || w[1] % kConvBlock != 0) return {};
  if (!window && w[1] * *std::max_element(strides.begin(), strides.end()) < kFarApart) return {};
  std::vector<std::string> names = {kConvBlocked};
  if (window && strided) names.push_back(kConvIm2col);
  return names;
}

}  // namespace whet
