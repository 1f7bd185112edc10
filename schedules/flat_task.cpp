#include "schedules/flat_task.h"

#include <algorithm>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

// The dimension of a 4-D image that holds channels, by the first node that knows; the last one,
// where none does.
size_t ChannelAxis(const Task& task) {
  for (const TaskNode& node : task.nodes)
    if (node.op == "Conv") return node.attributes.String("layout", "NCHW") == "NHWC" ? 3 : 1;
  return 3;
}

bool IsPointwise(const TaskNode& node, const Shape& weights, size_t channel_axis) {
  const Attributes& a = node.attributes;
  const auto all = [&](const char* name, int64_t wanted, std::vector<int64_t> fallback) {
    const std::vector<int64_t> values = a.Ints(name, std::move(fallback));
    return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == wanted; });
  };
  return node.op == "Conv" && (a.String("layout", "NCHW") == "NHWC") == (channel_axis == 3) &&
         weights[2] == 1 && weights[3] == 1 && a.Int("group", 1) == 1 &&
         all("strides", 1, {1, 1}) && all("pads", 0, {0, 0, 0, 0});
}

// Whether a tensor has one value for all positions: [c], [1, 1, 1, c] or less; channels first
// [c, 1, 1].
bool IsPerChannel(const Shape& shape, size_t channel_axis) {
  for (size_t d = 0; d < shape.size(); ++d)
    if (d + 4 != channel_axis + shape.size() && shape[d] != 1) return false;
  return true;
}

// A Transpose with as few dimensions longer than one as say the same: those that stay neighbours
// are one. The rank stays.
Task FlattenedTranspose(const Task& task) {
  const Shape& shape = task.inputs[0].type.shape;
  std::vector<int64_t> perm;  // of dimensions longer than one
  for (int64_t d : task.nodes[0].attributes.Ints("perm"))
    if (shape[d] > 1) perm.push_back(d);
  const auto follows = [&](int64_t d, int64_t after) {
    for (int64_t between = after + 1; between < d; ++between)
      if (shape[between] > 1) return false;
    return d > after;
  };
  // Groups of input dimensions, in the order of the output.
  std::vector<std::vector<int64_t>> groups;
  for (size_t i = 0; i < perm.size(); ++i) {
    if (i == 0 || !follows(perm[i], perm[i - 1])) groups.emplace_back();
    groups.back().push_back(perm[i]);
  }
  std::vector<std::vector<int64_t>> by_input = groups;
  std::sort(by_input.begin(), by_input.end());
  const size_t rank = shape.size(), first = rank - groups.size();
  Shape merged(rank, 1);
  std::vector<int64_t> merged_perm(rank);
  for (size_t d = 0; d < first; ++d) merged_perm[d] = static_cast<int64_t>(d);
  for (size_t g = 0; g < groups.size(); ++g) {
    for (int64_t d : by_input[g]) merged[first + g] *= shape[d];
    const auto at = std::find(by_input.begin(), by_input.end(), groups[g]) - by_input.begin();
    merged_perm[first + g] = static_cast<int64_t>(first) + at;
  }
  Task flat = task;
  flat.inputs[0].type.shape = merged;
  flat.nodes[0].attributes.Set("perm", merged_perm);
  return flat.Types() ? flat : task;
}

}  // namespace

Task Flattened(const Task& task) {
  const auto types = task.Types();
  if (!types) return task;
  if (task.nodes.size() == 1 && task.nodes[0].op == "Transpose") return FlattenedTranspose(task);
  const Shape image = types->at(task.output).shape;
  if (image.size() != 4) return task;
  const size_t channel_axis = ChannelAxis(task);
  const auto is_image = [&](Shape shape) {
    if (shape.size() == 4) shape[channel_axis] = image[channel_axis];
    return shape == image;
  };
  bool broadcasts = false;
  for (const TaskNode& node : task.nodes) {
    const OperatorDef* def = FindOperator(node.op);
    const bool pointwise =
        node.op == "Conv" && IsPointwise(node, types->at(node.inputs[1]).shape, channel_axis);
    if (!pointwise && (def == nullptr || def->op_class != OperatorClass::kElementwise)) return task;
    broadcasts |= pointwise;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (pointwise && i > 0) continue;  // weights and bias
      const Shape& shape = types->at(node.inputs[i]).shape;
      if (!is_image(shape) && !IsPerChannel(shape, channel_axis)) return task;
      broadcasts |= shape != image;
    }
    if (!is_image(types->at(node.output).shape)) return task;
  }
  Task flat = task;
  for (TaskInput& input : flat.inputs) {
    Shape& shape = input.type.shape;
    bool weights = false;
    for (const TaskNode& node : task.nodes)
      weights |= node.op == "Conv" && node.inputs[1] == input.name;
    if (weights || !is_image(shape)) continue;
    if (!broadcasts) {
      shape = {1, 1, 1, image[0] * image[1] * image[2] * image[3]};
    } else if (channel_axis == 3) {
      shape = {1, 1, image[0] * image[1] * image[2], shape[3]};
    } else {
      shape = {image[0], shape[1], 1, image[2] * image[3]};
    }
  }
  return flat.Types() ? flat : task;
}

}  // namespace whet
