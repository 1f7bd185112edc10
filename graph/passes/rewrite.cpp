#include "graph/passes/rewrite.h"

#include <algorithm>
#include <utility>

namespace whet {

Result<ValueId> AddNode(Graph& graph, std::string name, std::string op, std::vector<ValueId> inputs,
                        Attributes attributes) {
  Node node{name, std::move(op), std::move(inputs), kNoValue, std::move(attributes)};
  ASSIGN_OR_RETURN(TensorType type, InferOutput(graph, node));
  node.output = graph.AddValue(Value{std::move(name), std::move(type), nullptr});
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back().output;
}

bool ReplaceValue(Graph& graph, ValueId from, ValueId to) {
  if (graph.IsOutput(from)) {
    const bool is_input =
        std::find(graph.inputs.begin(), graph.inputs.end(), to) != graph.inputs.end();
    if (is_input || graph.IsOutput(to) || graph.values[to].constant != nullptr) return false;
    graph.values[to].name = graph.values[from].name;
  }
  graph.ReplaceUses(from, to);
  return true;
}

const Node* ProducerOf(const Graph& graph, ValueId value) {
  const int producer = value == kNoValue ? -1 : graph.Producer(value);
  return producer < 0 ? nullptr : &graph.nodes[producer];
}

bool HasOneUse(const Graph& graph, ValueId value) {
  int uses = graph.IsOutput(value) ? 2 : 0;
  for (const Node& node : graph.nodes) {
    uses += static_cast<int>(std::count(node.inputs.begin(), node.inputs.end(), value));
  }
  return uses == 1;
}

std::optional<double> ScalarConstant(const Graph& graph, ValueId value) {
  const Tensor* constant = value == kNoValue ? nullptr : graph.values[value].constant.get();
  if (constant == nullptr || constant->count() != 1 || constant->dtype() != DataType::kFloat32) {
    return std::nullopt;
  }
  return constant->AsDouble(0);
}

std::optional<WithNumber> SplitNumber(const Graph& graph, const Node& node, bool commutes) {
  for (int i : {1, 0}) {
    if (i == 0 && !commutes) break;
    const std::optional<double> number = ScalarConstant(graph, node.inputs[i]);
    const ValueId x = node.inputs[1 - i];
    if (number && graph.values[x].type == graph.values[node.output].type)
      return WithNumber{x, *number};
  }
  return std::nullopt;
}

Scaled StripNumbers(const Graph& graph, ValueId value) {
  Scaled scaled{value, 1};
  while (const Node* node = ProducerOf(graph, scaled.base)) {
    if (node->op != "Mul" && node->op != "Div") break;
    const std::optional<WithNumber> split = SplitNumber(graph, *node, node->op == "Mul");
    if (!split) break;
    scaled.base = split->x;
    scaled.factor =
        node->op == "Mul" ? scaled.factor * split->number : scaled.factor / split->number;
  }
  return scaled;
}

std::optional<std::vector<double>> ConstantAlong(const Graph& graph, ValueId value,
                                                 const Shape& shape, size_t axis) {
  const Tensor* constant = value == kNoValue ? nullptr : graph.values[value].constant.get();
  if (constant == nullptr || constant->dtype() != DataType::kFloat32 ||
      constant->shape().size() > shape.size()) {
    return std::nullopt;
  }
  const size_t missing = shape.size() - constant->shape().size();
  for (size_t d = 0; d < constant->shape().size(); ++d) {
    if (constant->shape()[d] != 1 && d + missing != axis) return std::nullopt;
  }
  const int64_t extent = shape[axis], count = constant->count();
  if (count != 1 && count != extent) return std::nullopt;
  std::vector<double> numbers(static_cast<size_t>(extent));
  for (int64_t i = 0; i < extent; ++i) numbers[i] = constant->AsDouble(count == 1 ? 0 : i);
  return numbers;
}

size_t ChannelAxis(const Node& node) {
  return node.attributes.String("layout", "NCHW") == "NHWC" ? 3 : 1;
}

}  // namespace whet
