#include "schedules/operators/copies.h"

#include <algorithm>

namespace whet {
namespace {

constexpr int64_t kFewestChannels = 2 * kCopyBlock;
// A matrix is copied where its rows are long: of 3072 elements they were read in place as fast.
constexpr int64_t kLongRows = 4096;
constexpr int64_t kFewestRows = 4, kFewestColumns = 64;

std::vector<std::string> CopiesForConv(const TaskNode& node, const Shape& w) {
  const Attributes& a = node.attributes;
  if (a.String("layout", "NCHW") != "NHWC" || a.Int("group", 1) != 1) return {};
  const std::vector<int64_t> strides = a.Ints("strides", {1, 1});
  const bool strided = std::any_of(strides.begin(), strides.end(), [](int64_t s) { return s > 1; });
  const bool window = w[2] * w[3] > 1;
  if (w[1] < kFewestChannels || w[1] % kCopyBlock != 0) return {};
  if (!window) return {};
  std::vector<std::string> names = {kBlocked};
  if (strided) names.push_back(kIm2col);
  return names;
}

std::vector<std::string> CopiesForMatMul(const Shape& a, const Shape& b) {
  if (a.size() < 2 || b.size() != 2) return {};
  const int64_t rows = a[a.size() - 2], depth = a.back();
  if (depth % kCopyBlock != 0 || depth < kLongRows || rows < kFewestRows ||
      b.back() < kFewestColumns)
    return {};
  return {kBlocked};
}

}  // namespace

std::vector<std::string> CopiesFor(const Task& task, const TaskNode& node) {
  if (node.op != "Conv" && node.op != "MatMul") return {};
  const auto types = task.Types();
  if (!types) return {};
  const auto first = types->find(node.inputs[0]), second = types->find(node.inputs[1]);
  if (first == types->end() || second == types->end()) return {};
  if (node.op == "Conv") return CopiesForConv(node, second->second.shape);
  return CopiesForMatMul(first->second.shape, second->second.shape);
}

}  // namespace whet
