#include "schedules/operators/halide_exp.h"

namespace whet {
namespace {

using Halide::Expr;

constexpr float kLowest = -87.0f, kHighest = 88.0f;

// x within the bounds.
Expr ExpWithinBounds(const Expr& x) {
  const Expr n = Halide::round(x * 1.44269504f);
  // ln 2 in two parts: the first has few bits, so that its multiples are exact.
  const Expr r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Expr q = 1.9875691500e-4f;
  for (float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    q = q * r + c;
  const Expr p = q * (r * r) + r + 1.0f;
  // Times 2^n, in the exponent's bits: p is in [0.7, 1.5] and n in [-126, 127].
  return Halide::reinterpret<float>(Halide::reinterpret<int32_t>(p) +
                                    (Halide::cast<int32_t>(n) << 23));
}

}  // namespace

Expr BoundedExp(Expr x) { return ExpWithinBounds(Halide::clamp(std::move(x), kLowest, kHighest)); }

Expr ExpOfNonPositive(Expr x) { return ExpWithinBounds(Halide::max(std::move(x), kLowest)); }

}  // namespace whet
