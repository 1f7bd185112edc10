// ConvTranspose, in two spatial dimensions: each element of x is spread by the filter,
//
//   y[n, o, i, j] = b[o] + sum over (c, u, p, v, q) with u * sh + p * dh - top = i and
//       v * sw + q * dw - left = j of w[c, o, p, q] * x[n, c, u, v]
//
// with c over the channels of o's group, and o counted from that group's first output.
#include "schedules/operators/checks.h"
#include "schedules/operators/strided.h"

namespace whet {
namespace {

// Extents of y: as far as the filter reaches, less the pads, more `output_padding` at the end.
struct Spread {
  int64_t strides[2], dilations[2], pads[4], out[2];
};

Result<Spread> ReadSpread(const Attributes& attributes, const Shape& x, const Shape& w,
                          const SpatialAxes& axes) {
  ASSIGN_OR_RETURN(const auto strides,
                   IntsAttribute(attributes, "strides", 2, 1, kMaxWindowValue, {1, 1}));
  ASSIGN_OR_RETURN(const auto dilations,
                   IntsAttribute(attributes, "dilations", 2, 1, kMaxWindowValue, {1, 1}));
  ASSIGN_OR_RETURN(const auto pads,
                   IntsAttribute(attributes, "pads", 4, 0, kMaxWindowValue, {0, 0, 0, 0}));
  ASSIGN_OR_RETURN(const auto more,
                   IntsAttribute(attributes, "output_padding", 2, 0, kMaxWindowValue, {0, 0}));
  const int64_t in[2] = {x[axes.height], x[axes.width]};
  Spread spread{};
  std::copy(pads.begin(), pads.end(), spread.pads);
  for (int d = 0; d < 2; ++d) {
    const int64_t kernel = w[2 + d];
    if (in[d] < 1 || kernel < 1 || in[d] > (int64_t{1} << 31) || kernel > kMaxWindowValue)
      return Fail(ErrorCode::kInvalidInput, "a filter of {}x{} does not fit an image of {}x{}",
                  w[2], w[3], in[0], in[1]);
    spread.strides[d] = strides[d];
    spread.dilations[d] = dilations[d];
    spread.out[d] = (in[d] - 1) * strides[d] + (kernel - 1) * dilations[d] + 1 + more[d] - pads[d] -
                    pads[d + 2];
    if (spread.out[d] < 1)
      return Fail(ErrorCode::kInvalidInput, "attribute pads takes away all {} of the output",
                  d == 0 ? "rows" : "columns");
  }
  return spread;
}

Result<TensorType> InferConvTranspose(const Attributes& attributes, Types inputs) {
  const TensorType &x = *inputs[0], &w = *inputs[1];
  RETURN_IF_ERROR(CheckFloat("x", x));
  RETURN_IF_ERROR(CheckFloat("w", w));
  RETURN_IF_ERROR(CheckRank("x", x, 4));
  RETURN_IF_ERROR(CheckRank("w", w, 4));
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(int64_t group, IntAttribute(attributes, "group", 1, 1, kMaxWindowValue));
  const int64_t channels = x.shape[axes.channel];
  if (channels < 1 || channels % group != 0 || w.shape[1] < 1)
    return Fail(ErrorCode::kInvalidInput, "group is {} and should divide x's {} channels", group,
                channels);
  if (w.shape[0] != channels)
    return Fail(ErrorCode::kInvalidInput,
                "w has the shape {} and should have {} in its first dimension: x's channels",
                ToString(w.shape), channels);
  TensorType y{DataType::kFloat32, Shape(4)};
  if (__builtin_mul_overflow(w.shape[1], group, &y.shape[axes.channel]))
    return Fail(ErrorCode::kInvalidInput, "w has too many outputs");
  const int64_t features = y.shape[axes.channel];
  if (inputs.size() > 2 && inputs[2]) {
    RETURN_IF_ERROR(CheckFloat("b", *inputs[2]));
    if (inputs[2]->shape != Shape{features})
      return Fail(ErrorCode::kInvalidInput,
                  "b has the shape {} and should have {}: one bias an output channel",
                  ToString(inputs[2]->shape), features);
  }
  ASSIGN_OR_RETURN(const Spread spread, ReadSpread(attributes, x.shape, w.shape, axes));
  y.shape[0] = x.shape[0];
  y.shape[axes.height] = spread.out[0];
  y.shape[axes.width] = spread.out[1];
  return y;
}

Status ComputeConvTranspose(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape &x = inputs[0]->shape(), &w = inputs[1]->shape(), &y = output.shape();
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(const Spread spread, ReadSpread(attributes, x, w, axes));
  const int64_t group = attributes.Int("group", 1);
  const int64_t channels = x[axes.channel] / group, features = w[1], taps = w[2] * w[3];
  const std::vector<int64_t> in = RowMajorStrides(x), out = RowMajorStrides(y);
  const float* bias = inputs.size() > 2 && inputs[2] ? inputs[2]->data<float>() : nullptr;
  std::vector<double> sums(static_cast<size_t>(features));
  for (int64_t n = 0; n < x[0]; ++n) {
    for (int64_t g = 0; g < group; ++g) {
      for (int64_t i = 0; i < spread.out[0]; ++i) {
        for (int64_t j = 0; j < spread.out[1]; ++j) {
          for (int64_t o = 0; o < features; ++o) sums[o] = bias ? bias[g * features + o] : 0;
          for (int64_t p = 0; p < w[2]; ++p) {
            const int64_t u = i + spread.pads[0] - p * spread.dilations[0];
            if (u < 0 || u % spread.strides[0] != 0 || u / spread.strides[0] >= x[axes.height])
              continue;
            for (int64_t q = 0; q < w[3]; ++q) {
              const int64_t v = j + spread.pads[1] - q * spread.dilations[1];
              if (v < 0 || v % spread.strides[1] != 0 || v / spread.strides[1] >= x[axes.width])
                continue;
              const float* pixel = inputs[0]->data<float>() + n * in[0] +
                                   u / spread.strides[0] * in[axes.height] +
                                   v / spread.strides[1] * in[axes.width];
              for (int64_t c = g * channels; c < (g + 1) * channels; ++c) {
                const double value = pixel[c * in[axes.channel]];
                const float* filter = inputs[1]->data<float>() + c * features * taps + p * w[3] + q;
                for (int64_t o = 0; o < features; ++o) sums[o] += value * filter[o * taps];
              }
            }
          }
          float* pixel = output.data<float>() + n * out[0] + i * out[axes.height] +
                         j * out[axes.width] + g * features * out[axes.channel];
          for (int64_t o = 0; o < features; ++o)
            pixel[o * out[axes.channel]] = static_cast<float>(sums[o]);
        }
      }
    }
  }
  return {};
}

// Each element of x meets each weight of its channel once; what the pads cut off counts.
double ConvTransposeFlops(const Attributes&, Types inputs, const TensorType&) {
  const Shape& w = inputs[1]->shape;
  return 2.0 * static_cast<double>(ElementCount(inputs[0]->shape)) *
         static_cast<double>(w[1] * w[2] * w[3]);
}

// Of one phase of the stride; group and stride make it shorter, which only makes results smaller.
int64_t SumLength(const Attributes&, const Shape& w) { return w.empty() ? 0 : w[0]; }

}  // namespace

const std::vector<OperatorDef>& ConvTransposeOperators() {
  static const std::vector<OperatorDef> rows = [] {
    std::vector<AttributeDef> attributes = WindowAttributes();
    attributes.push_back({"group", AttributeKind::kInt, int64_t{1}});
    attributes.push_back({"output_padding", AttributeKind::kInts, std::vector<int64_t>{0, 0}});
    return std::vector<OperatorDef>{
        Row<&InferConvTranspose, &ComputeConvTranspose, &ConvTransposeFlops, 2, 3>(
            "ConvTranspose", OperatorClass::kReduction,
            {{"x"}, {"w", true, {}, &SumLength}, {"b", true}}, attributes)};
  }();
  return rows;
}

}  // namespace whet
