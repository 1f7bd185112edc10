#include <cmath>
#include <optional>

#include "graph/passes.h"
#include "graph/passes/rewrite.h"

namespace whet {
namespace {

// y = x * scale + shift, a number a channel.
struct ChannelAffine {
  std::vector<double> scale, shift;
};

std::optional<ChannelAffine> ReadBatchNorm(const Graph& graph, const Node& node) {
  std::optional<std::vector<double>> parameters[4];
  for (int i = 0; i < 4; ++i) {
    const ValueId value = node.inputs[i + 1];
    parameters[i] = ConstantAlong(graph, value, graph.values[value].type.shape, 0);
    if (!parameters[i]) return std::nullopt;
  }
  const auto& [factor, bias, mean, variance] = parameters;
  const double epsilon = node.attributes.Float("epsilon", 1e-5);
  ChannelAffine affine;
  for (size_t c = 0; c < factor->size(); ++c) {
    const double scale = (*factor)[c] / std::sqrt((*variance)[c] + epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back((*bias)[c] - (*mean)[c] * scale);
  }
  return affine;
}

// A constant that broadcasts along the channels of a tensor of `rank` dimensions.
ValueId ChannelConstant(Graph& graph, std::string name, const std::vector<double>& numbers,
                        size_t rank, size_t axis) {
  Shape shape(rank - axis, 1);
  shape[0] = static_cast<int64_t>(numbers.size());
  Tensor tensor(TensorType{DataType::kFloat32, shape});
  for (size_t i = 0; i < numbers.size(); ++i)
    tensor.data<float>()[i] = static_cast<float>(numbers[i]);
  return graph.AddConstant(std::move(name), std::move(tensor));
}

}  // namespace

Status FoldBatchNorm(Graph& graph) {
  const size_t count = graph.nodes.size();
  for (size_t i = 0; i < count; ++i) {
    if (graph.nodes[i].op != "BatchNormalization") continue;
    const Node node = graph.nodes[i];
    const std::optional<ChannelAffine> affine = ReadBatchNorm(graph, node);
    if (!affine) continue;  // parameters computed at run time: the operator stays
    const ValueId x = node.inputs[0];
    const int producer = graph.Producer(x);
    const bool conv = producer >= 0 && (graph.nodes[producer].op == "Conv" ||
                                        graph.nodes[producer].op == "ConvTranspose");
    if (conv && HasOneUse(graph, x) && ChannelAxis(graph.nodes[producer]) == ChannelAxis(node) &&
        !graph.IsOutput(x) && FoldAffine(graph, producer, affine->scale, affine->shift)) {
      ReplaceValue(graph, node.output, x);
      continue;
    }
    const size_t rank = graph.values[x].type.shape.size(), axis = rank == 4 ? ChannelAxis(node) : 1;
    const ValueId scale = ChannelConstant(graph, node.name + "/scale", affine->scale, rank, axis);
    const ValueId shift = ChannelConstant(graph, node.name + "/shift", affine->shift, rank, axis);
    ASSIGN_OR_RETURN(const ValueId scaled,
                     AddNode(graph, node.name + "/scaled", "Mul", {x, scale}));
    graph.nodes[i] = Node{node.name, "Add", {scaled, shift}, node.output, {}};
  }
  return graph.Compact();
}

}  // namespace whet
