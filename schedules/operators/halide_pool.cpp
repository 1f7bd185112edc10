// MaxPool, AveragePool, GlobalAveragePool.
#include "schedules/operators/halide_operators.h"

namespace whet {
namespace {

using Halide::Expr;

struct Window {
  ImageAxes axes;
  std::vector<int64_t> kernel, strides, pads, dilations;
  std::vector<AlgorithmBuilder::ReductionLoop> loops;

  explicit Window(const HalideNode& n) : axes(AxesOf(n.node.attributes)) {
    const Attributes& a = n.node.attributes;
    kernel = a.Ints("kernel_shape");
    strides = a.Ints("strides", {1, 1});
    pads = a.Ints("pads", {0, 0, 0, 0});
    dilations = a.Ints("dilations", {1, 1});
    loops = {{"kx", kernel[1]}, {"ky", kernel[0]}};
  }
  TensorReader Padded(AlgorithmBuilder& builder, const HalideNode& n, const Expr& value) const {
    return PadImage(builder, n.inputs[0], axes, pads[0], pads[1],
                    (n.output.shape[axes.y] - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1,
                    (n.output.shape[axes.x] - 1) * strides[1] + (kernel[1] - 1) * dilations[1] + 1,
                    value);
  }
  Exprs At(const Exprs& index, const Exprs& r) const {
    Exprs at = index;
    at[axes.y] =
        index[axes.y] * static_cast<int>(strides[0]) + r[1] * static_cast<int>(dilations[0]);
    at[axes.x] =
        index[axes.x] * static_cast<int>(strides[1]) + r[0] * static_cast<int>(dilations[1]);
    return at;
  }
};

// How many taps of the window at output position `at` fall on [low, high) of an axis that starts at
// -pad.
Expr TapsInside(const Expr& at, int64_t stride, int64_t kernel, int64_t dilation, int64_t pad,
                int64_t low, int64_t high) {
  Expr count = 0;
  for (int64_t k = 0; k < kernel; ++k) {
    const Expr position = at * static_cast<int>(stride) + static_cast<int>(k * dilation - pad);
    count += Halide::select(position >= static_cast<int>(low) && position < static_cast<int>(high),
                            1, 0);
  }
  return count;
}

}  // namespace

TensorReader HalideMaxPool(AlgorithmBuilder& builder, const HalideNode& n) {
  const Window window(n);
  const Expr lowest = HalideType(n.output.dtype).min();
  const TensorReader image = window.Padded(builder, n, lowest);
  return builder.Reduce(
      "maxpool", n.output, window.loops, [&](const Exprs&) { return lowest; },
      [&](Expr best, const Exprs& index, const Exprs& r) {
        return Halide::max(best, image(window.At(index, r)));
      },
      Combining::kMax);
}

TensorReader HalideAveragePool(AlgorithmBuilder& builder, const HalideNode& n) {
  const Window window(n);
  const ImageAxes axes = window.axes;
  const TensorReader image = window.Padded(builder, n, 0.0f);
  const TensorReader sum = builder.Reduce(
      "poolsum", n.output, window.loops, [](const Exprs&) { return Expr(0.0f); },
      [&](Expr total, const Exprs& index, const Exprs& r) {
        return total + image(window.At(index, r));
      },
      Combining::kSum);
  const Shape& in = n.inputs[0].type.shape;
  const bool include_pad = n.node.attributes.Int("count_include_pad", 0) != 0;
  const auto fits = [&](int axis, int64_t begin_pad, int64_t end_pad, int d) {
    const int64_t last = (n.output.shape[axis] - 1) * window.strides[d] +
                         (window.kernel[d] - 1) * window.dilations[d] + 1 - begin_pad;
    return last <= in[axis] + (include_pad ? end_pad : 0) && (include_pad || begin_pad == 0);
  };
  const bool constant = fits(axes.y, window.pads[0], window.pads[2], 0) &&
                        fits(axes.x, window.pads[1], window.pads[3], 1);
  return builder.Pure("averagepool", n.output, [&](const Exprs& index) -> Expr {
    if (constant)
      return sum(index) * (1.0f / static_cast<float>(window.kernel[0] * window.kernel[1]));
    const auto taps = [&](int axis, int d) {
      const int64_t low = include_pad ? -window.pads[d] : 0;
      const int64_t high = in[axis] + (include_pad ? window.pads[d + 2] : 0);
      return TapsInside(index[axis], window.strides[d], window.kernel[d], window.dilations[d],
                        window.pads[d], low, high);
    };
    return sum(index) / Halide::cast<float>(Halide::max(taps(axes.y, 0) * taps(axes.x, 1), 1));
  });
}

TensorReader HalideGlobalAveragePool(AlgorithmBuilder& builder, const HalideNode& n) {
  const ImageAxes axes = AxesOf(n.node.attributes);
  const Shape& in = n.inputs[0].type.shape;
  const TensorReader sum = builder.Reduce(
      "poolsum", n.output, {{"rx", in[axes.x]}, {"ry", in[axes.y]}},
      [](const Exprs&) { return Expr(0.0f); },
      [&](Expr total, const Exprs& index, const Exprs& r) {
        Exprs at = index;
        at[axes.x] = r[0];
        at[axes.y] = r[1];
        return total + n.inputs[0](at);
      },
      Combining::kSum);
  const float scale = 1.0f / static_cast<float>(in[axes.x] * in[axes.y]);
  return builder.Pure("globalaveragepool", n.output,
                      [&](const Exprs& index) { return sum(index) * scale; });
}

}  // namespace whet
