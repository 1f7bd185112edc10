// Arithmetic as IEEE 754 defines it, one operation at a time.
//
// Halide lets LLVM take floating-point arithmetic for that of real numbers: there is no NaN, no
// infinity and one zero, sums may be reordered, a product and a sum fuse. Sums and products of
// contractions need the latter two and keep that freedom; what a user sees of one operator does
// not. Each function here is exactly its operation (Halide's strict intrinsics): a NaN, an infinity
// and the sign of zero come out as docs/numerics.md says, and nothing fuses into it. An operand may
// be an ordinary expression, whose own arithmetic stays as it is. Integers wrap around.
#pragma once

#include <Halide.h>

namespace whet {

Halide::Expr IeeeAdd(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr IeeeSub(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr IeeeMul(const Halide::Expr& a, const Halide::Expr& b);
// Integers round towards zero, the lowest divided by -1 is itself, and x / 0 is 0.
Halide::Expr IeeeDiv(const Halide::Expr& a, const Halide::Expr& b);
// x * factor of f32. With a factor of 0 LLVM would know the product of what it takes for finite.
Halide::Expr IeeeScaled(const Halide::Expr& x, float factor);
Halide::Expr IeeeNeg(const Halide::Expr& x);  // of floats: flips the sign, of a zero too

// Of a NaN and anything, none holds.
Halide::Expr IeeeEqual(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr IeeeLess(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr IeeeLessOrEqual(const Halide::Expr& a, const Halide::Expr& b);

// max(x, bound) and min(x, bound) for a bound that is no NaN: a NaN in x stays. One instruction.
Halide::Expr AtLeast(const Halide::Expr& x, float bound);
Halide::Expr AtMost(const Halide::Expr& x, float bound);
// Maximum and minimum that are NaN if either operand is, in three instructions.
Halide::Expr MaxOrNan(const Halide::Expr& a, const Halide::Expr& b);
Halide::Expr MinOrNan(const Halide::Expr& a, const Halide::Expr& b);

// Turns f = max(f, x) in the update of a reduction into MaxOrNan(x, f), and a minimum likewise.
void SpreadNans(Halide::Func reduction);

}  // namespace whet
