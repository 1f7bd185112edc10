#include "graph/onnx_resize_taps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace whet {
namespace {

constexpr int64_t kMostTaps = 64;

// Where an output's element is in the input: the coordinate transformations of ONNX.
double PositionOf(const TapOptions& options, const TapAxis& a, int64_t o) {
  const auto x = static_cast<double>(o), in = static_cast<double>(a.in),
             out = static_cast<double>(a.out);
  const std::string& mode = options.coordinates;
  if (mode == "asymmetric") return x / a.scale;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (mode == "align_corners")
    return a.out == 1 ? 0 : x * (in - 1) / (a.scale * in - 1);  // the scale's own extent
  if (mode == "tf_crop_and_resize") {
    const double part = a.end - a.begin;
    return a.out > 1 ? a.begin * (in - 1) + x * part * (in - 1) / (out - 1)
                     : 0.5 * (a.begin + a.end) * (in - 1);
  }
  if (mode == "pytorch_half_pixel" && a.out == 1) return 0;
  const double centre = mode == "half_pixel_symmetric" ? in / 2 * (1 - out / (a.scale * in)) : 0;
  return centre + (x + 0.5) / a.scale - 0.5;
}

int64_t NearestTo(const std::string& mode, double at) {
  const double down = std::floor(at);
  if (mode == "floor") return static_cast<int64_t>(down);
  if (mode == "ceil") return static_cast<int64_t>(std::ceil(at));
  const bool up = mode == "round_prefer_ceil" ? at - down >= 0.5 : at - down > 0.5;
  return static_cast<int64_t>(down) + (up ? 1 : 0);
}

// The weight of an element at this distance, in elements.
double WeightAt(const TapOptions& options, double distance) {
  const double d = std::abs(distance), a = options.cubic_a;
  if (options.mode == "linear") return std::max(0.0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0;
}

ValueId Along(OnnxNode& node, size_t rank, int64_t axis, Tensor row) {
  Shape shape(rank, 1);
  shape[static_cast<size_t>(axis)] = row.count();
  return node.EmitConstant(row.Reshaped(std::move(shape)));
}

}  // namespace

Result<Taps> MakeTaps(const TapOptions& options, const TapAxis& axis) {
  const bool nearest = options.mode == "nearest";
  // Antialiasing widens the filter where the result is smaller.
  const double widen = options.antialias ? 1 / std::min(axis.scale, 1.0) : 1;
  const double reach = (options.mode == "linear" ? 1 : 2) * widen;
  const int64_t first = nearest ? 0 : static_cast<int64_t>(std::floor(-reach)) + 1;
  const int64_t count = nearest ? 1 : 2 - 2 * first;
  if (count > kMostTaps) {
    return Fail(ErrorCode::kUnsupported,
                "each element is a sum of {} along axis {}, Whet supports up to {}", count,
                axis.axis, kMostTaps);
  }
  Taps taps;
  taps.indices.assign(static_cast<size_t>(count), std::vector<int64_t>(axis.out));
  taps.weights.assign(static_cast<size_t>(count), std::vector<float>(axis.out));
  for (int64_t o = 0; o < axis.out; ++o) {
    const double at = PositionOf(options, axis, o);
    taps.inside.push_back(at >= 0 && at <= static_cast<double>(axis.in - 1));
    const int64_t base =
        nearest ? NearestTo(options.nearest_mode, at) : static_cast<int64_t>(std::floor(at));
    std::vector<double> weights(static_cast<size_t>(count), 1);
    for (int64_t t = 0; t < count && !nearest; ++t) {
      const int64_t index = base + first + t;
      weights[t] = WeightAt(options, (static_cast<double>(index) - at) / widen);
      if (options.exclude_outside && (index < 0 || index >= axis.in)) weights[t] = 0;
    }
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const bool scaled = !nearest && (options.antialias || options.exclude_outside) && sum != 0;
    for (int64_t t = 0; t < count; ++t) {
      taps.indices[t][o] = std::clamp<int64_t>(base + first + t, 0, axis.in - 1);
      taps.weights[t][o] = static_cast<float>(scaled ? weights[t] / sum : weights[t]);
    }
  }
  return taps;
}

Result<ValueId> EmitTaps(OnnxNode& node, ValueId x, const TapOptions& options,
                         const std::vector<TapAxis>& axes, float outside) {
  const size_t rank = node.ShapeOf(x).size();
  std::vector<std::pair<int64_t, std::vector<bool>>> partly;
  for (const TapAxis& axis : axes) {
    ASSIGN_OR_RETURN(const Taps taps, MakeTaps(options, axis));
    ValueId sum = kNoValue;
    for (size_t t = 0; t < taps.indices.size(); ++t) {
      const ValueId indices = node.EmitConstant(Tensor::Int64({axis.out}, taps.indices[t]));
      ASSIGN_OR_RETURN(ValueId term, node.Emit("Gather", {x, indices}, {{"axis", axis.axis}}));
      if (options.mode != "nearest") {
        const ValueId weights =
            Along(node, rank, axis.axis, Tensor::Float({axis.out}, taps.weights[t]));
        ASSIGN_OR_RETURN(term, node.Emit("Mul", {term, weights}));
      }
      if (sum == kNoValue) {
        sum = term;
      } else {
        ASSIGN_OR_RETURN(sum, node.Emit("Add", {sum, term}));
      }
    }
    x = sum;
    if (std::find(taps.inside.begin(), taps.inside.end(), false) != taps.inside.end())
      partly.emplace_back(axis.axis, taps.inside);
  }
  if (options.coordinates != "tf_crop_and_resize") return x;
  for (const auto& [axis, inside] : partly) {
    Tensor mask(TensorType{DataType::kBool, {static_cast<int64_t>(inside.size())}});
    for (size_t i = 0; i < inside.size(); ++i) mask.data<uint8_t>()[i] = inside[i];
    const ValueId condition = Along(node, rank, axis, std::move(mask));
    const ValueId other = node.EmitConstant(Tensor::Float({}, {outside}));
    ASSIGN_OR_RETURN(x, node.Emit("Where", {condition, x, other}));
  }
  return x;
}

}  // namespace whet
