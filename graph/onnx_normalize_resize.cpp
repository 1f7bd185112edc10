// Resize, and Upsample, which it replaced: scales and sizes resolved to the spatial axes.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/onnx_normalize.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

// What is asked of each dimension of the input.
struct Wanted {
  std::vector<double> scales;  // empty: follow from the sizes
  Shape sizes;
};

Result<std::vector<double>> ConstantNumbers(OnnxNode& node, int i, const char* what) {
  const Tensor* tensor = node.Constant(node.Input(i));
  if (tensor == nullptr) {
    return Fail(ErrorCode::kUnsupported,
                "its {} are computed at run time, Whet needs them constant", what);
  }
  std::vector<double> numbers;
  for (int64_t k = 0; k < std::min<int64_t>(tensor->count(), 64); ++k)
    numbers.push_back(tensor->AsDouble(k));
  return numbers;
}

// One number a dimension, of a list that speaks of `axes` only.
template <typename T>
Result<std::vector<T>> Spread(const std::vector<T>& numbers, const std::vector<int64_t>& axes,
                              std::vector<T> all, const char* what) {
  if (numbers.size() != axes.size()) {
    return Fail(ErrorCode::kInvalidInput, "it has {} {} for {} axes", numbers.size(), what,
                axes.size());
  }
  for (size_t i = 0; i < axes.size(); ++i) all[axes[i]] = numbers[i];
  return all;
}

// Output extents that keep the ratio of the sides: with not_larger none is beyond its size, with
// not_smaller none below.
Status KeepRatio(OnnxNode& node, const Shape& shape, const std::vector<int64_t>& axes,
                 Wanted* wanted) {
  const std::string policy = node.String("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") return {};
  if (policy != "not_larger" && policy != "not_smaller") {
    return Fail(ErrorCode::kInvalidInput,
                "keep_aspect_ratio_policy is '{}', expected stretch, not_larger or not_smaller",
                PrintableName(policy));
  }
  if (!wanted->scales.empty() || axes.empty()) return {};
  std::vector<double> scales;
  for (int64_t axis : axes)
    scales.push_back(static_cast<double>(wanted->sizes[axis]) / static_cast<double>(shape[axis]));
  const double scale = policy == "not_larger" ? *std::min_element(scales.begin(), scales.end())
                                              : *std::max_element(scales.begin(), scales.end());
  wanted->scales.assign(shape.size(), 1);
  for (int64_t axis : axes) {
    wanted->scales[axis] = scale;
    wanted->sizes[axis] = std::llround(scale * static_cast<double>(shape[axis]));
  }
  return {};
}

Status CheckWanted(const Wanted& wanted) {
  const auto bad = [](int64_t size) { return size < 1 || size > (1 << 20); };
  if (std::any_of(wanted.sizes.begin(), wanted.sizes.end(), bad)) {
    return Fail(ErrorCode::kInvalidInput, "it makes [{}], expected extents from 1 to {}",
                fmt::join(wanted.sizes, ", "), 1 << 20);
  }
  return {};
}

Result<Shape> ScaledSizes(const Shape& shape, const std::vector<double>& scales) {
  Shape sizes(shape.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    const double size = std::floor(static_cast<double>(shape[d]) * scales[d]);
    if (!(size >= 1 && size <= (1 << 20))) {
      return Fail(ErrorCode::kInvalidInput, "scales are [{}], expected positive numbers",
                  fmt::join(scales, ", "));
    }
    sizes[d] = static_cast<int64_t>(size);
  }
  return sizes;
}

// Emits the resizing of an image; `attributes` are all but sizes, scales and layout.
Status EmitResize(OnnxNode& node, const Wanted& wanted, Attributes attributes) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  std::vector<int64_t> changed;
  for (size_t d = 0; d < shape.size(); ++d) {
    const double scale = wanted.scales.empty() ? 1 : wanted.scales[d];
    if (wanted.sizes[d] != shape[d] || scale != 1) changed.push_back(static_cast<int64_t>(d));
  }
  if (changed.empty()) {
    node.Return(x);
    return {};
  }
  // A signal is the row of an image of height 1.
  const bool signal = shape.size() == 3;
  const bool last = shape.size() == 4 && changed.front() >= 1 && changed.back() == 2;
  const int64_t first = last ? 1 : 2;
  if ((shape.size() != 4 && !signal) || changed.front() < first) {
    return Fail(ErrorCode::kUnsupported,
                "it resizes axes [{}] of {}, Whet supports the two spatial axes of an image",
                fmt::join(changed, ", "), ToString(node.Type(x)));
  }
  Shape sizes = wanted.sizes;
  std::vector<double> scales = wanted.scales;
  ValueId value = x;
  if (signal) {
    ASSIGN_OR_RETURN(value, node.EmitReshape(x, {shape[0], shape[1], 1, shape[2]}));
    sizes.insert(sizes.begin() + 2, 1);
    if (!scales.empty()) scales.insert(scales.begin() + 2, 1);
  }
  const Shape in = node.ShapeOf(value);
  attributes.Set("sizes", std::vector<int64_t>{sizes[first], sizes[first + 1]});
  for (int64_t d : {first, first + 1}) {
    if (scales.empty()) continue;
    // Where the scale is that of the sizes, nothing needs to say so.
    const double implied = static_cast<double>(sizes[d]) / static_cast<double>(in[d]);
    if (static_cast<float>(implied) == static_cast<float>(scales[d])) continue;
    attributes.Set(d == first ? "scale_height" : "scale_width", scales[d]);
  }
  attributes.Set("layout", std::string(last ? "NHWC" : "NCHW"));
  ASSIGN_OR_RETURN(value, node.Emit("Resize", {value}, attributes));
  ASSIGN_OR_RETURN(value, node.EmitReshape(value, wanted.sizes));
  node.Return(value);
  return {};
}

Status Upsample(OnnxNode& node) {
  const Shape shape = node.ShapeOf(node.Input(0));
  const std::string mode = node.String("mode", "nearest");
  Wanted wanted;
  if (node.opset() < 9) {
    wanted.scales = node.Floats("scales");
  } else {
    ASSIGN_OR_RETURN(wanted.scales, ConstantNumbers(node, 1, "scales"));
  }
  if (mode != "nearest" && mode != "linear" && mode != "bilinear") {
    return Fail(ErrorCode::kUnsupported, "mode is '{}', Whet supports nearest and linear",
                PrintableName(mode));
  }
  if (wanted.scales.size() != shape.size()) {
    return Fail(ErrorCode::kInvalidInput, "it has {} scales for {} dimensions",
                wanted.scales.size(), shape.size());
  }
  ASSIGN_OR_RETURN(wanted.sizes, ScaledSizes(shape, wanted.scales));
  return EmitResize(node, wanted,
                    {{"mode", std::string(mode == "nearest" ? "nearest" : "linear")},
                     {"coordinate_transformation_mode", std::string("asymmetric")},
                     {"nearest_mode", std::string("floor")}});
}

Status Resize(OnnxNode& node) {
  // Before opset 11 it is Upsample under another name.
  if (node.opset() < 11) return Upsample(node);
  node.Ignore({"cubic_coeff_a", "exclude_outside", "extrapolation_value"});  // of refused modes
  const Shape shape = node.ShapeOf(node.Input(0));
  const int64_t rank = static_cast<int64_t>(shape.size());
  const std::string mode = node.String("mode", "nearest");
  const std::string coordinates = node.String("coordinate_transformation_mode", "half_pixel");
  if (mode != "nearest" && mode != "linear") {
    return Fail(ErrorCode::kUnsupported, "mode is '{}', Whet supports nearest and linear",
                PrintableName(mode));
  }
  if (node.Int("antialias", 0) != 0) {
    return Fail(ErrorCode::kUnsupported, "antialias is 1, Whet supports 0");
  }
  if (coordinates != "half_pixel" && coordinates != "pytorch_half_pixel" &&
      coordinates != "align_corners" && coordinates != "asymmetric") {
    return Fail(ErrorCode::kUnsupported,
                "coordinate_transformation_mode is '{}', Whet supports half_pixel, "
                "pytorch_half_pixel, align_corners and asymmetric",
                PrintableName(coordinates));
  }
  std::vector<int64_t> axes = node.Ints("axes");
  if (axes.empty()) {
    axes.resize(shape.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (int64_t& axis : axes) {
    ASSIGN_OR_RETURN(axis, node.Axis(axis, rank));
  }
  Wanted wanted;
  const bool by_scales = node.HasInput(2) && ElementCount(node.ShapeOf(node.Input(2))) > 0;
  if (by_scales) {
    ASSIGN_OR_RETURN(const std::vector<double> scales, ConstantNumbers(node, 2, "scales"));
    ASSIGN_OR_RETURN(wanted.scales,
                     Spread(scales, axes, std::vector<double>(shape.size(), 1), "scales"));
    ASSIGN_OR_RETURN(wanted.sizes, ScaledSizes(shape, wanted.scales));
  } else {
    if (!node.HasInput(3)) {
      return Fail(ErrorCode::kInvalidInput, "it has neither scales nor sizes");
    }
    ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.ConstantInts(3, "sizes"));
    ASSIGN_OR_RETURN(wanted.sizes, Spread(sizes, axes, shape, "sizes"));
  }
  RETURN_IF_ERROR(CheckWanted(wanted));
  RETURN_IF_ERROR(KeepRatio(node, shape, axes, &wanted));
  RETURN_IF_ERROR(CheckWanted(wanted));
  return EmitResize(node, wanted,
                    {{"mode", mode},
                     {"coordinate_transformation_mode", coordinates},
                     {"nearest_mode", node.String("nearest_mode", "round_prefer_floor")}});
}

constexpr OnnxOperator kOperators[] = {{"Resize", Resize}, {"Upsample", Upsample}};

}  // namespace

std::span<const OnnxOperator> ResizeOnnxOperators() { return kOperators; }

}  // namespace whet
