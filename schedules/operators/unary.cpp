// Elementwise operators of one operand: activations, Clip, and simple functions. Computed in
// double, rounded once. NaN gives NaN (std::max and std::min return their first operand then).
#include <algorithm>
#include <cmath>

#include "schedules/operators/checks.h"

namespace whet {
namespace {

Result<TensorType> InferUnary(const Attributes&, Types inputs) {
  RETURN_IF_ERROR(CheckFloat("x", *inputs[0]));
  return *inputs[0];
}

template <typename Function>
Status Map(Tensors inputs, Tensor& output, Function f) {
  const float* x = inputs[0]->data<float>();
  float* y = output.data<float>();
  const int64_t count = output.count();
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(f(static_cast<double>(x[i])));
  return {};
}

double Clamp01(double x) { return std::min(std::max(x, 0.0), 1.0); }

// Functions without attributes, as types so that they are template arguments of the rows.
struct Relu {
  double operator()(double x) const { return std::max(x, 0.0); }
};
struct Sigmoid {
  double operator()(double x) const { return 1 / (1 + std::exp(-x)); }
};
struct Tanh {
  double operator()(double x) const { return std::tanh(x); }
};
struct HardSwish {
  double operator()(double x) const { return x * Clamp01(x / 6 + 0.5); }
};
struct Exp {
  double operator()(double x) const { return std::exp(x); }
};
struct Log {
  double operator()(double x) const { return std::log(x); }
};
struct Sqrt {
  double operator()(double x) const { return std::sqrt(x); }
};
struct Neg {
  double operator()(double x) const { return -x; }
};
struct Abs {
  double operator()(double x) const { return std::abs(x); }
};
struct Erf {
  double operator()(double x) const { return std::erf(x); }
};

template <typename Function>
Status ComputeUnary(const Attributes&, Tensors inputs, Tensor& output) {
  return Map(inputs, output, Function());
}

template <int kPerElement>
double UnaryFlops(const Attributes&, Types, const TensorType& output) {
  return kPerElement * static_cast<double>(ElementCount(output.shape));
}

Result<TensorType> InferHardSigmoid(const Attributes& attributes, Types inputs) {
  RETURN_IF_ERROR(FloatAttribute(attributes, "alpha", 0.2));
  RETURN_IF_ERROR(FloatAttribute(attributes, "beta", 0.5));
  return InferUnary(attributes, inputs);
}

Status ComputeHardSigmoid(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const double alpha = static_cast<float>(attributes.Float("alpha", 0.2));
  const double beta = static_cast<float>(attributes.Float("beta", 0.5));
  return Map(inputs, output, [&](double x) { return Clamp01(alpha * x + beta); });
}

Result<TensorType> InferLeakyRelu(const Attributes& attributes, Types inputs) {
  RETURN_IF_ERROR(FloatAttribute(attributes, "alpha", 0.01));
  return InferUnary(attributes, inputs);
}

Status ComputeLeakyRelu(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const double alpha = static_cast<float>(attributes.Float("alpha", 0.01));
  return Map(inputs, output, [&](double x) { return x < 0 ? alpha * x : x; });
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Clip's bounds may be infinite: -inf as min and +inf as max are the same as absent. One that is
// NaN makes everything NaN, as the maximum with it does.
Result<TensorType> InferClip(const Attributes& attributes, Types inputs) {
  for (const char* name : {"min", "max"}) {
    auto it = attributes.values().find(name);
    if (it == attributes.values().end()) continue;
    const bool number =
        std::holds_alternative<double>(it->second) || std::holds_alternative<int64_t>(it->second);
    if (!number) return Fail(ErrorCode::kInvalidInput, "attribute {} should be a number", name);
  }
  return InferUnary(attributes, inputs);
}

Status ComputeClip(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const double low = static_cast<float>(attributes.Float("min", -kInfinity));
  const double high = static_cast<float>(attributes.Float("max", kInfinity));
  const bool nan = std::isnan(low) || std::isnan(high);
  return Map(inputs, output,
             [&](double x) { return nan ? low + high : std::min(std::max(x, low), high); });
}

Result<TensorType> InferGelu(const Attributes& attributes, Types inputs) {
  auto it = attributes.values().find("approximate");
  if (it != attributes.values().end()) {
    const auto* kind = std::get_if<std::string>(&it->second);
    if (!kind || (*kind != "none" && *kind != "tanh"))
      return Fail(ErrorCode::kInvalidInput, "attribute approximate should be none or tanh");
  }
  return InferUnary(attributes, inputs);
}

Status ComputeGelu(const Attributes& attributes, Tensors inputs, Tensor& output) {
  if (attributes.String("approximate", "none") == "tanh") {
    const double scale = std::sqrt(2 / M_PI);
    return Map(inputs, output, [&](double x) {
      return 0.5 * x * (1 + std::tanh(scale * (x + 0.044715 * x * x * x)));
    });
  }
  return Map(inputs, output, [](double x) { return 0.5 * x * (1 + std::erf(x * M_SQRT1_2)); });
}

template <typename Function, int kFlopsPerElement>
OperatorDef Simple(std::string_view name, ValueRange range = {}) {
  return Row<&InferUnary, &ComputeUnary<Function>, &UnaryFlops<kFlopsPerElement>, 1, 1>(
      name, OperatorClass::kElementwise, {{"x", false, range}});
}

}  // namespace

const std::vector<OperatorDef>& UnaryOperators() {
  constexpr OperatorClass kClass = OperatorClass::kElementwise;
  static const std::vector<OperatorDef> rows = {
      Exact(Simple<Relu, 1>("Relu")),
      Simple<Sigmoid, 4>("Sigmoid"),
      Simple<Tanh, 1>("Tanh"),
      Simple<HardSwish, 5>("HardSwish"),
      Simple<Exp, 1>("Exp"),
      Simple<Log, 1>("Log", {0.1, 1}),
      Simple<Sqrt, 1>("Sqrt", {0.1, 1}),
      Exact(Simple<Neg, 1>("Neg")),
      Exact(Simple<Abs, 1>("Abs")),
      Simple<Erf, 1>("Erf"),
      Row<&InferHardSigmoid, &ComputeHardSigmoid, &UnaryFlops<4>, 1, 1>(
          "HardSigmoid", kClass, {{"x"}},
          {{"alpha", AttributeKind::kFloat, 0.2}, {"beta", AttributeKind::kFloat, 0.5}}),
      Row<&InferLeakyRelu, &ComputeLeakyRelu, &UnaryFlops<2>, 1, 1>(
          "LeakyRelu", kClass, {{"x"}}, {{"alpha", AttributeKind::kFloat, 0.01}}),
      Exact(Row<&InferClip, &ComputeClip, &UnaryFlops<2>, 1, 1>(
          "Clip", kClass, {{"x"}},
          {{"min", AttributeKind::kFloat}, {"max", AttributeKind::kFloat}})),
      Row<&InferGelu, &ComputeGelu, &UnaryFlops<5>, 1, 1>(
          "Gelu", kClass, {{"x"}}, {{"approximate", AttributeKind::kString, std::string("none")}}),
  };
  return rows;
}

}  // namespace whet
