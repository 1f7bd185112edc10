#include "schedules/operators/halide_ieee.h"

#include <limits>

namespace whet {
namespace {

using Halide::Expr;
using Halide::Internal::Call;

Expr Strict(Call::IntrinsicOp operation, const Halide::Type& type, const Expr& a, const Expr& b) {
  return Call::make(type, operation, {a, b}, Call::PureIntrinsic);
}

// Signed integers as unsigned ones: LLVM may assume that the former do not overflow.
Expr Unsigned(const Expr& x) {
  return Halide::reinterpret(x.type().with_code(Halide::Type::UInt), x);
}
Expr Signed(const Expr& x, const Halide::Type& type) { return Halide::reinterpret(type, x); }

Expr Truth(Call::IntrinsicOp operation, const Expr& a, const Expr& b) {
  return Strict(operation, Halide::Bool(a.type().lanes()), a, b);
}

// strict_max(a, b) is a > b ? a : b, and so b where either is NaN; of the two orders, one keeps a
// NaN of a, the other one of b. Where none is, the two have the same bits, or are zeros.
Expr OfBothOrders(Call::IntrinsicOp operation, const Expr& a, const Expr& b) {
  const Halide::Type bits = Halide::UInt(a.type().bits());
  return Halide::reinterpret(a.type(),
                             Halide::reinterpret(bits, Strict(operation, a.type(), a, b)) |
                                 Halide::reinterpret(bits, Strict(operation, a.type(), b, a)));
}

Expr IntegerDiv(const Expr& a, const Expr& b) {
  const Expr zero = Halide::cast(b.type(), 0), one = Halide::cast(b.type(), 1);
  // The processor traps on both: divide by 1 instead, and choose afterwards.
  const Expr negated = Signed(Unsigned(zero) - Unsigned(a), a.type());
  const Expr quotient =
      Halide::div_round_to_zero(a, Halide::select(b == zero || b == -one, one, b));
  return Halide::select(b == zero, zero, b == -one, negated, quotient);
}

class NanSpreader : public Halide::Internal::IRMutator {
 public:
  explicit NanSpreader(std::string name) : name_(std::move(name)) {}

 private:
  using IRMutator::visit;

  Expr visit(const Halide::Internal::Max* op) override {
    return IsSelf(op->a) ? MaxOrNan(op->b, op->a) : IRMutator::visit(op);
  }
  Expr visit(const Halide::Internal::Min* op) override {
    return IsSelf(op->a) ? MinOrNan(op->b, op->a) : IRMutator::visit(op);
  }
  bool IsSelf(const Expr& e) const {
    const auto* call = e.as<Call>();
    return call != nullptr && call->call_type == Call::Halide && call->name == name_;
  }

  const std::string name_;
};

}  // namespace

Expr IeeeAdd(const Expr& a, const Expr& b) {
  if (a.type().is_float()) return Strict(Call::strict_add, a.type(), a, b);
  return Signed(Unsigned(a) + Unsigned(b), a.type());
}

Expr IeeeSub(const Expr& a, const Expr& b) {
  if (a.type().is_float()) return Strict(Call::strict_sub, a.type(), a, b);
  return Signed(Unsigned(a) - Unsigned(b), a.type());
}

Expr IeeeMul(const Expr& a, const Expr& b) {
  if (a.type().is_float()) return Strict(Call::strict_mul, a.type(), a, b);
  return Signed(Unsigned(a) * Unsigned(b), a.type());
}

Expr IeeeDiv(const Expr& a, const Expr& b) {
  if (a.type().is_float()) return Strict(Call::strict_div, a.type(), a, b);
  return IntegerDiv(a, b);
}

Expr IeeeScaled(const Expr& x, float factor) {
  if (factor != 0) return IeeeMul(x, factor);
  const auto bits_of = [](uint32_t bits) {
    return Halide::Internal::make_const(Halide::UInt(32), bits);
  };
  const Expr exponent = bits_of(0x7f800000), bits = Halide::reinterpret<uint32_t>(x);
  return Halide::select((bits & exponent) == exponent, std::numeric_limits<float>::quiet_NaN(),
                        Halide::reinterpret<float>(bits & bits_of(0x80000000)));
}

Expr IeeeNeg(const Expr& x) {
  const Expr bits = Halide::reinterpret(Halide::UInt(x.type().bits()), x);
  const Expr sign = Halide::Internal::make_const(bits.type(), uint64_t{1} << (x.type().bits() - 1));
  return Halide::reinterpret(x.type(), bits ^ sign);
}

Expr IeeeEqual(const Expr& a, const Expr& b) {
  return a.type().is_float() ? Truth(Call::strict_eq, a, b) : a == b;
}

Expr IeeeLess(const Expr& a, const Expr& b) {
  return a.type().is_float() ? Truth(Call::strict_lt, a, b) : a < b;
}

// Halide's x86 compiler turns a <= b into !(a > b), which a NaN makes true. (LLVM makes one
// comparison of the two.)
Expr IeeeLessOrEqual(const Expr& a, const Expr& b) {
  return a.type().is_float() ? IeeeLess(a, b) || IeeeEqual(a, b) : a <= b;
}

// As x86's maxps: the second where either is NaN.
Expr AtLeast(const Expr& x, float bound) {
  return Strict(Call::strict_max, x.type(), Halide::cast(x.type(), bound), x);
}

Expr AtMost(const Expr& x, float bound) {
  return Strict(Call::strict_min, x.type(), Halide::cast(x.type(), bound), x);
}

Expr MaxOrNan(const Expr& a, const Expr& b) {
  if (!a.type().is_float()) return Halide::max(a, b);
  return OfBothOrders(Call::strict_max, a, b);
}

Expr MinOrNan(const Expr& a, const Expr& b) {
  if (!a.type().is_float()) return Halide::min(a, b);
  return OfBothOrders(Call::strict_min, a, b);
}

void SpreadNans(Halide::Func reduction) {
  NanSpreader spreader(reduction.name());
  reduction.function().mutate(&spreader);
}

}  // namespace whet
