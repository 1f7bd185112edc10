// The exponential, the logarithm and powers of fp32 values.
//
// What is not a finite number goes where C's expf, logf and powf send it, and denormals count. The
// bounded exponentials are for what only needs the values between: fewer instructions.
#pragma once

#include <Halide.h>

namespace whet {

// e^x for -87.3 <= x <= 88, relative error below 5e-7: the smallest normal number below that,
// infinity from 89 on; NaN for NaN. Range reduction by ln 2 and the polynomial of Cephes's expf
// (Moshier, 1989).
Halide::Expr BoundedExp(const Halide::Expr& x);
// The same for x that is never above 0.
Halide::Expr ExpOfNonPositive(const Halide::Expr& x);

// e^x for all x, relative error below 5e-7, denormal results included.
Halide::Expr ExpOf(const Halide::Expr& x);
// The natural logarithm, relative error below 3e-7 (Cephes's logf).
Halide::Expr LogOf(const Halide::Expr& x);
// x to the power of y: e^(y ln |x|) and C's cases; relative error below 3e-7 (1 + |y ln |x||).
Halide::Expr PowOf(const Halide::Expr& x, const Halide::Expr& y);

}  // namespace whet
