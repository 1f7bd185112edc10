// Conv, direct: y[n, y, x, o] = b[o] + sum over i, ky, kx of
//   x[n, y*sy + ky*dy - top, x*sx + kx*dx - left, i] * w[o, i, ky, kx], in either layout, with
//   groups.
#include "schedules/operators/halide_operators.h"

namespace whet {

TensorReader HalideConv(AlgorithmBuilder& builder, const HalideNode& n) {
  if (!n.algorithm.empty()) return HalideWinogradConv(builder, n);
  const Attributes& a = n.node.attributes;
  const ImageAxes axes = AxesOf(a);
  const Shape& x = n.inputs[0].type.shape;
  const Shape& w = n.inputs[1].type.shape;
  const std::vector<int64_t> strides = a.Ints("strides", {1, 1}),
                             dilations = a.Ints("dilations", {1, 1}),
                             pads = a.Ints("pads", {0, 0, 0, 0});
  const int64_t group = a.Int("group", 1);
  const int64_t channels_in = x[axes.c] / group, channels_out = w[0] / group;
  const int sy = static_cast<int>(strides[0]), sx = static_cast<int>(strides[1]);
  const int dy = static_cast<int>(dilations[0]), dx = static_cast<int>(dilations[1]);

  const TensorReader image =
      PadImage(builder, n.inputs[0], axes, pads[0], pads[1],
               (n.output.shape[axes.y] - 1) * sy + (w[2] - 1) * dy + 1,
               (n.output.shape[axes.x] - 1) * sx + (w[3] - 1) * dx + 1, 0.0f);

  // A loop of one iteration is left out: it would only be in the way of schedules.
  std::vector<AlgorithmBuilder::ReductionLoop> loops;
  if (w[3] > 1) loops.push_back({"kx", w[3]});
  if (w[2] > 1) loops.push_back({"ky", w[2]});
  if (channels_in > 1 || loops.empty()) loops.push_back({"ic", channels_in});

  return builder.Reduce(
      "conv", n.output, loops,
      [&](const Exprs& index) -> Halide::Expr {
        return n.inputs.size() > 2 ? n.inputs[2]({index[axes.c]}) : Halide::Expr(0.0f);
      },
      [&](Halide::Expr sum, const Exprs& index, const Exprs& r) -> Halide::Expr {
        Halide::Expr kx = 0, ky = 0, ic = 0;
        for (size_t l = 0; l < loops.size(); ++l) {
          if (loops[l].name == "kx") kx = r[l];
          if (loops[l].name == "ky") ky = r[l];
          if (loops[l].name == "ic") ic = r[l];
        }
        const Halide::Expr oc = index[axes.c];
        Exprs at = index;
        at[axes.y] = index[axes.y] * sy + ky * dy;
        at[axes.x] = index[axes.x] * sx + kx * dx;
        if (group == 1) {
          at[axes.c] = ic;
        } else if (channels_in == 1 && channels_out == 1) {
          at[axes.c] = oc;
        } else {
          at[axes.c] = (oc / static_cast<int>(channels_out)) * static_cast<int>(channels_in) + ic;
        }
        return sum + image(at) * n.inputs[1]({oc, ic, ky, kx});
      });
}

}  // namespace whet
