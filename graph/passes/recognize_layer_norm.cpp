// LayerNormalization as exporters spelled it before opset 17:
//
//   d = x - ReduceMean(x); y = d / Sqrt(ReduceMean(d * d) + epsilon) * scale + bias
//
// The quotient becomes the operator with a scale of ones; products and sums with constants of a row
// then go into its operands.
#include <cmath>
#include <optional>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"

namespace whet {
namespace {

// A value less its mean over the dimensions from `axis` on.
struct Centred {
  ValueId x;
  int64_t axis;
  bool operator==(const Centred&) const = default;
};

// The operand whose mean over trailing dimensions `value` is; `axis` is the first of them.
std::optional<Centred> MatchMean(const Graph& graph, ValueId value) {
  const Node* mean = ProducerOf(graph, value);
  if (mean == nullptr || mean->op != "ReduceMean") return std::nullopt;
  const std::vector<int64_t> axes = mean->attributes.Ints("axes");
  const auto rank = static_cast<int64_t>(graph.values[value].type.shape.size());
  if (axes.empty() || axes.back() + 1 != rank ||
      axes.front() + static_cast<int64_t>(axes.size()) != rank) {
    return std::nullopt;
  }
  return Centred{mean->inputs[0], axes.front()};
}

std::optional<Centred> MatchCentred(const Graph& graph, ValueId value) {
  const Node* difference = ProducerOf(graph, value);
  if (difference == nullptr || difference->op != "Sub") return std::nullopt;
  const std::optional<Centred> mean = MatchMean(graph, difference->inputs[1]);
  return mean && mean->x == difference->inputs[0] ? mean : std::nullopt;
}

// epsilon where `value` is Sqrt(ReduceMean(d * d) + epsilon) of the centred d.
std::optional<double> MatchDeviation(const Graph& graph, ValueId value, const Centred& centred) {
  const Node* root = ProducerOf(graph, value);
  if (root == nullptr || root->op != "Sqrt") return std::nullopt;
  const Node* sum = ProducerOf(graph, root->inputs[0]);
  if (sum == nullptr || sum->op != "Add") return std::nullopt;
  for (int i : {0, 1}) {
    const std::optional<double> epsilon = ScalarConstant(graph, sum->inputs[i]);
    const std::optional<Centred> mean = MatchMean(graph, sum->inputs[1 - i]);
    if (!epsilon || !mean || mean->axis != centred.axis) continue;
    const Node* square = ProducerOf(graph, mean->x);
    if (square != nullptr && square->op == "Mul" &&
        MatchCentred(graph, square->inputs[0]) == centred &&
        MatchCentred(graph, square->inputs[1]) == centred) {
      return epsilon;
    }
  }
  return std::nullopt;
}

struct Match {
  Centred centred;
  double epsilon;
};

// d / deviation, or d * (1 / deviation).
std::optional<Match> MatchNormalised(const Graph& graph, const Node& node) {
  for (int i : {0, 1}) {
    if (node.op == "Div" && i == 1) break;
    const std::optional<Centred> centred = MatchCentred(graph, node.inputs[i]);
    if (!centred) continue;
    ValueId deviation = node.inputs[1 - i];
    if (node.op == "Mul") {
      const Node* inverse = ProducerOf(graph, deviation);
      if (inverse == nullptr || inverse->op != "Div" ||
          ScalarConstant(graph, inverse->inputs[0]) != 1.0) {
        continue;
      }
      deviation = inverse->inputs[1];
    }
    if (const auto epsilon = MatchDeviation(graph, deviation, *centred))
      return Match{*centred, *epsilon};
  }
  return std::nullopt;
}

// The constant as a tensor of the shape of a row; nothing where it is none or has other dimensions.
std::optional<Tensor> AsRow(const Graph& graph, ValueId value, const Shape& row) {
  const Tensor* constant = graph.values[value].constant.get();
  if (constant == nullptr || constant->dtype() != DataType::kFloat32) return std::nullopt;
  Shape shape = constant->shape();
  while (shape.size() > row.size() && shape.front() == 1) shape.erase(shape.begin());
  Tensor tensor(TensorType{DataType::kFloat32, row});
  if (constant->count() == 1 && shape.size() <= row.size()) {
    std::fill_n(tensor.data<float>(), tensor.count(), constant->data<float>()[0]);
    return tensor;
  }
  if (shape != row) return std::nullopt;
  return constant->Reshaped(row);
}

// LayerNormalization(x, scale, b) * c or + c: into scale and b.
bool FoldInto(Graph& graph, const Node& node) {
  for (int i : {0, 1}) {
    const ValueId y = node.inputs[i];
    const int index = graph.Producer(y);
    if (index < 0 || graph.nodes[index].op != "LayerNormalization" || !HasOneUse(graph, y) ||
        graph.values[y].type != graph.values[node.output].type) {
      continue;
    }
    const std::vector<ValueId> operands = graph.nodes[index].inputs;
    const Shape row = graph.values[operands[1]].type.shape;
    const std::optional<Tensor> c = AsRow(graph, node.inputs[1 - i], row);
    if (!c) continue;
    std::vector<ValueId> folded{operands[0]};
    for (size_t k = 1; k < 3; ++k) {
      const bool there = k < operands.size();
      if (node.op == "Add" ? k == 1 : !there) {
        if (there) folded.push_back(operands[k]);
        continue;
      }
      Tensor sum = *c;
      if (there) {
        const std::optional<Tensor> own = AsRow(graph, operands[k], row);
        if (!own) return false;
        for (int64_t e = 0; e < sum.count(); ++e) {
          float& value = sum.data<float>()[e];
          value = node.op == "Add" ? value + own->data<float>()[e] : value * own->data<float>()[e];
        }
      }
      folded.push_back(graph.AddConstant(graph.nodes[index].name + (k == 1 ? "/scale" : "/bias"),
                                         std::move(sum)));
    }
    if (!ReplaceValue(graph, node.output, y)) return false;
    graph.nodes[index].inputs = std::move(folded);
    return true;
  }
  return false;
}

}  // namespace

Status RecognizeLayerNorm(Graph& graph) {
  const size_t count = graph.nodes.size();
  for (size_t i = 0; i < count; ++i) {
    if (graph.nodes[i].op != "Div" && graph.nodes[i].op != "Mul") continue;
    const std::optional<Match> match = MatchNormalised(graph, graph.nodes[i]);
    if (!match) continue;
    const TensorType& type = graph.values[match->centred.x].type;
    if (type != graph.values[graph.nodes[i].output].type) continue;
    const std::string name = graph.nodes[i].name + "/scale";
    Tensor ones(TensorType{DataType::kFloat32,
                           Shape(type.shape.begin() + match->centred.axis, type.shape.end())});
    std::fill_n(ones.data<float>(), ones.count(), 1.0f);
    const ValueId scale = graph.AddConstant(name, std::move(ones));
    Node& node = graph.nodes[i];
    node.op = "LayerNormalization";
    node.inputs = {match->centred.x, scale};
    node.attributes = {{"axis", match->centred.axis}, {"epsilon", match->epsilon}};
  }
  RETURN_IF_ERROR(graph.Compact());
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < graph.nodes.size() && !changed; ++i) {
      const Node node = graph.nodes[i];
      changed = (node.op == "Mul" || node.op == "Add") && FoldInto(graph, node);
    }
    if (changed) RETURN_IF_ERROR(graph.Compact());
  }
  return graph.Verify();
}

}  // namespace whet
