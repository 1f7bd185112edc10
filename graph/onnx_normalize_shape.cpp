// Views: the same elements under another shape.
#include <algorithm>

#include "graph/onnx_normalize.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

Status ReturnReshaped(OnnxNode& node, ValueId x, Shape shape) {
  ASSIGN_OR_RETURN(const ValueId value, node.EmitReshape(x, std::move(shape)));
  node.Return(value);
  return {};
}

// 0 copies the extent of the input, -1 takes what remains. The shape is an attribute before opset 5
// and an input since.
Status Reshape(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const TensorType type = node.Type(x);
  const bool allow_zero = node.Int("allowzero", 0) != 0;
  Shape shape = node.Ints("shape");
  if (node.opset() >= 5) {
    ASSIGN_OR_RETURN(shape, node.ConstantInts(1, "shape"));
  }
  const Shape requested = shape;
  if (allow_zero && std::find(shape.begin(), shape.end(), 0) != shape.end() &&
      std::find(shape.begin(), shape.end(), -1) != shape.end()) {
    return Fail(ErrorCode::kInvalidInput,
                "shape [{}] has a 0 and a -1, of which allowzero = 1 permits one",
                fmt::join(requested, ", "));
  }
  int64_t known = 1;
  int open = -1;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !allow_zero) {
      if (d >= type.shape.size()) {
        return Fail(ErrorCode::kInvalidInput,
                    "shape [{}] copies dimension {} of {}, which has none",
                    fmt::join(requested, ", "), d, ToString(type));
      }
      shape[d] = type.shape[d];
    }
    if (shape[d] == -1 && open < 0) {
      open = static_cast<int>(d);
    } else if (shape[d] < 0 || __builtin_mul_overflow(known, shape[d], &known)) {
      return Fail(ErrorCode::kInvalidInput, "shape [{}] is not one that a tensor can have",
                  fmt::join(requested, ", "));
    }
  }
  const int64_t count = ElementCount(type.shape);
  if (open >= 0) shape[open] = known > 0 ? count / known : 0;
  if (open >= 0 ? known * shape[open] != count : known != count) {
    return Fail(ErrorCode::kInvalidInput, "shape [{}] does not fit the {} of {}",
                fmt::join(requested, ", "), Counted(count, "element"), ToString(type));
  }
  return ReturnReshaped(node, x, std::move(shape));
}

Status Flatten(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  const int64_t rank = static_cast<int64_t>(shape.size());
  int64_t axis = node.Int("axis", 1);
  if (axis < -rank || axis > rank) {
    return Fail(ErrorCode::kInvalidInput, "axis {} is not one of a tensor of {}", axis,
                Counted(rank, "dimension"));
  }
  if (axis < 0) axis += rank;
  return ReturnReshaped(node, x,
                        {ElementCount(whet::Shape(shape.begin(), shape.begin() + axis)),
                         ElementCount(whet::Shape(shape.begin() + axis, shape.end()))});
}

// The axes, an attribute before opset 13 and an input since: sorted, non-negative, of the input's
// dimensions or, if the node inserts them, of the result's.
Result<std::vector<int64_t>> ReadAxes(OnnxNode& node, bool inserted) {
  std::vector<int64_t> axes = node.Ints("axes");
  if (node.HasInput(1)) {
    ASSIGN_OR_RETURN(axes, node.ConstantInts(1, "axes"));
  }
  const int64_t rank = static_cast<int64_t>(node.ShapeOf(node.Input(0)).size()) +
                       (inserted ? static_cast<int64_t>(axes.size()) : 0);
  for (int64_t& axis : axes) {
    ASSIGN_OR_RETURN(axis, node.Axis(axis, rank));
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    return Fail(ErrorCode::kInvalidInput, "axes [{}] name one axis twice", fmt::join(axes, ", "));
  }
  return axes;
}

Status Squeeze(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ReadAxes(node, false));
  Shape squeezed;
  for (int64_t d = 0; d < static_cast<int64_t>(shape.size()); ++d) {
    const bool named = std::binary_search(axes.begin(), axes.end(), d);
    if (named && shape[d] != 1) {
      return Fail(ErrorCode::kInvalidInput, "axis {} of {} cannot be squeezed, its extent is not 1",
                  d, ToString(node.Type(x)));
    }
    if (axes.empty() ? shape[d] != 1 : !named) squeezed.push_back(shape[d]);
  }
  return ReturnReshaped(node, x, std::move(squeezed));
}

Status Unsqueeze(OnnxNode& node) {
  const ValueId x = node.Input(0);
  Shape shape = node.ShapeOf(x);
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ReadAxes(node, true));
  if (shape.size() + axes.size() > 64) {
    return Fail(ErrorCode::kUnsupported, "a tensor of more than 64 dimensions is not supported");
  }
  for (int64_t axis : axes) shape.insert(shape.begin() + axis, 1);
  return ReturnReshaped(node, x, std::move(shape));
}

constexpr OnnxOperator kOperators[] = {
    {"Reshape", Reshape}, {"Flatten", Flatten}, {"Squeeze", Squeeze}, {"Unsqueeze", Unsqueeze}};

}  // namespace

std::span<const OnnxOperator> ShapeOnnxOperators() { return kOperators; }

}  // namespace whet
