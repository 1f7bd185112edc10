// Conv, direct, and of a copy of the image in blocks of channels: y[n, y, x, o] = b[o] + sum over
// i, ky, kx of
//   x[n, y*sy + ky*dy - top, x*sx + kx*dx - left, i] * w[o, i, ky, kx], in either layout, with
//   groups.
#include "schedules/operators/copies.h"
#include "schedules/operators/halide_operators.h"

namespace whet {
namespace {

struct Taps {
  int sy, sx, dy, dx;  // strides, dilations
  int64_t ky, kx;
};

// The image in NHWC, copied so that neighbouring positions lie kCopyBlock channels apart. The
// result reads channel c of tap (ky, kx) at output position (n, y, x): its index is n, y, x, ky,
// kx, c / kCopyBlock, c % kCopyBlock.
std::function<Halide::Expr(const Exprs&)> CopyOfImage(AlgorithmBuilder& builder,
                                                      const TensorReader& image, const Taps& t,
                                                      const HalideNode& n) {
  constexpr int kBlock = static_cast<int>(kCopyBlock);
  const Shape& in = image.type.shape;
  if (n.algorithm == kBlocked) {
    const TensorReader blocks = builder.Pure(
        "blocks_pack", {image.type.dtype, {in[0], in[3] / kBlock, in[1], in[2], kBlock}},
        [&](const Exprs& at) {
          return image({at[0], at[2], at[3], at[1] * kBlock + at[4]});
        },
        {"c", "x", "y", "o", "n"});
    return [blocks, t](const Exprs& at) {
      return blocks(
          {at[0], at[5], at[1] * t.sy + at[3] * t.dy, at[2] * t.sx + at[4] * t.dx, at[6]});
    };
  }
  const Shape& out = n.output.shape;
  const TensorReader columns =
      builder.Pure("columns_pack",
                   {image.type.dtype, {out[0], out[1], in[3] / kBlock, t.ky, t.kx, out[2], kBlock}},
                   [&](const Exprs& at) {
                     return image({at[0], at[1] * t.sy + at[3] * t.dy, at[5] * t.sx + at[4] * t.dx,
                                   at[2] * kBlock + at[6]});
                   },
                   {"c", "x", "j", "i", "o", "y", "n"});
  return [columns](const Exprs& at) {
    return columns({at[0], at[1], at[5], at[3], at[4], at[2], at[6]});
  };
}

// As HalideConv, of a copy; `image` is padded.
TensorReader ConvOfCopy(AlgorithmBuilder& builder, const TensorReader& image, const Taps& taps,
                        const HalideNode& n) {
  const auto copy = CopyOfImage(builder, image, taps, n);
  std::vector<AlgorithmBuilder::ReductionLoop> loops;
  if (taps.kx > 1) loops.push_back({"kx", taps.kx});
  if (taps.ky > 1) loops.push_back({"ky", taps.ky});
  loops.push_back({"ic", image.type.shape[3] / kCopyBlock});
  loops.push_back({"ib", kCopyBlock});
  return builder.Reduce(
      "conv", n.output, loops,
      [&](const Exprs& index) -> Halide::Expr {
        return n.inputs.size() > 2 ? n.inputs[2]({index[3]}) : Halide::Expr(0.0f);
      },
      [&](Halide::Expr sum, const Exprs& index, const Exprs& r) -> Halide::Expr {
        const Halide::Expr kx = taps.kx > 1 ? r[0] : Halide::Expr(0);
        const Halide::Expr ky = taps.ky > 1 ? r[r.size() - 3] : Halide::Expr(0);
        const Halide::Expr block = r[r.size() - 2], within = r.back();
        return sum +
               copy({index[0], index[1], index[2], ky, kx, block, within}) *
                   n.inputs[1]({index[3], block * static_cast<int>(kCopyBlock) + within, ky, kx});
      },
      Combining::kSum);
}

}  // namespace

TensorReader HalideConv(AlgorithmBuilder& builder, const HalideNode& n) {
  const bool of_copy = n.algorithm == kBlocked || n.algorithm == kIm2col;
  if (!n.algorithm.empty() && !of_copy) return HalideWinogradConv(builder, n);
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

  if (of_copy) return ConvOfCopy(builder, image, {sy, sx, dy, dx, w[2], w[3]}, n);

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
      },
      Combining::kSum);
}

}  // namespace whet
