// Resize: images of other extents, by the nearest element or by linear interpolation.
//
//   nearest: y[n, c, i, j] = x[n, c, round(u(i)), round(v(j))]
//   linear:  y[n, c, i, j] = the four elements around (u(i), v(j)), weighted by nearness
//
// u and v are ONNX's coordinate transformations (resize.h); indices outside are clamped.
#include "schedules/operators/resize.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "schedules/operators/checks.h"

namespace whet {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0 ? 1 : 0); }

// `numerator` / `divisor` is how much larger an axis becomes.
struct Ratio {
  int64_t numerator = 1, divisor = 1;
};

// The ratio of the smallest numbers that is this f32.
Result<Ratio> RatioOf(std::string_view name, double scale) {
  constexpr int64_t kLargest = 1 << 14;
  if (!(scale > 0) || scale > kLargest)
    return Fail(ErrorCode::kInvalidInput, "attribute {} is {} and should be from 0 to {}", name,
                scale, kLargest);
  const float wanted = static_cast<float>(scale);
  for (int64_t divisor = 1; divisor <= kLargest; ++divisor) {
    const int64_t numerator = std::llround(scale * static_cast<double>(divisor));
    if (numerator > 0 &&
        static_cast<float>(static_cast<double>(numerator) / static_cast<double>(divisor)) == wanted)
      return Ratio{numerator, divisor};
  }
  return Fail(ErrorCode::kInvalidInput,
              "attribute {} is {}, which is no ratio of whole numbers up to {}", name, scale,
              kLargest);
}

Result<std::string> Choice(const Attributes& attributes, const char* name, const char* fallback,
                           std::initializer_list<std::string_view> choices) {
  auto it = attributes.values().find(name);
  if (it == attributes.values().end()) return std::string(fallback);
  const auto* value = std::get_if<std::string>(&it->second);
  if (value && std::find(choices.begin(), choices.end(), *value) != choices.end()) return *value;
  return Fail(ErrorCode::kInvalidInput, "attribute {} should be {}", name,
              fmt::join(choices, ", "));
}

// Output position to input position, before rounding.
RoundedDown Transformation(const std::string& mode, const Ratio& scale, int64_t in, int64_t out) {
  const int64_t p = scale.divisor, q = scale.numerator;
  if (mode == "asymmetric") return {p, 0, q};
  if (mode == "tf_half_pixel_for_nn") return {2 * p, p, 2 * q};
  // Half pixels about the middle of both, where the scale does not give whole extents.
  if (mode == "half_pixel_symmetric") return {2 * p, p - q + in * q - out * p, 2 * q};
  if (mode == "align_corners") {
    // The first and the last element stay; the last is at in * scale - 1, which may be no whole
    // number.
    if (out == 1 || q * in <= p) return {};
    return {p * (in - 1), 0, q * in - p};
  }
  if (mode == "pytorch_half_pixel" && out == 1) return {};
  return {2 * p, p - q, 2 * q};
}

// To the nearest whole number, by ONNX's nearest_mode.
RoundedDown Nearest(const std::string& mode, const RoundedDown& at) {
  RoundedDown rounded = at;
  if (mode == "ceil") {
    rounded.offset += at.divisor - 1;
  } else if (mode != "floor") {
    // A half goes down with round_prefer_floor, and up with round_prefer_ceil.
    const int64_t half = mode == "round_prefer_floor" ? at.divisor - 1 : at.divisor;
    rounded = {2 * at.factor, 2 * at.offset + half, 2 * at.divisor};
  }
  const int64_t common = std::gcd(rounded.factor, rounded.divisor);
  return {rounded.factor / common, FloorDiv(rounded.offset, common), rounded.divisor / common};
}

Result<ResizeAxis> ReadAxis(const Attributes& attributes, std::string_view scale_name, int64_t in,
                            int64_t out, bool linear, const std::string& coordinates,
                            const std::string& nearest) {
  if (in < 1) return Fail(ErrorCode::kInvalidInput, "x has no elements to resize");
  Ratio scale{out, in};
  if (attributes.Has(scale_name)) {
    ASSIGN_OR_RETURN(const double value, FloatAttribute(attributes, scale_name, 1));
    ASSIGN_OR_RETURN(scale, RatioOf(scale_name, value));
  }
  const int64_t common = std::gcd(scale.numerator, scale.divisor);
  scale = {scale.numerator / common, scale.divisor / common};
  ResizeAxis axis{in, out, Transformation(coordinates, scale, in, out)};
  RoundedDown& position = axis.position;
  if (linear) {
    const int64_t shared = std::gcd(std::gcd(position.factor, position.offset), position.divisor);
    position = {position.factor / shared, position.offset / shared, position.divisor / shared};
  } else {
    position = Nearest(nearest, position);
  }
  // Kernels compute indices in 32 bits.
  constexpr int64_t kLargest = int64_t{1} << 30;
  if (position.divisor > kLargest || position.factor > kLargest / out ||
      std::abs(position.offset) > kLargest)
    return Fail(ErrorCode::kInvalidInput,
                "resizing {} to {} takes ratios of larger numbers than a kernel has", in, out);
  return axis;
}

Result<ResizeShape> ReadShape(const Attributes& attributes, const Shape& x,
                              const SpatialAxes& axes) {
  constexpr int64_t kLargest = 1 << 20;
  ASSIGN_OR_RETURN(const std::string mode,
                   Choice(attributes, "mode", "nearest", {"nearest", "linear"}));
  ASSIGN_OR_RETURN(const std::string coordinates,
                   Choice(attributes, "coordinate_transformation_mode", "half_pixel",
                          {"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric",
                           "align_corners", "asymmetric", "tf_half_pixel_for_nn"}));
  ASSIGN_OR_RETURN(const std::string nearest,
                   Choice(attributes, "nearest_mode", "round_prefer_floor",
                          {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}));
  ASSIGN_OR_RETURN(const auto sizes, IntsAttribute(attributes, "sizes", 2, 1, kLargest));
  if (x[axes.height] > kLargest || x[axes.width] > kLargest)
    return Fail(ErrorCode::kInvalidInput, "x has the shape {}, too large to resize", ToString(x));
  ResizeShape shape;
  shape.linear = mode == "linear";
  ASSIGN_OR_RETURN(shape.height, ReadAxis(attributes, "scale_height", x[axes.height], sizes[0],
                                          shape.linear, coordinates, nearest));
  ASSIGN_OR_RETURN(shape.width, ReadAxis(attributes, "scale_width", x[axes.width], sizes[1],
                                         shape.linear, coordinates, nearest));
  return shape;
}

Result<TensorType> InferResize(const Attributes& attributes, Types inputs) {
  TensorType y = *inputs[0];
  RETURN_IF_ERROR(CheckFloat("x", y));
  RETURN_IF_ERROR(CheckRank("x", y, 4));
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(const ResizeShape shape, ReadShape(attributes, y.shape, axes));
  y.shape[axes.height] = shape.height.out;
  y.shape[axes.width] = shape.width.out;
  return y;
}

// The two elements between which an output is, and the part of the way to the second.
struct Between {
  int64_t low, high;
  double part;
};

std::vector<Between> Places(const ResizeAxis& axis, bool linear) {
  std::vector<Between> places;
  for (int64_t o = 0; o < axis.out; ++o) {
    const int64_t at = axis.position.At(o);
    const double part =
        linear ? static_cast<double>(axis.Remainder(o)) / static_cast<double>(axis.position.divisor)
               : 0;
    places.push_back({std::clamp<int64_t>(at, 0, axis.in - 1),
                      std::clamp<int64_t>(at + 1, 0, axis.in - 1), part});
  }
  return places;
}

// What has no weight is not looked at: it may be an infinity or NaN.
template <typename At>
double Interpolated(const Between& place, const At& at) {
  if (place.part == 0) return at(place.low);
  return at(place.low) * (1 - place.part) + at(place.high) * place.part;
}

Status ComputeResize(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape& in = inputs[0]->shape();
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(const ResizeShape shape, ReadShape(attributes, in, axes));
  const std::vector<Between> rows = Places(shape.height, shape.linear),
                             columns = Places(shape.width, shape.linear);
  // Channels first: planes of one element a position; channels last: one plane of many.
  const bool last = axes.channel == 3;
  const int64_t planes = last ? in[0] : in[0] * in[1], depth = last ? in[3] : 1;
  const int64_t width = in[axes.width];
  float* y = output.data<float>();
  for (int64_t p = 0; p < planes; ++p) {
    const float* plane = inputs[0]->data<float>() + p * in[axes.height] * width * depth;
    for (const Between& row : rows) {
      for (const Between& column : columns) {
        const auto at = [&](int64_t i, int64_t j, int64_t c) -> double {
          return plane[(i * width + j) * depth + c];
        };
        for (int64_t c = 0; c < depth; ++c) {
          const auto along = [&](int64_t i) {
            return Interpolated(column, [&](int64_t j) { return at(i, j, c); });
          };
          *y++ = static_cast<float>(Interpolated(row, along));
        }
      }
    }
  }
  return {};
}

double ResizeFlops(const Attributes& attributes, Types, const TensorType& output) {
  const bool linear = attributes.String("mode", "nearest") == "linear";
  return linear ? 9.0 * static_cast<double>(ElementCount(output.shape)) : 0;
}

}  // namespace

int64_t RoundedDown::At(int64_t o) const { return FloorDiv(factor * o + offset, divisor); }

int64_t ResizeAxis::Remainder(int64_t o) const {
  return position.factor * o + position.offset - position.At(o) * position.divisor;
}

Result<ResizeShape> ReadResize(const Attributes& attributes, const Shape& x) {
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  return ReadShape(attributes, x, axes);
}

const std::vector<OperatorDef>& ResizeOperators() {
  constexpr AttributeKind kString = AttributeKind::kString;
  static const std::vector<OperatorDef> rows = {
      Row<&InferResize, &ComputeResize, &ResizeFlops, 1, 1>(
          "Resize", OperatorClass::kReduction, {{"x"}},
          {{"sizes", AttributeKind::kInts},
           {"mode", kString, std::string("nearest")},
           {"coordinate_transformation_mode", kString, std::string("half_pixel")},
           {"nearest_mode", kString, std::string("round_prefer_floor")},
           {"scale_height", AttributeKind::kFloat},
           {"scale_width", AttributeKind::kFloat},
           {"layout", kString, std::string("NCHW")}}),
  };
  return rows;
}

}  // namespace whet
