// The exponential of fp32 values that are known to be finite and bounded, in fewer instructions
// than Halide's own, which covers all of fp32.
#pragma once

#include <Halide.h>

namespace whet {

// e^x for -87 <= x <= 88, relative error below 5e-7; outside, that of the nearer bound. Range
// reduction by ln 2 and the polynomial of Cephes's expf (Moshier, 1989).
Halide::Expr BoundedExp(Halide::Expr x);
// The same for x that is never above 0.
Halide::Expr ExpOfNonPositive(Halide::Expr x);

}  // namespace whet
