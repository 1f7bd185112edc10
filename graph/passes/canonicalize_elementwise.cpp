// Three rewrites of elementwise nodes, each to a fixed point:
//   - spellings of HardSigmoid and HardSwish out of Add, Clip, Mul and Div become the operator;
//   - arithmetic with a constant a channel goes into the weights and bias of the Conv, Gemm or
//   MatMul before it;
//   - views move behind elementwise nodes, so that views meet and cancel, and followers stand next
//   to their producer.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"
#include "schedules/operators/operator.h"

namespace whet {
namespace {

bool Near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); }

// x where `value` is Clip(x + 3, 0, 6).
ValueId MatchRelu6OfPlus3(const Graph& graph, ValueId value) {
  const Node* clip = ProducerOf(graph, value);
  if (clip == nullptr || clip->op != "Clip" || !clip->attributes.Has("min") ||
      clip->attributes.Float("min") != 0 || clip->attributes.Float("max") != 6) {
    return kNoValue;
  }
  const Node* add = ProducerOf(graph, clip->inputs[0]);
  if (add == nullptr || add->op != "Add") return kNoValue;
  const std::optional<WithNumber> split = SplitNumber(graph, *add, true);
  return split && split->number == 3 ? split->x : kNoValue;
}

// x where `value` is factor * gate(x), and factor * gate is HardSwish's: clip(x / 6 + 0.5, 0, 1).
ValueId MatchGate(const Graph& graph, ValueId value, double factor) {
  if (Near(factor, 1.0 / 6)) {
    if (const ValueId x = MatchRelu6OfPlus3(graph, value); x != kNoValue) return x;
  }
  const Node* node = ProducerOf(graph, value);
  const bool matches = node != nullptr && node->op == "HardSigmoid" && Near(factor, 1) &&
                       Near(node->attributes.Float("alpha", 0.2), 1.0 / 6) &&
                       Near(node->attributes.Float("beta", 0.5), 0.5);
  return matches ? node->inputs[0] : kNoValue;
}

// x where `value` is HardSwish(x) spelled out.
ValueId MatchHardSwish(const Graph& graph, ValueId value) {
  const Scaled product = StripNumbers(graph, value);
  const Node* mul = ProducerOf(graph, product.base);
  if (mul == nullptr || mul->op != "Mul") return kNoValue;
  for (int i : {0, 1}) {
    const ValueId gate = mul->inputs[i], x = mul->inputs[1 - i];
    const Scaled stripped_gate = StripNumbers(graph, gate), stripped_x = StripNumbers(graph, x);
    const double factor = product.factor * stripped_gate.factor;
    const ValueId argument = MatchGate(graph, stripped_gate.base, factor);
    if (argument != kNoValue && argument == x) return x;
    // The sixth may also stand on x: (x / 6) * Clip(x + 3, 0, 6).
    if (stripped_x.base != x &&
        MatchGate(graph, stripped_gate.base, factor * stripped_x.factor) == stripped_x.base) {
      return stripped_x.base;
    }
  }
  return kNoValue;
}

bool RecognizeActivations(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.op != "Mul" && node.op != "Div") continue;
    const TensorType& type = graph.values[node.output].type;
    if (const ValueId x = MatchHardSwish(graph, node.output);
        x != kNoValue && graph.values[x].type == type) {
      node.op = "HardSwish";
      node.inputs = {x};
      node.attributes = {};
      changed = true;
      continue;
    }
    const Scaled scaled = StripNumbers(graph, node.output);
    const ValueId x = MatchGate(graph, scaled.base, scaled.factor);
    if (x != kNoValue && graph.values[x].type == type && scaled.base != node.output) {
      node.op = "HardSigmoid";
      node.inputs = {x};
      node.attributes = {{"alpha", 1.0 / 6}, {"beta", 0.5}};
      changed = true;
    }
  }
  return changed;
}

// y = x * scale + shift for an Add, Sub, Mul or Div of x = operand `i` with the other operand's
// constant.
struct ChannelAffine {
  std::vector<double> scale, shift;
};
std::optional<ChannelAffine> ReadAffine(const Graph& graph, const Node& node, int i, size_t axis) {
  const Shape& shape = graph.values[node.output].type.shape;
  const std::optional<std::vector<double>> numbers =
      ConstantAlong(graph, node.inputs[1 - i], shape, axis);
  if (!numbers || graph.values[node.inputs[i]].type != graph.values[node.output].type)
    return std::nullopt;
  const auto folds = [&](double number) {
    return std::isfinite(number) && (node.op != "Div" || number != 0);
  };
  if (!std::all_of(numbers->begin(), numbers->end(), folds)) return std::nullopt;
  const size_t count = numbers->size();
  ChannelAffine affine{std::vector<double>(count, 1), std::vector<double>(count, 0)};
  if (node.op == "Add") {
    affine.shift = *numbers;
  } else if (node.op == "Mul") {
    affine.scale = *numbers;
  } else if (node.op == "Sub" && i == 0) {
    for (size_t c = 0; c < count; ++c) affine.shift[c] = -(*numbers)[c];
  } else if (node.op == "Sub") {
    affine.scale.assign(count, -1);
    affine.shift = *numbers;
  } else if (node.op == "Div" && i == 0) {
    for (size_t c = 0; c < count; ++c) affine.scale[c] = 1 / (*numbers)[c];
  } else {
    return std::nullopt;
  }
  return affine;
}

bool FoldArithmetic(Graph& graph) {
  bool changed = false;
  for (size_t k = 0; k < graph.nodes.size(); ++k) {
    const Node node = graph.nodes[k];
    if (node.op != "Add" && node.op != "Sub" && node.op != "Mul" && node.op != "Div") continue;
    for (int i : {0, 1}) {
      const ValueId x = node.inputs[i];
      const int producer = graph.Producer(x);
      if (producer < 0 || graph.values[x].type.shape.size() < 2 || !HasOneUse(graph, x)) continue;
      const Node& anchor = graph.nodes[producer];
      const size_t rank = graph.values[x].type.shape.size();
      const bool conv = anchor.op == "Conv" || anchor.op == "ConvTranspose";
      const size_t axis = conv ? ChannelAxis(anchor) : rank - 1;
      const std::optional<ChannelAffine> affine = ReadAffine(graph, node, i, axis);
      if (!affine || !FoldAffine(graph, producer, affine->scale, affine->shift)) continue;
      ReplaceValue(graph, node.output, x);
      changed = true;
      break;
    }
  }
  return changed;
}

// f(Reshape(x)) becomes Reshape(f(x)) for elementwise f of one tensor, numbers aside.
Result<bool> SinkViews(Graph& graph) {
  bool changed = false;
  const size_t count = graph.nodes.size();
  for (size_t k = 0; k < count; ++k) {
    const Node node = graph.nodes[k];
    const OperatorDef* def = FindOperator(node.op);
    if (def == nullptr || def->op_class != OperatorClass::kElementwise) continue;
    int tensor = -1;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!ScalarConstant(graph, node.inputs[i])) tensor = tensor == -1 ? static_cast<int>(i) : -2;
    }
    if (tensor < 0) continue;
    const Node* view = ProducerOf(graph, node.inputs[tensor]);
    if (view == nullptr || view->op != "Reshape") continue;
    const Shape shape = graph.values[node.output].type.shape;
    if (graph.values[node.inputs[tensor]].type.shape != shape) continue;
    const ValueId x = view->inputs[0];
    std::vector<ValueId> inputs = node.inputs;
    inputs[tensor] = x;
    for (ValueId& input : inputs) {
      // A number of more dimensions than x would give the result more, too.
      if (graph.values[input].type.shape.size() > graph.values[x].type.shape.size()) {
        input =
            graph.AddConstant(graph.values[input].name, graph.values[input].constant->Reshaped({}));
      }
    }
    ASSIGN_OR_RETURN(const ValueId moved,
                     AddNode(graph, node.name, node.op, std::move(inputs), node.attributes));
    graph.nodes[k] = Node{node.name + "/view", "Reshape", {moved}, node.output, {{"shape", shape}}};
    changed = true;
  }
  return changed;
}

}  // namespace

Status CanonicalizeElementwise(Graph& graph) {
  for (bool changed = true; changed;) {
    changed = RecognizeActivations(graph);
    RETURN_IF_ERROR(graph.Compact());
    changed |= FoldArithmetic(graph);
    RETURN_IF_ERROR(graph.Compact());
    ASSIGN_OR_RETURN(const bool sunk, SinkViews(graph));
    changed |= sunk;
    RETURN_IF_ERROR(RemoveNoOps(graph));
  }
  return graph.Verify();
}

}  // namespace whet
