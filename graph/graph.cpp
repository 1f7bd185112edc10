#include "graph/graph.h"

#include <algorithm>
#include <utility>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

// The nodes in an order in which every node follows the producers of its inputs, keeping the
// present order where it already does; shorter than the graph's list if there is a cycle.
std::vector<int> TopologicalOrder(const Graph& graph, const std::vector<int>& producers) {
  enum class Mark : char { kNew, kOpen, kDone };
  std::vector<Mark> marks(graph.nodes.size(), Mark::kNew);
  std::vector<int> order;
  order.reserve(graph.nodes.size());
  // Depth first with an explicit stack: a long chain of nodes must not exhaust the call stack.
  std::vector<std::pair<int, size_t>> stack;
  for (int root = 0; root < static_cast<int>(graph.nodes.size()); ++root) {
    if (marks[root] != Mark::kNew) continue;
    marks[root] = Mark::kOpen;
    stack.emplace_back(root, 0);
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      const std::vector<ValueId>& inputs = graph.nodes[node].inputs;
      int pending = -1;
      while (next < inputs.size() && pending < 0) {
        const ValueId input = inputs[next++];
        const int producer = input == kNoValue ? -1 : producers[input];
        if (producer < 0 || marks[producer] == Mark::kDone) continue;
        if (marks[producer] == Mark::kOpen) return order;  // a cycle
        pending = producer;
      }
      if (pending >= 0) {
        marks[pending] = Mark::kOpen;
        stack.emplace_back(pending, 0);
      } else {
        marks[node] = Mark::kDone;
        order.push_back(node);
        stack.pop_back();
      }
    }
  }
  return order;
}

std::string Spelled(const Attribute& attribute) {
  struct Visitor {
    std::string operator()(int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{:g}", v); }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const std::vector<int64_t>& v) const {
      return fmt::format("[{}]", fmt::join(v, ","));
    }
    std::string operator()(const std::vector<double>& v) const {
      return fmt::format("[{:g}]", fmt::join(v, ","));
    }
  };
  return std::visit(Visitor{}, attribute);
}

}  // namespace

ValueId Graph::AddValue(Value value) {
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::AddConstant(std::string value_name, Tensor tensor) {
  TensorType type = tensor.type();
  return AddValue(Value{std::move(value_name), std::move(type),
                        std::make_shared<const Tensor>(std::move(tensor))});
}

std::vector<int> Graph::Consumers(ValueId value) const {
  std::vector<int> consumers;
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
    const std::vector<ValueId>& inputs = nodes[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) consumers.push_back(i);
  }
  return consumers;
}

int Graph::Producer(ValueId value) const {
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
    if (nodes[i].output == value) return i;
  }
  return -1;
}

bool Graph::IsOutput(ValueId value) const {
  return std::find(outputs.begin(), outputs.end(), value) != outputs.end();
}

void Graph::ReplaceUses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

Status Graph::Compact() {
  std::vector<int> producers(values.size(), -1);
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) producers[nodes[i].output] = i;
  const std::vector<int> order = TopologicalOrder(*this, producers);
  if (order.size() != nodes.size()) {
    return Fail(ErrorCode::kInternal, "the graph '{}' has a cycle among its {} nodes", name,
                nodes.size());
  }

  std::vector<bool> live(values.size(), false);
  for (ValueId value : inputs) live[value] = true;
  for (ValueId value : outputs) live[value] = true;
  std::vector<Node> kept;
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node& node = nodes[*it];
    if (!live[node.output]) continue;
    for (ValueId input : node.inputs) {
      if (input != kNoValue) live[input] = true;
    }
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  nodes = std::move(kept);

  std::vector<ValueId> renumbered(values.size(), kNoValue);
  std::vector<Value> kept_values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!live[i]) continue;
    renumbered[i] = static_cast<ValueId>(kept_values.size());
    kept_values.push_back(std::move(values[i]));
  }
  values = std::move(kept_values);
  for (ValueId& value : inputs) value = renumbered[value];
  for (ValueId& value : outputs) value = renumbered[value];
  for (Node& node : nodes) {
    node.output = renumbered[node.output];
    for (ValueId& value : node.inputs) {
      if (value != kNoValue) value = renumbered[value];
    }
  }
  return {};
}

Status Graph::Verify() const {
  std::vector<bool> defined(values.size(), false);
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& value = values[i];
    if (value.constant == nullptr) continue;
    defined[i] = true;
    if (value.constant->type() != value.type) {
      return Fail(ErrorCode::kInternal, "constant '{}' holds {} but is declared {}", value.name,
                  whet::ToString(value.constant->type()), whet::ToString(value.type));
    }
  }
  for (ValueId value : inputs) defined[value] = true;
  for (const Node& node : nodes) {
    for (ValueId value : node.inputs) {
      if (value != kNoValue && !defined[value]) {
        return Fail(ErrorCode::kInternal, "{} reads '{}' before it is computed", Describe(node),
                    values[value].name);
      }
    }
    if (defined[node.output]) {
      return Fail(ErrorCode::kInternal, "{} writes '{}', which already has a value", Describe(node),
                  values[node.output].name);
    }
    defined[node.output] = true;
    ASSIGN_OR_RETURN(const TensorType type, InferOutput(*this, node));
    if (type != values[node.output].type) {
      return Fail(ErrorCode::kInternal, "{} computes {} but '{}' is recorded as {}", Describe(node),
                  whet::ToString(type), values[node.output].name,
                  whet::ToString(values[node.output].type));
    }
  }
  for (ValueId value : outputs) {
    if (!defined[value]) {
      return Fail(ErrorCode::kInternal, "output '{}' is never computed", values[value].name);
    }
  }
  return {};
}

std::string Graph::ToString() const {
  std::string text;
  const auto add = [&](const Value& value) {
    text += fmt::format("{}{}: {}", value.constant != nullptr ? "const " : "", value.name,
                        whet::ToString(value.type));
  };
  for (ValueId value : inputs) {
    text += "input ";
    add(values[value]);
    text += '\n';
  }
  for (const Node& node : nodes) {
    add(values[node.output]);
    text += fmt::format(" = {}(", node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (i > 0) text += ", ";
      if (node.inputs[i] == kNoValue) {
        text += '-';
      } else if (const Value& value = values[node.inputs[i]]; value.constant != nullptr) {
        add(value);
      } else {
        text += value.name;
      }
    }
    text += ')';
    for (const auto& [key, attribute] : node.attributes.values()) {
      text += fmt::format(" {}={}", key, Spelled(attribute));
    }
    text += '\n';
  }
  for (ValueId value : outputs) {
    text += "output ";
    add(values[value]);
    text += '\n';
  }
  return text;
}

std::string Describe(const Node& node) { return fmt::format("node '{}' ({})", node.name, node.op); }

Result<TensorType> InferOutput(const Graph& graph, const Node& node) {
  const OperatorDef* def = FindOperator(node.op);
  if (def == nullptr) {
    return Fail(ErrorCode::kUnsupported, "{}: Whet has no operator of this name", Describe(node));
  }
  const int count = static_cast<int>(node.inputs.size());
  if (count < def->min_inputs || (def->max_inputs >= 0 && count > def->max_inputs)) {
    return Fail(ErrorCode::kInvalidInput, "{}: has {} inputs, which the operator does not take",
                Describe(node), count);
  }
  std::vector<const TensorType*> types;
  for (int i = 0; i < count; ++i) {
    const ValueId input = node.inputs[i];
    if (input == kNoValue && i < def->min_inputs) {
      return Fail(ErrorCode::kInvalidInput, "{}: input {} is missing", Describe(node), i);
    }
    types.push_back(input == kNoValue ? nullptr : &graph.values[input].type);
  }
  Result<TensorType> type = def->infer(node.attributes, types);
  if (!type) return Prefixed(std::move(type).error(), Describe(node));
  return type;
}

}  // namespace whet
