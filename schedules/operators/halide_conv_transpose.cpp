// ConvTranspose without multiplications by the zeros between the elements of x.
//
// Along an axis of stride s, outputs s * q + r of one phase r read the same taps of the filter,
// those that fall on elements of x: with r' = r + pad,
//
//   y[s q + r] = sum over j < ceil(k / s) of w[r' % s + s j] * x[q + r' / s - j]
//
// so that phases[n, r_y, r_x, q_y, q_x, o] is an ordinary convolution, with a filter of its own for
// each phase, and y puts the phases side by side. An axis with a dilation has one phase, and if it
// has a stride too, reads x with the zeros between its elements.
#include "schedules/operators/halide_operators.h"

namespace whet {
namespace {

using Halide::Expr;

struct Axis {
  int in, out, kernel, stride, dilation, pad;
  int phases() const { return dilation == 1 ? stride : 1; }
  int taps() const { return (kernel + phases() - 1) / phases(); }
  int positions() const { return (out + phases() - 1) / phases(); }
  // Elements of x lie so far apart in the image that is read.
  int zoom() const { return stride / phases(); }
  // The image's element 0 is element -top of x (with its zeros).
  int top() const { return (taps() - 1) * dilation - pad / phases(); }
  int extent() const {
    return positions() + (phases() - 1 + pad) / phases() - pad / phases() + (taps() - 1) * dilation;
  }
  // With tap j counted from the last one.
  Expr At(const Expr& q, const Expr& r, const Expr& j) const {
    Expr at = q + j * dilation;
    if (phases() > 1 && (phases() - 1 + pad) / phases() != pad / phases())
      at = at + ((r + pad) / phases() - pad / phases());
    return at;
  }
  Expr Tap(const Expr& r, const Expr& j) const {
    const Expr last = taps() - 1 - j;
    return phases() == 1 ? last : (r + pad) % phases() + last * phases();
  }
  bool HasShortPhases() const { return kernel % phases() != 0; }
};

// x between zeros, zoom - 1 of them between two elements, and as many around as the axes want.
TensorReader Zoomed(AlgorithmBuilder& builder, const TensorReader& x, ImageAxes axes,
                    const Axis& rows, const Axis& columns) {
  if (rows.zoom() == 1 && columns.zoom() == 1) {
    return PadImage(builder, x, axes, rows.top(), columns.top(), rows.extent(), columns.extent(),
                    0.0f);
  }
  TensorType type = x.type;
  type.shape[axes.y] = rows.extent();
  type.shape[axes.x] = columns.extent();
  return builder.Pure("pad", type, [&](const Exprs& index) -> Expr {
    Exprs at = index;
    Expr inside = Halide::Internal::const_true();
    const auto move = [&](int dim, const Axis& axis) {
      const Expr u = index[dim] - axis.top();
      inside = inside && u >= 0 && u < axis.in * axis.zoom() && u % axis.zoom() == 0;
      at[dim] = Halide::clamp(u / axis.zoom(), 0, axis.in - 1);
    };
    move(axes.y, rows);
    move(axes.x, columns);
    return Halide::select(inside, x(at), 0.0f);
  });
}

}  // namespace

TensorReader HalideConvTranspose(AlgorithmBuilder& builder, const HalideNode& n) {
  const Attributes& a = n.node.attributes;
  const ImageAxes axes = AxesOf(a);
  const Shape &x = n.inputs[0].type.shape, &w = n.inputs[1].type.shape, &y = n.output.shape;
  const std::vector<int64_t> strides = a.Ints("strides", {1, 1}),
                             dilations = a.Ints("dilations", {1, 1}),
                             pads = a.Ints("pads", {0, 0, 0, 0});
  const auto axis_of = [&](int dim, int d) {
    return Axis{static_cast<int>(x[dim]),       static_cast<int>(y[dim]),
                static_cast<int>(w[2 + d]),     static_cast<int>(strides[d]),
                static_cast<int>(dilations[d]), static_cast<int>(pads[d])};
  };
  const Axis rows = axis_of(axes.y, 0), columns = axis_of(axes.x, 1);
  const int group = static_cast<int>(a.Int("group", 1));
  const int channels_in = static_cast<int>(x[axes.c]) / group;
  const int channels_out = static_cast<int>(w[1]);
  const TensorReader image = Zoomed(builder, n.inputs[0], axes, rows, columns);

  std::vector<AlgorithmBuilder::ReductionLoop> loops;
  if (columns.taps() > 1) loops.push_back({"kx", columns.taps()});
  if (rows.taps() > 1) loops.push_back({"ky", rows.taps()});
  if (channels_in > 1 || loops.empty()) loops.push_back({"ic", channels_in});

  const auto init = [&](const Expr& oc) -> Expr {
    return n.inputs.size() > 2 ? n.inputs[2]({oc}) : Expr(0.0f);
  };
  // One term of the sum for position (qy, qx) of phase (ry, rx).
  const auto term = [&](const Exprs& position, const Expr& ry, const Expr& rx, const Exprs& r) {
    Expr kx = 0, ky = 0, ic = 0;
    for (size_t l = 0; l < loops.size(); ++l) {
      if (loops[l].name == "kx") kx = r[l];
      if (loops[l].name == "ky") ky = r[l];
      if (loops[l].name == "ic") ic = r[l];
    }
    const Expr oc = position[axes.c];
    if (group > 1) ic = (oc / channels_out) * channels_in + ic;
    Exprs at = position;
    at[axes.c] = ic;
    at[axes.y] = rows.At(position[axes.y], ry, ky);
    at[axes.x] = columns.At(position[axes.x], rx, kx);
    Expr tap_y = rows.Tap(ry, ky), tap_x = columns.Tap(rx, kx);
    Expr there = Halide::Internal::const_true();
    if (rows.HasShortPhases()) {
      there = there && tap_y < rows.kernel;
      tap_y = Halide::min(tap_y, rows.kernel - 1);
    }
    if (columns.HasShortPhases()) {
      there = there && tap_x < columns.kernel;
      tap_x = Halide::min(tap_x, columns.kernel - 1);
    }
    const Expr weight = n.inputs[1]({ic, group > 1 ? oc % channels_out : oc, tap_y, tap_x});
    if (!rows.HasShortPhases() && !columns.HasShortPhases()) return image(at) * weight;
    // Neither an infinite element nor an infinite weight has a part in a term that is not there.
    return Halide::select(there, image(at), 0.0f) * Halide::select(there, weight, 0.0f);
  };

  if (rows.phases() == 1 && columns.phases() == 1) {
    return builder.Reduce(
        "convtranspose", n.output, loops, [&](const Exprs& index) { return init(index[axes.c]); },
        [&](Expr sum, const Exprs& index, const Exprs& r) { return sum + term(index, 0, 0, r); });
  }
  // [n, r_y, r_x] and the image's dimensions in their order: the innermost ones are tiled.
  TensorType type = n.output;
  type.shape[axes.y] = rows.positions();
  type.shape[axes.x] = columns.positions();
  type.shape.insert(type.shape.begin() + 1, {rows.phases(), columns.phases()});
  const std::vector<std::string> dims =
      axes.c == 3 ? std::vector<std::string>{"c", "x", "y", "i", "j", "n"}
                  : std::vector<std::string>{"x", "y", "c", "i", "j", "n"};
  const auto position_of = [](const Exprs& at) {
    Exprs position = at;
    position.erase(position.begin() + 1, position.begin() + 3);
    return position;
  };
  const TensorReader sums = builder.Reduce(
      "phase", type, loops, [&](const Exprs& at) { return init(position_of(at)[axes.c]); },
      [&](Expr sum, const Exprs& at, const Exprs& r) {
        return sum + term(position_of(at), at[1], at[2], r);
      },
      Combining::kSum, dims);
  const TensorReader phases = builder.Pure(
      "phases", type, [&](const Exprs& at) { return sums(at); }, dims);
  return builder.Pure("convtranspose", n.output, [&](const Exprs& index) -> Expr {
    Exprs at = index;
    const Expr y_at = index[axes.y], x_at = index[axes.x];
    at[axes.y] = rows.phases() == 1 ? y_at : y_at / rows.phases();
    at[axes.x] = columns.phases() == 1 ? x_at : x_at / columns.phases();
    at.insert(at.begin() + 1, {rows.phases() == 1 ? Expr(0) : y_at % rows.phases(),
                               columns.phases() == 1 ? Expr(0) : x_at % columns.phases()});
    return phases(at);
  });
}

}  // namespace whet
