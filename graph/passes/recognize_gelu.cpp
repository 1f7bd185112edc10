// Gelu as exporters spelled it before opset 20, with the factors in any order:
//
//   0.5 * x * (1 + Erf(x / sqrt(2)))
//   0.5 * x * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))
#include <cmath>
#include <optional>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"

namespace whet {
namespace {

// Constants reach models rounded, some to four digits.
bool Near(double a, double b) { return std::abs(a - b) <= 1e-4 * std::abs(b); }

// Whether `value` is x * x * x.
bool IsCube(const Graph& graph, ValueId value, ValueId x) {
  const Node* product = ProducerOf(graph, value);
  if (product == nullptr) return false;
  if (product->op == "Pow")
    return product->inputs[0] == x && ScalarConstant(graph, product->inputs[1]) == 3.0;
  if (product->op != "Mul") return false;
  for (int i : {0, 1}) {
    const Node* square = ProducerOf(graph, product->inputs[i]);
    if (product->inputs[1 - i] == x && square != nullptr && square->op == "Mul" &&
        square->inputs[0] == x && square->inputs[1] == x) {
      return true;
    }
  }
  return false;
}

// Whether `value` is x + 0.044715 * x * x * x.
bool IsCubicOf(const Graph& graph, ValueId value, ValueId x) {
  const Node* sum = ProducerOf(graph, value);
  if (sum == nullptr || sum->op != "Add") return false;
  for (int i : {0, 1}) {
    const Scaled cube = StripNumbers(graph, sum->inputs[1 - i]);
    if (sum->inputs[i] == x && Near(cube.factor, 0.044715) && IsCube(graph, cube.base, x))
      return true;
  }
  return false;
}

// "none" or "tanh" where `value` is one of the two gates of x; nullptr: it is not.
const char* MatchGate(const Graph& graph, ValueId value, ValueId x) {
  const Node* sum = ProducerOf(graph, value);
  if (sum == nullptr || sum->op != "Add") return nullptr;
  for (int i : {0, 1}) {
    if (ScalarConstant(graph, sum->inputs[i]) != 1.0) continue;
    const Node* function = ProducerOf(graph, sum->inputs[1 - i]);
    if (function == nullptr) continue;
    const Scaled argument = StripNumbers(graph, function->inputs[0]);
    if (function->op == "Erf" && argument.base == x && Near(argument.factor, M_SQRT1_2))
      return "none";
    if (function->op == "Tanh" && Near(argument.factor, std::sqrt(2 / M_PI)) &&
        IsCubicOf(graph, argument.base, x)) {
      return "tanh";
    }
  }
  return nullptr;
}

}  // namespace

Status RecognizeGelu(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (node.op != "Mul" && node.op != "Div") continue;
    const Scaled product = StripNumbers(graph, node.output);
    const Node* mul = ProducerOf(graph, product.base);
    if (mul == nullptr || mul->op != "Mul") continue;
    for (int i : {0, 1}) {
      const Scaled gate = StripNumbers(graph, mul->inputs[i]);
      const Scaled x = StripNumbers(graph, mul->inputs[1 - i]);
      if (!Near(product.factor * gate.factor * x.factor, 0.5) ||
          graph.values[x.base].type != graph.values[node.output].type) {
        continue;
      }
      const char* approximate = MatchGate(graph, gate.base, x.base);
      if (approximate == nullptr) continue;
      const ValueId input = x.base;
      node.op = "Gelu";
      node.inputs = {input};
      node.attributes = {{"approximate", std::string(approximate)}};
      break;
    }
  }
  RETURN_IF_ERROR(graph.Compact());
  return graph.Verify();
}

}  // namespace whet
