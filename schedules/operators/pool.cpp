// MaxPool, AveragePool and GlobalAveragePool over 4-D tensors.
//
//   MaxPool:     y[n, c, i, j] = max over taps of the window that are inside x; NaN if one is
//   AveragePool: the mean over them; with count_include_pad, padding counts as zeros, but not what
//   hangs over
//                the padded end with ceil_mode
#include <algorithm>
#include <limits>

#include "schedules/operators/checks.h"

namespace whet {
namespace {

Result<WindowShape> PoolWindow(const Attributes& attributes, const Shape& x,
                               const SpatialAxes& axes) {
  ASSIGN_OR_RETURN(auto kernel, IntsAttribute(attributes, "kernel_shape", 2, 1, kMaxWindowValue));
  ASSIGN_OR_RETURN(int64_t ceil_mode, IntAttribute(attributes, "ceil_mode", 0, 0, 1));
  ASSIGN_OR_RETURN(
      const WindowShape window,
      InferWindow(attributes, kernel[0], kernel[1], x[axes.height], x[axes.width], ceil_mode != 0));
  for (int d = 0; d < 4; ++d)
    if (window.pads[d] >= window.Extent(d % 2))
      return Fail(ErrorCode::kInvalidInput,
                  "attribute pads has the value {}, and values should be smaller than the window's "
                  "extent of {}",
                  window.pads[d], window.Extent(d % 2));
  return window;
}

Result<TensorType> ImageOf(const TensorType& x, const SpatialAxes& axes, int64_t height,
                           int64_t width) {
  TensorType y = x;
  y.shape[axes.height] = height;
  y.shape[axes.width] = width;
  return y;
}

Result<TensorType> InferPool(const Attributes& attributes, Types inputs) {
  const TensorType& x = *inputs[0];
  RETURN_IF_ERROR(CheckFloat("x", x));
  RETURN_IF_ERROR(CheckRank("x", x, 4));
  RETURN_IF_ERROR(IntAttribute(attributes, "count_include_pad", 0, 0, 1));
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(const WindowShape window, PoolWindow(attributes, x.shape, axes));
  return ImageOf(x, axes, window.out[0], window.out[1]);
}

Result<TensorType> InferGlobalPool(const Attributes& attributes, Types inputs) {
  const TensorType& x = *inputs[0];
  RETURN_IF_ERROR(CheckFloat("x", x));
  RETURN_IF_ERROR(CheckRank("x", x, 4));
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  if (x.shape[axes.height] < 1 || x.shape[axes.width] < 1)
    return Fail(ErrorCode::kInvalidInput, "x has the shape {} and nothing to average",
                ToString(x.shape));
  return ImageOf(x, axes, 1, 1);
}

// Calls visit(n, c, image, image_stride_h, image_stride_w, out) for each plane of x and y.
template <typename Visit>
void ForEachPlane(const Tensor& x, Tensor& y, const SpatialAxes& axes, Visit visit) {
  auto stride = [](const Shape& shape, size_t dim) {
    int64_t product = 1;
    for (size_t d = dim + 1; d < shape.size(); ++d) product *= shape[d];
    return product;
  };
  const Shape &in = x.shape(), &out = y.shape();
  for (int64_t n = 0; n < in[0]; ++n)
    for (int64_t c = 0; c < in[axes.channel]; ++c)
      visit(x.data<float>() + n * stride(in, 0) + c * stride(in, axes.channel),
            stride(in, axes.height), stride(in, axes.width),
            y.data<float>() + n * stride(out, 0) + c * stride(out, axes.channel),
            stride(out, axes.height), stride(out, axes.width));
}

template <bool kMax>
Status ComputePool(const Attributes& attributes, Tensors inputs, Tensor& output) {
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  ASSIGN_OR_RETURN(const WindowShape window, PoolWindow(attributes, inputs[0]->shape(), axes));
  const bool include_pad = attributes.Int("count_include_pad", 0) != 0;
  // Taps of the window at `origin` in dimension d, as [first, last): those inside the input.
  auto taps = [&](int d, int64_t origin, int64_t low, int64_t high) {
    int64_t first = 0, last = window.kernel[d];
    while (first < last && origin + first * window.dilations[d] < low) ++first;
    while (last > first && origin + (last - 1) * window.dilations[d] >= high) --last;
    return std::pair(first, last);
  };
  ForEachPlane(
      *inputs[0], output, axes,
      [&](const float* x, int64_t xh, int64_t xw, float* y, int64_t yh, int64_t yw) {
        for (int64_t i = 0; i < window.out[0]; ++i) {
          const int64_t top = i * window.strides[0] - window.pads[0];
          const auto [p0, p1] = taps(0, top, 0, window.in[0]);
          for (int64_t j = 0; j < window.out[1]; ++j) {
            const int64_t left = j * window.strides[1] - window.pads[1];
            const auto [q0, q1] = taps(1, left, 0, window.in[1]);
            float largest = -std::numeric_limits<float>::infinity();
            double sum = 0;
            for (int64_t p = p0; p < p1; ++p) {
              for (int64_t q = q0; q < q1; ++q) {
                const float value =
                    x[(top + p * window.dilations[0]) * xh + (left + q * window.dilations[1]) * xw];
                if (kMax)
                  largest = value != value ? value : std::max(largest, value);
                else
                  sum += value;
              }
            }
            int64_t count = (p1 - p0) * (q1 - q0);
            if (include_pad) {
              const auto [r0, r1] = taps(0, top, -window.pads[0], window.in[0] + window.pads[2]);
              const auto [c0, c1] = taps(1, left, -window.pads[1], window.in[1] + window.pads[3]);
              count = (r1 - r0) * (c1 - c0);
            }
            y[i * yh + j * yw] =
                kMax ? largest
                     : static_cast<float>(sum / static_cast<double>(std::max<int64_t>(count, 1)));
          }
        }
      });
  return {};
}

Status ComputeGlobalPool(const Attributes& attributes, Tensors inputs, Tensor& output) {
  ASSIGN_OR_RETURN(const SpatialAxes axes, LayoutAttribute(attributes));
  const int64_t height = inputs[0]->shape()[axes.height], width = inputs[0]->shape()[axes.width];
  ForEachPlane(
      *inputs[0], output, axes,
      [&](const float* x, int64_t xh, int64_t xw, float* y, int64_t, int64_t) {
        double sum = 0;
        for (int64_t i = 0; i < height; ++i)
          for (int64_t j = 0; j < width; ++j) sum += x[i * xh + j * xw];
        *y = static_cast<float>(sum / (static_cast<double>(height) * static_cast<double>(width)));
      });
  return {};
}

double PoolFlops(const Attributes& attributes, Types, const TensorType& output) {
  const std::vector<int64_t> kernel = attributes.Ints("kernel_shape", {1, 1});
  return static_cast<double>(ElementCount(output.shape)) *
         static_cast<double>(kernel[0] * kernel[1]);
}

double GlobalPoolFlops(const Attributes&, Types inputs, const TensorType& output) {
  return static_cast<double>(ElementCount(inputs[0]->shape) + ElementCount(output.shape));
}

std::vector<int64_t> MixesPlanes(const Attributes& attributes, const Shape&) {
  return attributes.String("layout", "NCHW") == "NHWC" ? std::vector<int64_t>{1, 2}
                                                       : std::vector<int64_t>{2, 3};
}

}  // namespace

const std::vector<OperatorDef>& PoolOperators() {
  static const std::vector<OperatorDef> rows = [] {
    std::vector<AttributeDef> max = WindowAttributes();
    max.insert(max.begin(), {"kernel_shape", AttributeKind::kInts});
    max.push_back({"ceil_mode", AttributeKind::kInt, int64_t{0}});
    std::vector<AttributeDef> average = max;
    average.push_back({"count_include_pad", AttributeKind::kInt, int64_t{0}});
    return std::vector<OperatorDef>{
        Exact(Row<&InferPool, &ComputePool<true>, &PoolFlops, 1, 1>(
            "MaxPool", OperatorClass::kReduction, {{"x"}}, max, &MixesPlanes)),
        Row<&InferPool, &ComputePool<false>, &PoolFlops, 1, 1>(
            "AveragePool", OperatorClass::kReduction, {{"x"}}, average, &MixesPlanes),
        Row<&InferGlobalPool, &ComputeGlobalPool, &GlobalPoolFlops, 1, 1>(
            "GlobalAveragePool", OperatorClass::kReduction, {{"x"}},
            {{"layout", AttributeKind::kString, std::string("NCHW")}}, &MixesPlanes),
    };
  }();
  return rows;
}

}  // namespace whet
