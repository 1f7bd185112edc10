#include "search/error_bound.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

constexpr double kUnit = 0x1p-24;  // half the distance of 1 to the next float

// A value of the task and how far a kernel's may be from it. Elements that are no floats are exact.
struct Bounded {
  Tensor value, error;
};

Tensor Map(const Tensor& x, const std::function<double(double)>& f) {
  Tensor y(x.type());
  for (int64_t i = 0; i < x.count(); ++i)
    y.data<float>()[i] = static_cast<float>(f(x.data<float>()[i]));
  return y;
}

Tensor Magnitudes(const Tensor& x) {
  return Map(x, [](double v) { return std::abs(v); });
}

Tensor Sum(const Tensor& x, const Tensor& y) {
  Tensor sum(x.type());
  for (int64_t i = 0; i < x.count(); ++i)
    sum.data<float>()[i] = x.data<float>()[i] + y.data<float>()[i];
  return sum;
}

bool AnyNonZero(const Tensor& x) {
  return std::any_of(x.data<float>(), x.data<float>() + x.count(), [](float v) { return v != 0; });
}

using Operands = std::vector<const Bounded*>;

// What the node's own reference makes of a tensor for each operand; what is no float goes in as it
// is.
Result<Tensor> Apply(const TaskNode& node, const Operands& operands,
                     const std::function<Tensor(const Bounded&)>& make) {
  std::vector<Tensor> made;
  made.reserve(operands.size());
  for (const Bounded* operand : operands)
    made.push_back(operand->value.dtype() == DataType::kFloat32 ? make(*operand) : operand->value);
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : made) pointers.push_back(&tensor);
  return FindOperator(node.op)->reference(node.attributes, pointers);
}

// Sums of products and means: the magnitudes of their terms are the node of the operands'
// magnitudes.
Result<Tensor> OfSums(const TaskNode& node, const Operands& operands, double terms) {
  const double multiple = terms + std::min(terms, 256.0) + 4;
  const double underflow = terms * std::numeric_limits<float>::min();  // what may become zero
  ASSIGN_OR_RETURN(Tensor sums,
                   Apply(node, operands, [](const Bounded& x) { return Magnitudes(x.value); }));
  const bool exact = std::none_of(operands.begin(), operands.end(), [](const Bounded* x) {
    return x->value.dtype() == DataType::kFloat32 && AnyNonZero(x->error);
  });
  if (exact) return Map(sums, [&](double sum) { return multiple * kUnit * sum + underflow; });
  ASSIGN_OR_RETURN(const Tensor widest, Apply(node, operands, [](const Bounded& x) {
                     return Sum(Magnitudes(x.value), x.error);
                   }));
  for (int64_t i = 0; i < sums.count(); ++i) {
    float& bound = sums.data<float>()[i];
    const double wide = widest.data<float>()[i];
    bound = static_cast<float>(std::max(0.0, wide - bound) + multiple * kUnit * wide + underflow);
  }
  return sums;
}

Result<Tensor> OfProduct(const TaskNode& node, const Operands& operands) {
  const auto product = [&](const Tensor& a, const Tensor& b) {
    const std::vector<const Tensor*> pointers = {&a, &b};
    return FindOperator("Mul")->reference(node.attributes, pointers);
  };
  const Bounded &a = *operands[0], &b = *operands[1];
  const Tensor a_size = Magnitudes(a.value), b_size = Magnitudes(b.value);
  ASSIGN_OR_RETURN(const Tensor of_a, product(a.error, Sum(b_size, b.error)));
  ASSIGN_OR_RETURN(const Tensor of_b, product(a_size, b.error));
  ASSIGN_OR_RETURN(const Tensor size, product(a_size, b_size));
  Tensor bound = Sum(of_a, of_b);
  for (int64_t i = 0; i < bound.count(); ++i)
    bound.data<float>()[i] += static_cast<float>(2 * kUnit * size.data<float>()[i]);
  return bound;
}

enum class Rule {
  kNone,
  kSums,      // of products of the operands, or of their elements
  kProduct,   // of two operands
  kAddition,  // of two operands
  kLargest,   // the error of the result is no larger than the largest that went in
  kMoved,     // elements of the first operand, or of all, in other places
  kFunction,  // of each element: its error times the steepest slope
};

struct RuleOf {
  std::string_view op;
  Rule rule;
  double slope = 1;      // kFunction
  double own_error = 0;  // kFunction: in units of kUnit * (1 + |y|)
  double each = 1;       // kSums: operations that a term counts as
};

constexpr RuleOf kRules[] = {
    {"Conv", Rule::kSums, 1, 0, 2},
    {"ConvTranspose", Rule::kSums, 1, 0, 2},
    {"Gemm", Rule::kSums, 1, 0, 2},
    {"MatMul", Rule::kSums, 1, 0, 2},
    {"AveragePool", Rule::kSums},
    {"GlobalAveragePool", Rule::kSums},
    {"ReduceSum", Rule::kSums},
    {"ReduceMean", Rule::kSums},
    {"Resize", Rule::kSums},
    {"Mul", Rule::kProduct},
    {"Add", Rule::kAddition},
    {"Sub", Rule::kAddition},
    {"Max", Rule::kLargest},
    {"Min", Rule::kLargest},
    {"MaxPool", Rule::kLargest},
    {"ReduceMax", Rule::kLargest},
    {"ReduceMin", Rule::kLargest},
    {"Relu", Rule::kFunction},
    {"Clip", Rule::kFunction},
    {"Abs", Rule::kFunction},
    {"Neg", Rule::kFunction},
    {"LeakyRelu", Rule::kFunction, 1, 2},
    {"HardSigmoid", Rule::kFunction, 1, 4},
    {"HardSwish", Rule::kFunction, 1.5, 8},
    {"Sigmoid", Rule::kFunction, 0.25, 256},
    {"Tanh", Rule::kFunction, 1, 256},
    {"Erf", Rule::kFunction, 1.13, 256},
    {"Gelu", Rule::kFunction, 1.13, 256},
};

RuleOf FindRule(const TaskNode& node) {
  const OperatorDef* def = FindOperator(node.op);
  const bool moves =
      def->op_class == OperatorClass::kMovement || def->op_class == OperatorClass::kView;
  if (moves) return {node.op, Rule::kMoved};
  for (const RuleOf& row : kRules)
    if (row.op == node.op) return row;
  return {node.op, Rule::kNone};
}

// Whether the rule holds for this node's attributes: coefficients that are no larger than 1 and
// leave magnitudes what they are.
bool Fits(const TaskNode& node) {
  const Attributes& a = node.attributes;
  if (node.op == "Gemm") return a.Float("alpha", 1) == 1 && a.Float("beta", 1) == 1;
  if (node.op == "HardSigmoid") return std::abs(a.Float("alpha", 0.2)) <= 1;
  if (node.op == "LeakyRelu") return std::abs(a.Float("alpha", 0.01)) <= 1;
  return true;
}

Result<Tensor> BoundOf(const TaskNode& node, const RuleOf& rule, const Operands& operands,
                       const Tensor& value, double terms) {
  const auto errors = [](const Bounded& x) { return x.error; };
  switch (rule.rule) {
    case Rule::kSums:
      return OfSums(node, operands, terms);
    case Rule::kProduct:
      return OfProduct(node, operands);
    case Rule::kAddition: {
      TaskNode add = node;
      add.op = "Add";
      ASSIGN_OR_RETURN(Tensor bound, Apply(add, operands, errors));
      for (int64_t i = 0; i < bound.count(); ++i)
        bound.data<float>()[i] += static_cast<float>(2 * kUnit * std::abs(value.data<float>()[i]));
      return bound;
    }
    case Rule::kLargest: {
      TaskNode largest = node;
      if (node.op == "Min") largest.op = "Max";
      if (node.op == "ReduceMin") largest.op = "ReduceMax";
      return Apply(largest, operands, errors);
    }
    case Rule::kMoved: {
      TaskNode move = node;
      if (node.op == "Pad") move.attributes.Set("value", 0.0);  // what is put in is exact
      return Apply(move, operands, errors);
    }
    default:
      break;
  }
  Tensor bound(value.type());
  for (int64_t i = 0; i < bound.count(); ++i)
    bound.data<float>()[i] =
        static_cast<float>(rule.slope * operands[0]->error.data<float>()[i] +
                           rule.own_error * kUnit * (1 + std::abs(value.data<float>()[i])));
  return bound;
}

}  // namespace

Result<std::optional<Tensor>> ErrorBounds(const Task& task, std::span<const Tensor* const> inputs) {
  using None = std::optional<Tensor>;
  if (task.accuracy != Accuracy::kStrict) return None();
  std::map<std::string, Bounded> values;
  const auto define = [&](const std::string& name, Tensor value, Tensor error) {
    values.emplace(name, Bounded{std::move(value), std::move(error)});
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    define(task.inputs[i].name, *inputs[i], Tensor(inputs[i]->type()));
  for (const TaskNode& node : task.nodes) {
    const RuleOf rule = FindRule(node);
    if (rule.rule == Rule::kNone || !Fits(node)) return None();
    Operands operands;
    for (const std::string& name : node.inputs) operands.push_back(&values.at(name));
    ASSIGN_OR_RETURN(Tensor value, Apply(node, operands, [](const Bounded& x) { return x.value; }));
    if (value.dtype() != DataType::kFloat32) return None();
    std::vector<const TensorType*> types;
    for (const Bounded* operand : operands) types.push_back(&operand->value.type());
    const double operations =
        FindOperator(node.op)->flops(node.attributes, types) / static_cast<double>(value.count());
    ASSIGN_OR_RETURN(Tensor error,
                     BoundOf(node, rule, operands, value, std::ceil(operations / rule.each) + 1));
    for (int64_t i = 0; i < error.count(); ++i) {
      float& e = error.data<float>()[i];
      if (!std::isfinite(value.data<float>()[i])) {
        e = 0;
      } else if (std::isnan(e)) {
        e = std::numeric_limits<float>::infinity();
      }
    }
    define(node.output, std::move(value), std::move(error));
  }
  return None(std::move(values.at(task.output).error));
}

}  // namespace whet
