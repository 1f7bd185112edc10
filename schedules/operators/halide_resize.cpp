// Resize, with the indices of resize.h: divisions of whole numbers, which schedules can bound.
#include "schedules/operators/halide_operators.h"
#include "schedules/operators/resize.h"

namespace whet {

using Halide::Expr;

namespace {

Expr Numerator(const RoundedDown& f, const Expr& o) {
  Expr e = o;
  if (f.factor != 1) e = e * static_cast<int>(f.factor);
  if (f.offset != 0) e = e + static_cast<int>(f.offset);
  return e;
}

Expr Floor(const RoundedDown& f, const Expr& o) {
  const Expr e = Numerator(f, o);
  return f.divisor == 1 ? e : e / static_cast<int>(f.divisor);
}

// Element `at` + `step` of the input, clamped to it where an output of the axis needs that.
Expr Inside(const ResizeAxis& axis, const Expr& at, int step) {
  const Expr e = step == 0 ? at : at + step;
  const bool inside =
      axis.position.At(0) + step >= 0 && axis.position.At(axis.out - 1) + step < axis.in;
  return inside ? e : Halide::clamp(e, 0, static_cast<int>(axis.in - 1));
}

// Between two elements, weighted by nearness. At the first the second does not count, even where it
// is an infinity or NaN.
Expr Interpolated(const ResizeAxis& axis, const Expr& o, const Expr& first, const Expr& second) {
  const RoundedDown& f = axis.position;
  const int divisor = static_cast<int>(f.divisor);
  const Expr way = Numerator(f, o) % divisor;
  const auto weight = [&](const Expr& parts) {
    return Halide::cast<float>(parts) * (1.0f / static_cast<float>(divisor));
  };
  return Halide::select(way == 0, first, first * weight(divisor - way) + second * weight(way));
}

bool Interpolates(const ResizeShape& shape, const ResizeAxis& axis) {
  return shape.linear && axis.position.divisor > 1;
}

}  // namespace

TensorReader HalideResize(AlgorithmBuilder& builder, const HalideNode& n) {
  const ImageAxes axes = AxesOf(n.node.attributes);
  const auto read = ReadResize(n.node.attributes, n.inputs[0].type.shape);
  if (!read) throw Halide::CompileError(read.error().message.c_str());
  const ResizeShape shape = *read;
  return builder.Pure("resize", n.output, [&](const Exprs& index) -> Expr {
    const Expr y = Floor(shape.height.position, index[axes.y]),
               x = Floor(shape.width.position, index[axes.x]);
    const auto element = [&](int down, int right) {
      Exprs at = index;
      at[axes.y] = Inside(shape.height, y, down);
      at[axes.x] = Inside(shape.width, x, right);
      return n.inputs[0](at);
    };
    const auto row = [&](int down) -> Expr {
      if (!Interpolates(shape, shape.width)) return element(down, 0);
      return Interpolated(shape.width, index[axes.x], element(down, 0), element(down, 1));
    };
    if (!Interpolates(shape, shape.height)) return row(0);
    return Interpolated(shape.height, index[axes.y], row(0), row(1));
  });
}

}  // namespace whet
