// Conv, in two spatial dimensions:
//
//   y[n, o, i, j] = b[o] + sum over (c, p, q) of
//       w[o, c, p, q] * x[n, g * C + c, i * sh + p * dh - top, j * sw + q * dw - left]
//
// with C = channels / group and g the group that o is in; x is zero outside.
#include "schedules/operators/checks.h"
#include "schedules/operators/packed_columns.h"

namespace whet {
namespace {

Result<WindowShape> ConvWindow(const Attributes& attributes, const Shape& x, const Shape& w,
                               const SpatialAxes& axes) {
  return InferWindow(attributes, w[2], w[3], x[axes.height], x[axes.width], false);
}

Result<TensorType> InferConv(const Attributes& attributes, Types inputs) {
  const TensorType &x = *inputs[0], &w = *inputs[1];
  RETURN_IF_ERROR(CheckFloat("x", x));
  RETURN_IF_ERROR(CheckFloat("w", w));
  RETURN_IF_ERROR(CheckRank("x", x, 4));
  RETURN_IF_ERROR(CheckRank("w", w, 4));
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(int64_t group, IntAttribute(attributes, "group", 1, 1, kMaxWindowValue));
  const int64_t channels = x.shape[axes.channel], features = w.shape[0];
  if (channels < 1 || features < 1 || channels % group != 0 || features % group != 0)
    return Fail(ErrorCode::kInvalidInput,
                "group is {} and should divide x's {} channels and w's {} outputs", group, channels,
                features);
  if (w.shape[1] != channels / group)
    return Fail(ErrorCode::kInvalidInput,
                "w has the shape {} and should have {} in its second dimension: x's {} channels in "
                "{} group{}",
                ToString(w.shape), channels / group, channels, group, group == 1 ? "" : "s");
  if (inputs.size() > 2 && inputs[2]) {
    RETURN_IF_ERROR(CheckFloat("b", *inputs[2]));
    if (inputs[2]->shape != Shape{features})
      return Fail(ErrorCode::kInvalidInput,
                  "b has the shape {} and should have {}: one bias an output channel",
                  ToString(inputs[2]->shape), features);
  }
  ASSIGN_OR_RETURN(const WindowShape window, ConvWindow(attributes, x.shape, w.shape, axes));
  TensorType y{DataType::kFloat32, Shape(4)};
  y.shape[0] = x.shape[0];
  y.shape[axes.channel] = features;
  y.shape[axes.height] = window.out[0];
  y.shape[axes.width] = window.out[1];
  return y;
}

// Strides in elements of a 4-D tensor, by the role of the dimension.
struct ImageStrides {
  int64_t batch, channel, height, width;
  ImageStrides(const Shape& shape, const SpatialAxes& axes) {
    int64_t strides[4] = {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1};
    batch = strides[0], channel = strides[axes.channel], height = strides[axes.height],
    width = strides[axes.width];
  }
};

// The inputs under the window at output (i, j), as [c, p, q]: the order of w.
void GatherWindow(const float* group_input, const ImageStrides& strides, const WindowShape& window,
                  int64_t channels, int64_t i, int64_t j, float* row) {
  const int64_t taps = window.kernel[0] * window.kernel[1];
  for (int64_t p = 0; p < window.kernel[0]; ++p) {
    const int64_t y = i * window.strides[0] + p * window.dilations[0] - window.pads[0];
    for (int64_t q = 0; q < window.kernel[1]; ++q) {
      const int64_t x = j * window.strides[1] + q * window.dilations[1] - window.pads[1];
      const bool inside = y >= 0 && y < window.in[0] && x >= 0 && x < window.in[1];
      const float* from = inside ? group_input + y * strides.height + x * strides.width : nullptr;
      float* to = row + p * window.kernel[1] + q;
      for (int64_t c = 0; c < channels; ++c)
        to[c * taps] = inside ? from[c * strides.channel] : 0.0f;
    }
  }
}

Status ComputeConv(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape &x = inputs[0]->shape(), &w = inputs[1]->shape();
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(const WindowShape window, ConvWindow(attributes, x, w, axes));
  const int64_t group = attributes.Int("group", 1);
  const int64_t channels = w[1], features = w[0] / group, depth = w[1] * w[2] * w[3];
  const ImageStrides in(x, axes), out(output.shape(), axes);
  const float* bias = inputs.size() > 2 && inputs[2] ? inputs[2]->data<float>() : nullptr;

  std::vector<float> rows(static_cast<size_t>(PackedColumns::kRows * depth));
  std::vector<double> sums(static_cast<size_t>(PackedColumns::kRows * features));
  const float* row_pointers[PackedColumns::kRows];
  for (int r = 0; r < PackedColumns::kRows; ++r) row_pointers[r] = rows.data() + r * depth;

  for (int64_t g = 0; g < group; ++g) {
    const PackedColumns weights(inputs[1]->data<float>() + g * features * depth, depth, features, 1,
                                depth);
    for (int64_t n = 0; n < x[0]; ++n) {
      const float* group_input =
          inputs[0]->data<float>() + n * in.batch + g * channels * in.channel;
      float* group_output = output.data<float>() + n * out.batch + g * features * out.channel;
      for (int64_t i = 0; i < window.out[0]; ++i) {
        for (int64_t j = 0; j < window.out[1]; j += PackedColumns::kRows) {
          const int count =
              static_cast<int>(std::min<int64_t>(PackedColumns::kRows, window.out[1] - j));
          for (int r = 0; r < count; ++r)
            GatherWindow(group_input, in, window, channels, i, j + r, rows.data() + r * depth);
          weights.Multiply(row_pointers, count, sums.data());
          for (int r = 0; r < count; ++r) {
            float* pixel = group_output + i * out.height + (j + r) * out.width;
            for (int64_t o = 0; o < features; ++o) {
              const double sum = sums[r * features + o] + (bias ? bias[g * features + o] : 0.0);
              pixel[o * out.channel] = static_cast<float>(sum);
            }
          }
        }
      }
    }
  }
  return {};
}

double ConvFlops(const Attributes&, Types inputs, const TensorType& output) {
  const Shape& w = inputs[1]->shape;
  return 2.0 * static_cast<double>(ElementCount(output.shape)) *
         static_cast<double>(w[1] * w[2] * w[3]);
}

int64_t SumLength(const Attributes&, const Shape& w) {
  return w.empty() ? 0 : ElementCount(Shape(w.begin() + 1, w.end()));
}

}  // namespace

const std::vector<OperatorDef>& ConvOperators() {
  static const std::vector<OperatorDef> rows = [] {
    std::vector<AttributeDef> attributes = WindowAttributes();
    attributes.push_back({"group", AttributeKind::kInt, int64_t{1}});
    return std::vector<OperatorDef>{Row<&InferConv, &ComputeConv, &ConvFlops, 2, 3>(
        "Conv", OperatorClass::kReduction, {{"x"}, {"w", true, {}, &SumLength}, {"b", true}},
        attributes)};
  }();
  return rows;
}

}  // namespace whet
