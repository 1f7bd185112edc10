#include "schedules/flat_task.h"

#include <algorithm>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

bool IsPointwise(const TaskNode& node, const Shape& weights) {
  const Attributes& a = node.attributes;
  const auto all = [&](const char* name, int64_t wanted, std::vector<int64_t> fallback) {
    const std::vector<int64_t> values = a.Ints(name, std::move(fallback));
    return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == wanted; });
  };
  return node.op == "Conv" && a.String("layout", "NCHW") == "NHWC" && weights[2] == 1 &&
         weights[3] == 1 && a.Int("group", 1) == 1 && all("strides", 1, {1, 1}) &&
         all("pads", 0, {0, 0, 0, 0});
}

// Whether a tensor has one value for all positions: [c], [1, 1, 1, c] or less.
bool IsPerChannel(const Shape& shape) {
  for (size_t d = 0; d + 1 < shape.size(); ++d)
    if (shape[d] != 1) return false;
  return true;
}

}  // namespace

Task Flattened(const Task& task) {
  const auto types = task.Types();
  if (!types) return task;
  const Shape image = types->at(task.output).shape;
  if (image.size() != 4) return task;
  const auto is_image = [&](const Shape& shape) {
    return shape.size() == 4 && std::equal(image.begin(), image.begin() + 3, shape.begin());
  };
  bool broadcasts = false;
  for (const TaskNode& node : task.nodes) {
    const OperatorDef* def = FindOperator(node.op);
    const bool pointwise = node.op == "Conv" && IsPointwise(node, types->at(node.inputs[1]).shape);
    if (!pointwise && (def == nullptr || def->op_class != OperatorClass::kElementwise)) return task;
    broadcasts |= pointwise;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (pointwise && i > 0) continue;  // weights and bias
      const Shape& shape = types->at(node.inputs[i]).shape;
      if (!is_image(shape) && !IsPerChannel(shape)) return task;
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
    shape = broadcasts ? Shape{1, 1, image[0] * image[1] * image[2], shape[3]}
                       : Shape{1, 1, 1, image[0] * image[1] * image[2] * image[3]};
  }
  return flat.Types() ? flat : task;
}

}  // namespace whet
