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
  Expr q = 1.9875691500e-4f;
  for (float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    q = q * r + c;
  const Expr p = q * (r * r) + r + 1.0f;
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
