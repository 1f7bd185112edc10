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

// x p(x^2) / q(x^2) up to `end`, where it has passed 1, and kept to [-1, 1]: odd functions that
// tend to 1. Of least relative error, so that small results are as exact as large ones
// (scripts/fit_rational).
Expr OddRational(const Expr& x, float end, std::initializer_list<float> p,
                 std::initializer_list<float> q) {
  const Expr within = AtMost(AtLeast(x, -end), end);
  const Expr z = IeeeMul(within, within);  // Halide would take factors of x out of it
  const Expr y = IeeeDiv(IeeeMul(within, Polynomial(z, p)), Polynomial(z, q));
  return AtMost(AtLeast(y, -1.0f), 1.0f);
}

Expr TanhOf(const Expr& x) {
  return OddRational(
      x, 9.3f, {1.338443991e-08f, 2.063599583e-05f, 3.497471212e-03f, 1.338269969e-01f, 1.0f},
      {7.790329388e-07f, 3.288537346e-04f, 2.588441562e-02f, 4.671602097e-01f, 1.0f});
}

Expr ErfOf(const Expr& x) {
  return OddRational(x, 4.1f,
                     {2.053773891e-06f, 2.843252575e-04f, 3.742665339e-03f, 5.267873148e-02f,
                      1.898768809e-01f, 1.128379167e+00f},
                     {3.810040590e-05f, 1.156871033e-03f, 1.492366296e-02f, 1.138900836e-01f,
                      5.016069482e-01f, 1.0f});
}

Expr HardSigmoidOf(const Expr& x, float alpha, float beta) {
  return AtMost(AtLeast(IeeeAdd(IeeeScaled(x, alpha), beta), 0.0f), 1.0f);
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
    return Halide::select(IeeeLess(x, 0.0f), IeeeScaled(x, number("alpha", 0.01)), x);
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
