#include <algorithm>
#include <numeric>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"

namespace whet {
namespace {

bool IsConstantOf(const Graph& graph, ValueId value, double number) {
  const Tensor* constant = graph.values[value].constant.get();
  if (constant == nullptr || constant->count() == 0) return false;
  for (int64_t i = 0; i < constant->count(); ++i) {
    if (constant->AsDouble(i) != number) return false;
  }
  return true;
}

// The operand that a node of two operands leaves as it is, for its neutral element.
ValueId NeutralOperand(const Graph& graph, const Node& node) {
  const bool sum = node.op == "Add" || node.op == "Sub";
  const bool product = node.op == "Mul" || node.op == "Div";
  if (!sum && !product) return kNoValue;
  const double neutral = sum ? 0 : 1;
  if (IsConstantOf(graph, node.inputs[1], neutral)) return node.inputs[0];
  const bool commutes = node.op == "Add" || node.op == "Mul";
  return commutes && IsConstantOf(graph, node.inputs[0], neutral) ? node.inputs[1] : kNoValue;
}

// The input whose elements the node returns unchanged, in their order; kNoValue if it does
// something.
ValueId Unchanged(const Graph& graph, const Node& node) {
  const ValueId x = node.inputs[0];
  if (node.op == "Reshape" || node.op == "Cast" || node.op == "Slice")
    return x;  // if the type is kept, too
  if (node.op == "Concat") return node.inputs.size() == 1 ? x : kNoValue;
  if (node.op == "Transpose") {
    const std::vector<int64_t> perm = node.attributes.Ints("perm");
    return std::is_sorted(perm.begin(), perm.end()) ? x : kNoValue;
  }
  if (node.op == "Clip")
    return node.attributes.Has("min") || node.attributes.Has("max") ? kNoValue : x;
  if (node.op == "Relu") {
    const Node* producer = ProducerOf(graph, x);
    return producer != nullptr && producer->op == "Relu" ? x : kNoValue;
  }
  return NeutralOperand(graph, node);
}

}  // namespace

Status RemoveNoOps(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    // A view of a view looks at the first one.
    if (graph.nodes[i].op == "Reshape") {
      const Node* producer = ProducerOf(graph, graph.nodes[i].inputs[0]);
      if (producer != nullptr && producer->op == "Reshape")
        graph.nodes[i].inputs = {producer->inputs[0]};
    }
    const ValueId x = Unchanged(graph, graph.nodes[i]);
    if (x == kNoValue || graph.values[x].type != graph.values[graph.nodes[i].output].type) continue;
    ReplaceValue(graph, graph.nodes[i].output, x);
  }
  return graph.Compact();
}

}  // namespace whet
