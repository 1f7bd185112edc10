#include "schedules/operators/checks.h"

#include <algorithm>
#include <cmath>

namespace whet {
namespace {

const Attribute* Find(const Attributes& attributes, std::string_view name) {
  auto it = attributes.values().find(name);
  return it == attributes.values().end() ? nullptr : &it->second;
}

std::string Range(int64_t low, int64_t high) {
  if (high == std::numeric_limits<int64_t>::max()) return fmt::format("at least {}", low);
  if (low == high) return fmt::format("{}", low);
  return fmt::format("from {} to {}", low, high);
}

}  // namespace

Status CheckSize(std::string_view what, const TensorType& type) {
  constexpr int64_t kMaxBytes = int64_t{1} << 40;
  int64_t bytes = SizeOf(type.dtype);
  for (int64_t extent : type.shape) {
    if (extent < 0)
      return Fail(ErrorCode::kInvalidInput, "{} has the shape {}; extents are not negative", what,
                  ToString(type.shape));
    // An extent of zero must not hide the overflow of those after it.
    if (__builtin_mul_overflow(bytes, std::max<int64_t>(extent, 1), &bytes) || bytes > kMaxBytes)
      return Fail(ErrorCode::kInvalidInput,
                  "{} has the shape {}, more than the {} bytes that a tensor may have", what,
                  ToString(type.shape), kMaxBytes);
  }
  return {};
}

Status CheckOperands(Types inputs, int min, int max) {
  const int count = static_cast<int>(inputs.size());
  if (count < min || (max >= 0 && count > max)) {
    std::string accepted = max < 0      ? fmt::format("{} or more", min)
                           : min == max ? fmt::format("{}", min)
                                        : fmt::format("{} to {}", min, max);
    return Fail(ErrorCode::kInvalidInput, "it has {} inputs and takes {}", count, accepted);
  }
  for (int i = 0; i < count; ++i) {
    const bool optional = max >= 0 && i >= min;
    if (!inputs[i] && !optional)
      return Fail(ErrorCode::kInvalidInput, "input {} is absent and required", i);
    if (inputs[i]) RETURN_IF_ERROR(CheckSize(fmt::format("input {}", i), *inputs[i]));
  }
  return {};
}

Result<int64_t> IntAttribute(const Attributes& attributes, std::string_view name, int64_t fallback,
                             int64_t low, int64_t high) {
  const Attribute* found = Find(attributes, name);
  if (!found) return fallback;
  const auto* value = std::get_if<int64_t>(found);
  if (!value) return Fail(ErrorCode::kInvalidInput, "attribute {} is not an integer", name);
  if (*value < low || *value > high)
    return Fail(ErrorCode::kInvalidInput, "attribute {} is {} and should be {}", name, *value,
                Range(low, high));
  return *value;
}

Result<double> FloatAttribute(const Attributes& attributes, std::string_view name,
                              double fallback) {
  const Attribute* found = Find(attributes, name);
  if (!found) return fallback;
  if (!std::holds_alternative<double>(*found) && !std::holds_alternative<int64_t>(*found))
    return Fail(ErrorCode::kInvalidInput, "attribute {} is not a number", name);
  const double value = attributes.Float(name);
  if (!std::isfinite(static_cast<float>(value)))
    return Fail(ErrorCode::kInvalidInput, "attribute {} is {} and should be a finite fp32 number",
                name, value);
  return value;
}

Result<std::vector<int64_t>> IntsAttribute(const Attributes& attributes, std::string_view name,
                                           int count, int64_t low, int64_t high,
                                           std::vector<int64_t> fallback) {
  const Attribute* found = Find(attributes, name);
  if (!found) {
    if (fallback.empty()) return Fail(ErrorCode::kInvalidInput, "attribute {} is missing", name);
    return fallback;
  }
  const auto* values = std::get_if<std::vector<int64_t>>(found);
  if (!values)
    return Fail(ErrorCode::kInvalidInput, "attribute {} is not a list of integers", name);
  if (count >= 0 && values->size() != static_cast<size_t>(count))
    return Fail(ErrorCode::kInvalidInput, "attribute {} has {} values and should have {}", name,
                values->size(), count);
  for (int64_t value : *values)
    if (value < low || value > high)
      return Fail(ErrorCode::kInvalidInput,
                  "attribute {} has the value {}, and values should be {}", name, value,
                  Range(low, high));
  return *values;
}

Result<int64_t> AxisAttribute(const Attributes& attributes, std::string_view name, int64_t fallback,
                              size_t rank) {
  if (rank == 0) return Fail(ErrorCode::kInvalidInput, "x is a scalar and has no axis");
  const int64_t r = static_cast<int64_t>(rank);
  ASSIGN_OR_RETURN(int64_t axis, IntAttribute(attributes, name, fallback, -r, r - 1));
  return axis < 0 ? axis + r : axis;
}

Status CheckFloat(std::string_view operand, const TensorType& type) {
  if (type.dtype == DataType::kFloat32) return {};
  return Fail(ErrorCode::kInvalidInput, "{} has elements of type {} and should have f32", operand,
              Name(type.dtype));
}

Status CheckRank(std::string_view operand, const TensorType& type, size_t rank) {
  if (type.shape.size() == rank) return {};
  return Fail(ErrorCode::kInvalidInput, "{} has the shape {} and should have {} dimension{}",
              operand, ToString(type.shape), rank, rank == 1 ? "" : "s");
}

Result<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape shape(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t ea = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const int64_t eb = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    if (ea != eb && ea != 1 && eb != 1)
      return Fail(ErrorCode::kInvalidInput, "the shapes {} and {} do not broadcast", ToString(a),
                  ToString(b));
    shape[i] = ea == 1 ? eb : ea;
  }
  return shape;
}

Result<SpatialAxes> LayoutAttribute(const Attributes& attributes) {
  const Attribute* found = Find(attributes, "layout");
  if (!found) return SpatialAxes{1, 2, 3};
  const auto* layout = std::get_if<std::string>(found);
  if (layout && *layout == "NCHW") return SpatialAxes{1, 2, 3};
  if (layout && *layout == "NHWC") return SpatialAxes{3, 1, 2};
  return Fail(ErrorCode::kInvalidInput, "attribute layout should be NCHW or NHWC");
}

Result<WindowShape> InferWindow(const Attributes& attributes, int64_t kernel_h, int64_t kernel_w,
                                int64_t in_h, int64_t in_w, bool ceil_mode) {
  WindowShape window{.kernel = {kernel_h, kernel_w}, .in = {in_h, in_w}};
  ASSIGN_OR_RETURN(auto strides,
                   IntsAttribute(attributes, "strides", 2, 1, kMaxWindowValue, {1, 1}));
  ASSIGN_OR_RETURN(auto dilations,
                   IntsAttribute(attributes, "dilations", 2, 1, kMaxWindowValue, {1, 1}));
  ASSIGN_OR_RETURN(auto pads,
                   IntsAttribute(attributes, "pads", 4, 0, kMaxWindowValue, {0, 0, 0, 0}));
  std::copy(strides.begin(), strides.end(), window.strides);
  std::copy(dilations.begin(), dilations.end(), window.dilations);
  std::copy(pads.begin(), pads.end(), window.pads);
  for (int d = 0; d < 2; ++d) {
    if (window.in[d] < 1 || window.kernel[d] < 1 || window.kernel[d] > kMaxWindowValue)
      return Fail(ErrorCode::kInvalidInput, "a window of {}x{} does not fit an image of {}x{}",
                  kernel_h, kernel_w, in_h, in_w);
    const int64_t padded = window.in[d] + pads[d] + pads[d + 2];
    const int64_t slack = padded - window.Extent(d);
    if (slack < 0)
      return Fail(ErrorCode::kInvalidInput,
                  "the window extends over {} {}, dilation included, and the padded input has {}",
                  window.Extent(d), d == 0 ? "rows" : "columns", padded);
    window.out[d] = (slack + (ceil_mode ? strides[d] - 1 : 0)) / strides[d] + 1;
    if (ceil_mode && (window.out[d] - 1) * strides[d] >= window.in[d] + pads[d]) --window.out[d];
  }
  return window;
}

std::vector<AttributeDef> WindowAttributes() {
  return {{"strides", AttributeKind::kInts, std::vector<int64_t>{1, 1}},
          {"pads", AttributeKind::kInts, std::vector<int64_t>{0, 0, 0, 0}},
          {"dilations", AttributeKind::kInts, std::vector<int64_t>{1, 1}},
          {"layout", AttributeKind::kString, std::string("NCHW")}};
}

}  // namespace whet
