// Halide algorithms of the elementwise operators.
#include <limits>

#include "schedules/operators/halide_exp.h"
#include "schedules/operators/halide_operators.h"

namespace whet {
namespace {

using Halide::Expr;

Expr Bounded(Expr x, const Attributes& a) {
  if (a.Has("min")) x = Halide::max(x, Halide::cast(x.type(), static_cast<float>(a.Float("min"))));
  if (a.Has("max")) x = Halide::min(x, Halide::cast(x.type(), static_cast<float>(a.Float("max"))));
  return x;
}

// 1 - 2 / (e^2x + 1): no cancellation that matters at fp32, and it saturates without overflow
// trouble.
Expr TanhOf(const Expr& x) {
  return 1.0f - 2.0f / (BoundedExp(2.0f * Halide::clamp(x, -20.0f, 20.0f)) + 1.0f);
}

// Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
Expr ErfOf(const Expr& x) {
  const Expr magnitude = Halide::abs(x);
  const Expr t = 1.0f / (1.0f + 0.3275911f * magnitude);
  const Expr poly =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const Expr y = 1.0f - poly * ExpOfNonPositive(-magnitude * magnitude);
  return Halide::select(x < 0.0f, -y, y);
}

Expr HardSigmoidOf(const Expr& x, float alpha, float beta) {
  return Halide::clamp(alpha * x + beta, 0.0f, 1.0f);
}

Expr Unary(const std::string& op, const Attributes& a, const Expr& x) {
  if (op == "Relu") return Halide::max(x, Halide::cast(x.type(), 0));
  if (op == "Clip") return Bounded(x, a);
  if (op == "Sigmoid") return 1.0f / (1.0f + BoundedExp(-x));
  if (op == "Tanh") return TanhOf(x);
  if (op == "Exp") return Halide::exp(x);
  if (op == "Log") return Halide::log(x);
  if (op == "Sqrt") return Halide::sqrt(x);
  if (op == "Neg") return -x;
  if (op == "Abs") return Halide::abs(x);
  if (op == "Erf") return ErfOf(x);
  if (op == "HardSwish") return x * HardSigmoidOf(x, 1.0f / 6.0f, 0.5f);
  if (op == "HardSigmoid") {
    return HardSigmoidOf(x, static_cast<float>(a.Float("alpha", 0.2)),
                         static_cast<float>(a.Float("beta", 0.5)));
  }
  if (op == "LeakyRelu") {
    return Halide::select(x < 0.0f, x * static_cast<float>(a.Float("alpha", 0.01)), x);
  }
  // Gelu.
  if (a.String("approximate", "none") == "tanh") {
    return 0.5f * x * (1.0f + TanhOf(0.7978845608f * (x + 0.044715f * x * x * x)));
  }
  return 0.5f * x * (1.0f + ErfOf(x * 0.7071067812f));
}

Expr Binary(const std::string& op, const Expr& a, const Expr& b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Max") return Halide::max(a, b);
  if (op == "Pow") return Halide::pow(a, b);
  if (op == "Min") return Halide::min(a, b);
  if (op == "Equal") return Halide::cast<uint8_t>(a == b);
  if (op == "Less") return Halide::cast<uint8_t>(a < b);
  return Halide::cast<uint8_t>(a <= b);  // LessOrEqual
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
    return Halide::cast(HalideType(n.output.dtype), n.inputs[0](index));
  });
}

}  // namespace whet
