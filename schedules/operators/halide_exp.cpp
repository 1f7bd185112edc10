#include "schedules/operators/halide_exp.h"

#include <limits>

#include "schedules/operators/halide_ieee.h"

namespace whet {
namespace {

using Halide::Expr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLog2OfE = 1.44269504f, kLn2 = 0.693147181f;
// ln 2 in two parts: products of the first with small whole numbers are exact.
constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
// Between 2^23 and 2^24 floats are the whole numbers: adding this rounds, and leaves the whole
// number in the lowest bits.
constexpr float kRounder = 1.5f * (1 << 23);
constexpr int kExponentBits = 23, kExponentBias = 127;

Expr Bits(const Expr& x) { return Halide::reinterpret<uint32_t>(x); }
Expr FromBits(const Expr& bits) { return Halide::reinterpret<float>(bits); }
Expr U32(uint32_t number) { return Halide::Internal::make_const(Halide::UInt(32), number); }

// Of the bits: a comparison with infinity LLVM may decide by itself where the value comes straight
// out of a sum, whose result it takes for finite.
constexpr uint32_t kInfinityBits = 0x7f800000, kSignBit = 0x80000000;
Expr IsPositiveNumber(const Expr& x) { return Bits(x) - U32(1) < U32(kInfinityBits - 1); }
Expr IsInfinite(const Expr& x) { return (Bits(x) & U32(~kSignBit)) == U32(kInfinityBits); }
Expr IsMinusInfinity(const Expr& x) { return Bits(x) == U32(kInfinityBits | kSignBit); }

// e^r for |r| <= ln 2 / 2: the polynomial of least relative error among those that are 1 at 0:
// 9.2e-8.
Expr ExpNearZero(const Expr& r) {
  Expr p = 8.290272206e-3f;
  for (float c : {4.189816117e-2f, 1.666763872e-1f, 4.999914765e-1f, 9.999997020e-1f, 1.0f})
    p = p * r + c;
  return p;
}

// e^x = 2^n e^r with r = x - n ln 2, for the integer n next to x / ln 2, for x from -88 to 89, or
// NaN. (Compiled to a fused multiply-add, n ln 2 is as exact as ln 2, whose error of 1.9e-9 comes
// in |n| times.) 2^n is made in the exponent's bits: 0 for n = -127 and infinity for n = 128.
Expr ExpWithin(const Expr& x) {
  const Expr rounded = x * kLog2OfE + (kRounder + kExponentBias);
  const Expr n = IeeeSub(rounded, kRounder + kExponentBias);
  return IeeeMul(ExpNearZero(x - n * kLn2), FromBits(Bits(rounded) << kExponentBits));
}

// ln x for normal positive x: the exponent, and Cephes's polynomial of what is left of x, between
// the roots of 1/2 and 2.
Expr LogOfNormal(const Expr& x, const Expr& exponent_offset) {
  const uint32_t root_of_half = 0x3f3504f3;
  const Expr exponent = Halide::reinterpret<int32_t>(Bits(x) - U32(root_of_half)) >> kExponentBits;
  const Expr f =
      IeeeSub(FromBits(Bits(x) - (Halide::reinterpret<uint32_t>(exponent) << kExponentBits)), 1.0f);
  Expr p = 7.0376836292e-2f;
  for (float c : {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                  -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f})
    p = p * f + c;
  const Expr e = Halide::cast<float>(exponent) + exponent_offset;
  const Expr square = f * f;
  // Small ones first.
  const Expr small = p * f * square + e * kLn2Low - 0.5f * square;
  return IeeeAdd(f, small) + e * kLn2High;
}

}  // namespace

Expr BoundedExp(const Expr& x) { return ExpWithin(AtMost(AtLeast(x, -87.3f), 89.0f)); }

Expr ExpOfNonPositive(const Expr& x) { return ExpWithin(AtLeast(x, -88.0f)); }

Expr ExpOf(const Expr& unbounded) {
  const Expr x = AtMost(AtLeast(unbounded, -104.0f), 89.0f);
  const Expr rounded = x * kLog2OfE + kRounder;
  const Expr n = IeeeSub(rounded, kRounder);
  const Expr p = ExpNearZero(x - n * kLn2High - n * kLn2Low);
  // 2^n in two factors, either of which is a normal number where 2^n is not.
  const Expr whole = Halide::reinterpret<int32_t>(Bits(rounded) - Bits(Expr(kRounder)));
  const Expr half = whole >> 1;
  const auto power = [](const Expr& k) {
    return FromBits(Halide::reinterpret<uint32_t>(k + kExponentBias) << kExponentBits);
  };
  return IeeeMul(IeeeMul(p, power(half)), power(whole - half));
}

Expr LogOf(const Expr& x) {
  // Denormals are scaled up by 2^23 first.
  const Expr tiny = IeeeLess(x, std::numeric_limits<float>::min());
  const Expr scaled = Halide::select(tiny, IeeeMul(x, 8388608.0f), x);
  const Expr log = LogOfNormal(scaled, Halide::select(tiny, -23.0f, 0.0f));
  const Expr nan = std::numeric_limits<float>::quiet_NaN();
  const Expr of_no_number =  // and infinity and NaN, which stay
      Halide::select(IeeeEqual(x, 0.0f), -kInfinity, IeeeLess(x, 0.0f), nan, x);
  return Halide::select(IsPositiveNumber(x), log, of_no_number);
}

Expr PowOf(const Expr& x, const Expr& y) {
  const Expr magnitude = Halide::abs(x);
  const Expr power = ExpOf(IeeeMul(y, LogOf(magnitude)));
  const Expr whole = IeeeEqual(Halide::floor(y), y);  // as all large numbers and infinities are
  const Expr halved = IeeeMul(y, 0.5f);
  const Expr odd = whole && !IeeeEqual(Halide::floor(halved), halved);
  const Expr negative = Halide::reinterpret<int32_t>(x) < 0;
  const Expr with_sign = Halide::select(negative && odd, IeeeNeg(power), power);
  const Expr nan = std::numeric_limits<float>::quiet_NaN();
  const Expr has_no_value = !whole && IeeeLess(x, 0.0f) && !IsMinusInfinity(x);
  // x^0 and 1^y are 1 even for NaN, (-1)^inf is 1.
  const Expr is_one =
      IeeeEqual(y, 0.0f) || IeeeEqual(x, 1.0f) || (IeeeEqual(magnitude, 1.0f) && IsInfinite(y));
  return Halide::select(is_one, 1.0f, IeeeEqual(y, 1.0f), x, has_no_value, nan, with_sign);
}

}  // namespace whet
