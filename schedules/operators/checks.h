// What the operators' infer functions check alike: attribute kinds and ranges, element types,
// broadcasting.
//
// Errors are kInvalidInput and name the attribute or operand.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "schedules/operators/row.h"

namespace whet {

// No stride, dilation, pad or kernel extent is larger: their products with 2^31 stay within
// int64_t.
inline constexpr int64_t kMaxWindowValue = 1 << 20;

// An integer attribute in [low, high], `fallback` where it is absent.
Result<int64_t> IntAttribute(const Attributes& attributes, std::string_view name, int64_t fallback,
                             int64_t low, int64_t high);
// A finite float attribute, `fallback` where it is absent.
Result<double> FloatAttribute(const Attributes& attributes, std::string_view name, double fallback);
// `count` integers (-1: any number) in [low, high]; an empty fallback: the attribute is required.
Result<std::vector<int64_t>> IntsAttribute(const Attributes& attributes, std::string_view name,
                                           int count, int64_t low, int64_t high,
                                           std::vector<int64_t> fallback = {});
// An axis in [-rank, rank), counted from the front.
Result<int64_t> AxisAttribute(const Attributes& attributes, std::string_view name, int64_t fallback,
                              size_t rank);

Status CheckFloat(std::string_view operand, const TensorType& type);
Status CheckRank(std::string_view operand, const TensorType& type, size_t rank);

// Extents of the NumPy broadcast of two shapes.
Result<Shape> BroadcastShapes(const Shape& a, const Shape& b);

// Where a layout keeps the dimensions of a 4-D tensor.
struct SpatialAxes {
  size_t channel, height, width;
};
Result<SpatialAxes> LayoutAttribute(const Attributes& attributes);

// A window that slides over height and width.
struct WindowShape {
  int64_t kernel[2], strides[2], dilations[2], pads[4];  // pads: top, left, bottom, right
  int64_t in[2], out[2];
  int64_t Extent(int d) const { return (kernel[d] - 1) * dilations[d] + 1; }
};
// Reads strides, dilations, pads and, for pools, ceil_mode; computes `out` as ONNX does: with
// ceil_mode a window may hang over the end, but none starts in the padding after the input.
Result<WindowShape> InferWindow(const Attributes& attributes, int64_t kernel_h, int64_t kernel_w,
                                int64_t in_h, int64_t in_w, bool ceil_mode);

// Attribute rows of everything that slides a window.
std::vector<AttributeDef> WindowAttributes();

}  // namespace whet
