#include "schedules/operators/halide_exp.h"

#include <utility>

namespace whet {
namespace {

using Halide::Expr;

constexpr float kLowest = -87.0f, kHighest = 88.0f;
constexpr float kLog2OfE = 1.44269504f, kLn2 = 0.693147181f;

// e^x = 2^n e^r with r = x - n ln 2, for an integer n next to x / ln 2. (Compiled to a fused
// multiply-add, n ln 2 is as exact as ln 2, whose error of 1.9e-9 comes in |n| times.)
Expr ExpAround(const Expr& x, const Expr& n) {
  const Expr r = x - Halide::cast<float>(n) * kLn2;
  // The polynomial of least relative error on |r| <= ln 2 / 2 among those that are 1 at 0: 9.2e-8.
  Expr p = 8.290272206e-3f;
  for (float c : {4.189816117e-2f, 1.666763872e-1f, 4.999914765e-1f, 9.999997020e-1f, 1.0f})
    p = p * r + c;
  // Times 2^n, in the exponent's bits: p is in [0.7, 1.5] and n in [-126, 127].
  return Halide::reinterpret<float>(Halide::reinterpret<int32_t>(p) + (n << 23));
}

}  // namespace

Expr BoundedExp(Expr x) {
  x = Halide::clamp(std::move(x), kLowest, kHighest);
  // A conversion that cuts off rounds what is positive.
  return ExpAround(x, Halide::cast<int32_t>(x * kLog2OfE + 128.5f) - 128);
}

Expr ExpOfNonPositive(Expr x) {
  x = Halide::max(std::move(x), kLowest);
  return ExpAround(x, Halide::cast<int32_t>(x * kLog2OfE - 0.5f));
}

}  // namespace whet
