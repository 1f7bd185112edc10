// Halide algorithms of the elementwise operators.
#include <cmath>
#include <initializer_list>

#include "schedules/operators/halide_exp.h"
#include "schedules/operators/halide_ieee.h"
#include "schedules/operators/halide_operators.h"

namespace whet {
namespace {

using Halide::Expr;

// A bound that is NaN makes everything NaN, as the maximum with it does.
Expr Clipped(Expr x, const Attributes& a) {
  const auto bound = [&](const char* name) { return static_cast<float>(a.Float(name)); };
  if (a.Has("min")) {
    const float low = bound("min");
    x = std::isnan(low) ? MaxOrNan(x, low) : AtLeast(x, low);
  }
  if (a.Has("max")) {
    const float high = bound("max");
    x = std::isnan(high) ? MinOrNan(x, high) : AtMost(x, high);
  }
  return x;
}

Expr Polynomial(const Expr& z, std::initializer_list<float> highest_first) {
  Expr p;
  for (const float c : highest_first) p = p.defined() ? p * z + c : Expr(c);
  return p;
}

// Near 0, x (1 + z p(z)) with z = x^2 (Cephes's tanhf), so that small results are as exact as large
// ones; else 1 - 2 / (e^2x + 1), which saturates exactly.
Expr TanhOf(const Expr& x) {
  const Expr z = x * x;
  const Expr p = Polynomial(z, {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                                1.33314422036e-1f, -3.33332819422e-1f});
  const Expr small = IeeeMul(x, z * p + 1.0f);
  const Expr large = IeeeSub(1.0f, IeeeDiv(2.0f, IeeeAdd(BoundedExp(IeeeMul(x, 2.0f)), 1.0f)));
  return Halide::select(IeeeLess(Halide::abs(x), 0.625f), small, large);
}

// Near 0, x p(x^2) (Cephes's erff), so that small results are as exact as large ones; else
// Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
Expr ErfOf(const Expr& x) {
  const Expr magnitude = Halide::abs(x);
  const Expr t = 1.0f / (1.0f + 0.3275911f * magnitude);
  const Expr poly =
      t * Polynomial(t, {1.061405429f, -1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f});
  const Expr y = 1.0f - poly * ExpOfNonPositive(-magnitude * magnitude);
  const Expr large = Halide::select(IeeeLess(x, 0.0f), IeeeNeg(y), y);
  const Expr p =
      Polynomial(x * x, {7.853861353153693e-5f, -8.010193625184903e-4f, 5.188327685732524e-3f,
                         -2.685381193529856e-2f, 1.128358514861418e-1f, -3.761262582423300e-1f,
                         1.128379165726710e+0f});
  return Halide::select(IeeeLess(magnitude, 1.0f), IeeeMul(x, p), large);
}

Expr HardSigmoidOf(const Expr& x, float alpha, float beta) {
  return AtMost(AtLeast(IeeeAdd(IeeeMul(x, alpha), beta), 0.0f), 1.0f);
}

Expr GeluOf(const Expr& x, bool by_tanh) {
  const Expr gate =
      by_tanh ? TanhOf(0.7978845608f * (x + 0.044715f * x * x * x)) : ErfOf(x * 0.7071067812f);
  return IeeeMul(IeeeMul(x, 0.5f), IeeeAdd(gate, 1.0f));
}

Expr Unary(const std::string& op, const Attributes& a, const Expr& x) {
  const auto number = [&](const char* name, double fallback) {
    return static_cast<float>(a.Float(name, fallback));
  };
  if (op == "Relu") return AtLeast(x, 0.0f);
  if (op == "Clip") return Clipped(x, a);
  if (op == "Sigmoid") return IeeeDiv(1.0f, IeeeAdd(BoundedExp(IeeeNeg(x)), 1.0f));
  if (op == "Tanh") return TanhOf(x);
  if (op == "Exp") return ExpOf(x);
  if (op == "Log") return LogOf(x);
  if (op == "Sqrt") return Halide::sqrt(x);
  if (op == "Neg") return IeeeNeg(x);
  if (op == "Abs") return Halide::abs(x);
  if (op == "Erf") return ErfOf(x);
  if (op == "HardSwish") return IeeeMul(x, HardSigmoidOf(x, 1.0f / 6.0f, 0.5f));
  if (op == "HardSigmoid") return HardSigmoidOf(x, number("alpha", 0.2), number("beta", 0.5));
  if (op == "LeakyRelu")
    return Halide::select(IeeeLess(x, 0.0f), IeeeMul(x, number("alpha", 0.01)), x);
  return GeluOf(x, a.String("approximate", "none") == "tanh");
}

Expr Binary(const std::string& op, const Expr& a, const Expr& b) {
  if (op == "Add") return IeeeAdd(a, b);
  if (op == "Sub") return IeeeSub(a, b);
  if (op == "Mul") return IeeeMul(a, b);
  if (op == "Div") return IeeeDiv(a, b);
  if (op == "Max") return MaxOrNan(a, b);
  if (op == "Pow") return PowOf(a, b);
  if (op == "Min") return MinOrNan(a, b);
  if (op == "Equal") return IeeeEqual(a, b);
  if (op == "Less") return IeeeLess(a, b);
  return IeeeLessOrEqual(a, b);
}

// As x86's conversions and ONNX Runtime's: towards zero; what no int32 (int64 and u32: no int64)
// holds, NaN included, becomes the lowest one, and narrower integers take the lowest bits of that.
Expr Converted(const Expr& x, DataType to) {
  const Halide::Type type = HalideType(to);
  if (to == DataType::kBool) return !IeeeEqual(x, Halide::cast(x.type(), 0));
  if (!x.type().is_float() || type.is_float() || type == Halide::Int(32) || type == Halide::Int(64))
    return Halide::cast(type, x);
  const Expr wide = Halide::cast(Halide::Int(type.bits() == 32 ? 64 : 32), x);
  // Behind the mask Halide does not merge the two conversions into one.
  const int64_t mask = (int64_t{1} << type.bits()) - 1;
  return Halide::cast(type, wide & Halide::Internal::make_const(wide.type(), mask));
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

}  // namespace

TensorReader HalideUnary(AlgorithmBuilder& builder, const HalideNode& n) {
  return builder.Pure(Lower(n.node.op), n.output, [&](const Exprs& index) {
    return Unary(n.node.op, n.node.attributes, n.inputs[0](index));
  });
}

TensorReader HalideBinary(AlgorithmBuilder& builder, const HalideNode& n) {
  return builder.Pure(Lower(n.node.op), n.output, [&](const Exprs& index) {
    const auto operand = [&](size_t i) {
      return n.inputs[i](BroadcastIndex(index, n.inputs[i].type.shape));
    };
    if (n.node.op == "Where") return Halide::select(operand(0) != 0, operand(1), operand(2));
    return Binary(n.node.op, operand(0), operand(1));
  });
}

TensorReader HalideCast(AlgorithmBuilder& builder, const HalideNode& n) {
  return builder.Pure("cast", n.output, [&](const Exprs& index) {
    return Converted(n.inputs[0](index), n.output.dtype);
  });
}

}  // namespace whet
