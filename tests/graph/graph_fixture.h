// Small graphs and tensors for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "graph/graph.h"

namespace whet {

// Builds a graph node by node; every mistake is the test's own and fails it loudly.
class GraphBuilder {
 public:
  Graph graph;

  ValueId Input(std::string name, Shape shape) {
    const ValueId value =
        graph.AddValue(Value{std::move(name), {DataType::kFloat32, std::move(shape)}, nullptr});
    graph.inputs.push_back(value);
    return value;
  }
  ValueId Constant(Tensor tensor) {
    return graph.AddConstant(fmt::format("c{}", graph.values.size()), std::move(tensor));
  }
  ValueId Random(Shape shape, Rng& rng, double low = -1, double high = 1) {
    return Constant(RandomTensor(std::move(shape), rng, low, high));
  }
  ValueId Node(std::string op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    whet::Node node{fmt::format("n{}", graph.nodes.size()), std::move(op), std::move(inputs),
                    kNoValue, std::move(attributes)};
    Result<TensorType> type = InferOutput(graph, node);
    if (!type) throw std::logic_error(type.error().message);
    node.output = graph.AddValue(Value{node.name + "_out", *type, nullptr});
    graph.nodes.push_back(node);
    return node.output;
  }
  ValueId Conv(ValueId x, ValueId w, Attributes extra = {}) {
    return ConvWithBias(x, w, kNoValue, extra);
  }
  ValueId ConvWithBias(ValueId x, ValueId w, ValueId b, Attributes extra = {}) {
    Attributes attributes{{"strides", std::vector<int64_t>{1, 1}},
                          {"pads", std::vector<int64_t>{0, 0, 0, 0}},
                          {"dilations", std::vector<int64_t>{1, 1}},
                          {"group", int64_t{1}},
                          {"layout", std::string("NCHW")}};
    for (const auto& [key, value] : extra.values()) attributes.Set(key, value);
    std::vector<ValueId> inputs{x, w};
    if (b != kNoValue) inputs.push_back(b);
    return Node("Conv", inputs, attributes);
  }
  void Output(ValueId value) { graph.outputs.push_back(value); }

  const Shape& ShapeOf(ValueId value) const { return graph.values[value].type.shape; }

  static Tensor RandomTensor(Shape shape, Rng& rng, double low = -1, double high = 1) {
    Tensor tensor(TensorType{DataType::kFloat32, std::move(shape)});
    for (int64_t i = 0; i < tensor.count(); ++i) {
      tensor.data<float>()[i] = static_cast<float>(low + (high - low) * rng.Uniform());
    }
    return tensor;
  }
};

// Random tensors for the graph's inputs.
inline std::vector<Tensor> RandomInputs(const Graph& graph, Rng& rng) {
  std::vector<Tensor> tensors;
  for (ValueId input : graph.inputs) {
    tensors.push_back(GraphBuilder::RandomTensor(graph.values[input].type.shape, rng, -3, 3));
  }
  return tensors;
}

inline std::vector<const Tensor*> Pointers(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

inline int CountOp(const Graph& graph, std::string_view op) {
  int count = 0;
  for (const Node& node : graph.nodes) count += node.op == op;
  return count;
}

}  // namespace whet
