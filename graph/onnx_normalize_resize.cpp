// Resize, and Upsample, which it replaced: scales and sizes resolved to the spatial axes.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/onnx_normalize.h"
#include "graph/onnx_resize_taps.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

// What is asked of each dimension of the input.
struct Wanted {
  std::vector<double> scales;  // empty: follow from the sizes
  Shape sizes;
};

Result<std::vector<double>> ConstantNumbers(OnnxNode& node, int i, const char* what) {
  ASSIGN_OR_RETURN(const Tensor* tensor, node.ConstantInput(i, what));
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

// Resizes the spatial axes of an image, the first of which is `height`, to the wanted extents;
// `attributes` are all but sizes, scales and layout.
Result<ValueId> EmitImage(OnnxNode& node, ValueId image, int64_t height, const Shape& sizes,
                          const std::vector<double>& scales, Attributes attributes) {
  const Shape in = node.ShapeOf(image);
  attributes.Set("sizes", std::vector<int64_t>{sizes[0], sizes[1]});
  for (size_t i = 0; i < 2 && !scales.empty(); ++i) {
    // Where the scale is that of the sizes, nothing needs to say so.
    const double implied =
        static_cast<double>(sizes[i]) / static_cast<double>(in[static_cast<size_t>(height) + i]);
    if (static_cast<float>(implied) == static_cast<float>(scales[i])) continue;
    attributes.Set(i == 0 ? "scale_height" : "scale_width", scales[i]);
  }
  attributes.Set("layout", std::string(height == 1 ? "NHWC" : "NCHW"));
  return node.Emit("Resize", {image}, attributes);
}

// Resizes axes `first` to `last`, one or two neighbours, of any tensor: seen as an image.
Result<ValueId> EmitAxes(OnnxNode& node, ValueId x, size_t first, size_t last, const Wanted& wanted,
                         const Attributes& attributes) {
  Shape shape = node.ShapeOf(x);
  const int64_t before = ElementCount(Shape(shape.begin(), shape.begin() + first));
  const int64_t after = ElementCount(Shape(shape.begin() + last + 1, shape.end()));
  Shape in(shape.begin() + first, shape.begin() + last + 1);
  Shape out(wanted.sizes.begin() + first, wanted.sizes.begin() + last + 1);
  std::vector<double> scales;
  if (!wanted.scales.empty())
    scales.assign(wanted.scales.begin() + first, wanted.scales.begin() + last + 1);
  if (first == last) {  // one axis is the height of an image of width 1, or its width
    const bool row = after == 1;
    in.insert(row ? in.begin() : in.end(), 1);
    out.insert(row ? out.begin() : out.end(), 1);
    if (!scales.empty()) scales.insert(row ? scales.begin() : scales.end(), 1);
  }
  const int64_t height = after == 1 ? 2 : 1;
  const Shape image =
      after == 1 ? Shape{1, before, in[0], in[1]} : Shape{before, in[0], in[1], after};
  ASSIGN_OR_RETURN(ValueId value, node.EmitReshape(x, image));
  ASSIGN_OR_RETURN(value, EmitImage(node, value, height, out, scales, attributes));
  std::copy(wanted.sizes.begin() + first, wanted.sizes.begin() + last + 1, shape.begin() + first);
  return node.EmitReshape(value, shape);
}

// `attributes` are all but sizes, scales and layout.
Status EmitResize(OnnxNode& node, const Wanted& wanted, Attributes attributes) {
  const Shape shape = node.ShapeOf(node.Input(0));
  std::vector<size_t> changed;
  for (size_t d = 0; d < shape.size(); ++d) {
    const double scale = wanted.scales.empty() ? 1 : wanted.scales[d];
    if (wanted.sizes[d] != shape[d] || scale != 1) changed.push_back(d);
  }
  ValueId value = node.Input(0);
  const bool image = shape.size() == 4 && !changed.empty() && changed.front() >= 1;
  if (image && (changed.front() >= 2 || changed.back() == 2)) {
    const int64_t height = changed.back() == 2 ? 1 : 2;
    std::vector<double> scales;
    if (!wanted.scales.empty()) scales = {wanted.scales[height], wanted.scales[height + 1]};
    ASSIGN_OR_RETURN(
        value, EmitImage(node, value, height, {wanted.sizes[height], wanted.sizes[height + 1]},
                         scales, attributes));
  } else {
    // Each axis is resized by itself, whatever the others do: two neighbours at a time.
    for (size_t i = 0; i < changed.size(); ++i) {
      const size_t first = changed[i];
      const bool two = i + 1 < changed.size() && changed[i + 1] == first + 1;
      ASSIGN_OR_RETURN(value,
                       EmitAxes(node, value, first, first + (two ? 1 : 0), wanted, attributes));
      i += two;
    }
  }
  node.Return(value);
  return {};
}

// The part of each dimension that tf_crop_and_resize takes: all of it, where roi is empty.
struct Crop {
  std::vector<double> begin, end;
};

Result<Crop> ReadCrop(OnnxNode& node, const std::vector<int64_t>& axes, size_t rank) {
  Crop crop{std::vector<double>(rank, 0), std::vector<double>(rank, 1)};
  if (!node.HasInput(1) || ElementCount(node.ShapeOf(node.Input(1))) == 0) return crop;
  ASSIGN_OR_RETURN(const std::vector<double> roi, ConstantNumbers(node, 1, "roi"));
  if (roi.size() != 2 * axes.size()) {
    return Fail(ErrorCode::kInvalidInput, "its roi has {}, expected {}",
                Counted(static_cast<int64_t>(roi.size()), "number"), 2 * axes.size());
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    crop.begin[axes[i]] = roi[i];
    crop.end[axes[i]] = roi[axes.size() + i];
  }
  return crop;
}

Status ResizeByTaps(OnnxNode& node, const TapOptions& options, const Wanted& wanted,
                    const Crop& crop) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  if (node.Type(x).dtype != DataType::kFloat32) {
    return Fail(ErrorCode::kUnsupported, "elements of type {} are not supported here, only f32",
                Name(node.Type(x).dtype));
  }
  std::vector<TapAxis> axes;
  for (size_t d = 0; d < shape.size(); ++d) {
    TapAxis axis{static_cast<int64_t>(d), shape[d], wanted.sizes[d]};
    axis.scale = wanted.scales.empty()
                     ? static_cast<double>(axis.out) / static_cast<double>(axis.in)
                     : wanted.scales[d];
    if (!crop.begin.empty()) {
      axis.begin = crop.begin[d];
      axis.end = crop.end[d];
    }
    const bool changes = axis.out != axis.in || axis.scale != 1 || axis.begin != 0 || axis.end != 1;
    if (changes) axes.push_back(axis);
  }
  const auto outside = static_cast<float>(node.Float("extrapolation_value", 0));
  ASSIGN_OR_RETURN(const ValueId value, EmitTaps(node, x, options, axes, outside));
  node.Return(value);
  return {};
}

Result<TapOptions> ReadOptions(OnnxNode& node) {
  TapOptions options;
  options.mode = node.String("mode", "nearest");
  options.coordinates = node.String("coordinate_transformation_mode", "half_pixel");
  options.nearest_mode = node.String("nearest_mode", "round_prefer_floor");
  options.antialias = node.Int("antialias", 0) != 0;
  options.exclude_outside = node.Int("exclude_outside", 0) != 0;
  options.cubic_a = node.Float("cubic_coeff_a", -0.75);
  node.Ignore({"extrapolation_value"});  // of crops
  constexpr std::string_view kModes[] = {"nearest", "linear", "cubic"};
  constexpr std::string_view kCoordinates[] = {
      "half_pixel", "pytorch_half_pixel",   "half_pixel_symmetric", "align_corners",
      "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"};
  if (std::find(std::begin(kModes), std::end(kModes), options.mode) == std::end(kModes)) {
    return Fail(ErrorCode::kInvalidInput, "mode is '{}', expected {}", PrintableName(options.mode),
                fmt::join(kModes, ", "));
  }
  if (std::find(std::begin(kCoordinates), std::end(kCoordinates), options.coordinates) ==
      std::end(kCoordinates)) {
    return Fail(ErrorCode::kInvalidInput, "coordinate_transformation_mode is '{}', expected {}",
                PrintableName(options.coordinates), fmt::join(kCoordinates, ", "));
  }
  return options;
}

Status Upsample(OnnxNode& node) {
  const Shape shape = node.ShapeOf(node.Input(0));
  const std::string mode = node.String("mode", "nearest");
  Wanted wanted;
  if (node.opset() < 7) {  // of images only
    wanted.scales = {1, 1, node.Float("height_scale", 1), node.Float("width_scale", 1)};
  } else if (node.opset() < 9) {
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
  const Shape shape = node.ShapeOf(node.Input(0));
  ASSIGN_OR_RETURN(const TapOptions options, ReadOptions(node));
  std::vector<int64_t> axes = node.Ints("axes");
  if (axes.empty()) {
    axes.resize(shape.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (int64_t& axis : axes) {
    ASSIGN_OR_RETURN(axis, node.Axis(axis, static_cast<int64_t>(shape.size())));
  }
  const bool crops = options.coordinates == "tf_crop_and_resize";
  Crop crop;
  if (crops) {
    ASSIGN_OR_RETURN(crop, ReadCrop(node, axes, shape.size()));
  }
  Wanted wanted;
  const bool by_scales = node.HasInput(2) && ElementCount(node.ShapeOf(node.Input(2))) > 0;
  if (by_scales) {
    ASSIGN_OR_RETURN(const std::vector<double> scales, ConstantNumbers(node, 2, "scales"));
    ASSIGN_OR_RETURN(wanted.scales,
                     Spread(scales, axes, std::vector<double>(shape.size(), 1), "scales"));
    std::vector<double> factors = wanted.scales;
    for (size_t d = 0; crops && d < factors.size(); ++d) factors[d] *= crop.end[d] - crop.begin[d];
    ASSIGN_OR_RETURN(wanted.sizes, ScaledSizes(shape, factors));
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
  if (options.mode == "cubic" || (options.antialias && options.mode == "linear") || crops)
    return ResizeByTaps(node, options, wanted, crop);
  return EmitResize(node, wanted,
                    {{"mode", options.mode},
                     {"coordinate_transformation_mode", options.coordinates},
                     {"nearest_mode", options.nearest_mode}});
}

constexpr OnnxOperator kOperators[] = {{"Resize", Resize}, {"Upsample", Upsample}};

}  // namespace

std::span<const OnnxOperator> ResizeOnnxOperators() { return kOperators; }

}  // namespace whet
