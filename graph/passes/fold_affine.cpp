#include <algorithm>

#include "graph/passes/rewrite.h"

namespace whet {
namespace {

bool IsFloatConstant(const Graph& graph, ValueId value) {
  return value != kNoValue && graph.values[value].constant != nullptr &&
         graph.values[value].type.dtype == DataType::kFloat32;
}

// A copy of constant `value` where element i is scaled by scale[i / inner % scale.size()].
ValueId ScaledConstant(Graph& graph, ValueId value, const std::vector<double>& scale,
                       int64_t inner) {
  if (std::all_of(scale.begin(), scale.end(), [](double s) { return s == 1; })) return value;
  Tensor scaled = *graph.values[value].constant;
  float* data = scaled.data<float>();
  const int64_t channels = static_cast<int64_t>(scale.size());
  for (int64_t i = 0; i < scaled.count(); ++i) {
    data[i] = static_cast<float>(data[i] * scale[static_cast<size_t>(i / inner % channels)]);
  }
  return graph.AddConstant(graph.values[value].name, std::move(scaled));
}

ValueId Vector(Graph& graph, std::string name, const std::vector<double>& numbers) {
  Tensor tensor(TensorType{DataType::kFloat32, {static_cast<int64_t>(numbers.size())}});
  std::transform(numbers.begin(), numbers.end(), tensor.data<float>(),
                 [](double number) { return static_cast<float>(number); });
  return graph.AddConstant(std::move(name), std::move(tensor));
}

std::vector<double> Affine(const std::vector<double>& x, double factor,
                           const std::vector<double>& scale, const std::vector<double>& shift) {
  std::vector<double> y(scale.size());
  for (size_t i = 0; i < y.size(); ++i) y[i] = factor * x[i] * scale[i] + shift[i];
  return y;
}

bool FoldConv(Graph& graph, int index, const std::vector<double>& scale,
              const std::vector<double>& shift) {
  const Node node = graph.nodes[index];
  const ValueId weights = node.inputs[1];
  const ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  if (!IsFloatConstant(graph, weights) || (bias != kNoValue && !IsFloatConstant(graph, bias)))
    return false;
  const Shape shape = graph.values[weights].type.shape;
  // Weights are [m, c, kh, kw], those of ConvTranspose [c, m, kh, kw].
  const bool transposed = node.op == "ConvTranspose";
  if (transposed && node.attributes.Int("group", 1) != 1) return false;
  const int64_t features = static_cast<int64_t>(scale.size());
  std::vector<double> offsets(scale.size(), 0);
  if (bias != kNoValue) offsets = *ConstantAlong(graph, bias, {features}, 0);
  const std::vector<double> folded = Affine(offsets, 1, scale, shift);
  const ValueId scaled =
      ScaledConstant(graph, weights, scale, (transposed ? 1 : shape[1]) * shape[2] * shape[3]);
  const std::string name = bias != kNoValue ? graph.values[bias].name : node.name + "/bias";
  graph.nodes[index].inputs = {node.inputs[0], scaled, Vector(graph, name, folded)};
  return true;
}

bool FoldGemm(Graph& graph, int index, const std::vector<double>& scale,
              const std::vector<double>& shift) {
  const Node node = graph.nodes[index];
  const ValueId b = node.inputs[1], c = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  const Shape output = graph.values[node.output].type.shape;
  std::optional<std::vector<double>> offsets = std::vector<double>(scale.size(), 0);
  if (c != kNoValue) offsets = ConstantAlong(graph, c, output, 1);
  if (!IsFloatConstant(graph, b) || !offsets) return false;
  const bool transposed = node.attributes.Int("transB", 0) != 0;
  const ValueId scaled =
      ScaledConstant(graph, b, scale, transposed ? graph.values[b].type.shape[1] : 1);
  const std::vector<double> folded =
      Affine(*offsets, node.attributes.Float("beta", 1), scale, shift);
  const std::string name = c != kNoValue ? graph.values[c].name : node.name + "/bias";
  graph.nodes[index].inputs = {node.inputs[0], scaled, Vector(graph, name, folded)};
  graph.nodes[index].attributes.Set("beta", 1.0);
  return true;
}

bool FoldMatMul(Graph& graph, int index, const std::vector<double>& scale,
                const std::vector<double>& shift) {
  const Node node = graph.nodes[index];
  const ValueId a = node.inputs[0], b = node.inputs[1];
  if (!IsFloatConstant(graph, b) || graph.values[b].type.shape.size() < 2) return false;
  const bool shifts = std::any_of(shift.begin(), shift.end(), [](double s) { return s != 0; });
  if (shifts &&
      (graph.values[a].type.shape.size() != 2 || graph.values[b].type.shape.size() != 2)) {
    return false;  // a product of stacks has no bias operand: the sum is fused behind it instead
  }
  const ValueId scaled = ScaledConstant(graph, b, scale, 1);
  graph.nodes[index].inputs = {a, scaled};
  if (shifts) {
    graph.nodes[index].op = "Gemm";
    graph.nodes[index].inputs.push_back(Vector(graph, node.name + "/bias", shift));
    graph.nodes[index].attributes = {
        {"alpha", 1.0}, {"beta", 1.0}, {"transA", int64_t{0}}, {"transB", int64_t{0}}};
  }
  return true;
}

}  // namespace

bool FoldAffine(Graph& graph, int index, const std::vector<double>& scale,
                const std::vector<double>& shift) {
  const std::string op = graph.nodes[index].op;
  if (op == "Conv" || op == "ConvTranspose") return FoldConv(graph, index, scale, shift);
  if (op == "Gemm") return FoldGemm(graph, index, scale, shift);
  if (op == "MatMul") return FoldMatMul(graph, index, scale, shift);
  return false;
}

}  // namespace whet
