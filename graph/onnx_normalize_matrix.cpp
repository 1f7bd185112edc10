// Matrix products, Softmax and LayerNormalization.
#include <numeric>

#include "graph/onnx_normalize.h"

namespace whet {
namespace {

Status Gemm(OnnxNode& node) {
  if (node.opset() < 7) node.Ignore({"broadcast"});  // of c: where it is needed, it is meant
  const Attributes attributes{{"alpha", node.Float("alpha", 1)},
                              {"beta", node.Float("beta", 1)},
                              {"transA", node.Int("transA", 0)},
                              {"transB", node.Int("transB", 0)}};
  ASSIGN_OR_RETURN(
      const ValueId value,
      node.Emit("Gemm", {node.Input(0), node.Input(1), node.OptionalInput(2)}, attributes));
  node.Return(value);
  return {};
}

Status MatMul(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("MatMul", {node.Input(0), node.Input(1)}));
  node.Return(value);
  return {};
}

// Before opset 13, the softmax of rows of the matrix [product of the axes before `axis`, of the
// others].
Status Softmax(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  const int64_t rank = static_cast<int64_t>(shape.size());
  const bool rows = node.opset() < 13;
  int64_t axis = node.Int("axis", rows ? 1 : -1);
  // A vector's default axis is behind its last: rows of one element each.
  if (!rows || axis != rank) {
    ASSIGN_OR_RETURN(axis, node.Axis(axis, rank));
  }
  ValueId value = x;
  if (rows && axis != rank - 1) {
    const int64_t before = ElementCount(Shape(shape.begin(), shape.begin() + axis));
    const int64_t after = ElementCount(Shape(shape.begin() + axis, shape.end()));
    ASSIGN_OR_RETURN(value, node.EmitReshape(value, {before, after}));
    ASSIGN_OR_RETURN(value, node.Emit("Softmax", {value}, {{"axis", int64_t{1}}}));
    ASSIGN_OR_RETURN(value, node.EmitReshape(value, shape));
  } else {
    ASSIGN_OR_RETURN(value, node.Emit("Softmax", {value}, {{"axis", axis}}));
  }
  node.Return(value);
  return {};
}

// Outputs 1 and 2: the mean of each row, and one over its standard deviation.
Status ReturnStatistics(OnnxNode& node, ValueId x, int64_t axis, double epsilon) {
  std::vector<int64_t> axes(node.ShapeOf(x).size() - static_cast<size_t>(axis));
  std::iota(axes.begin(), axes.end(), axis);
  ASSIGN_OR_RETURN(const ValueId mean, node.Emit("ReduceMean", {x}, {{"axes", axes}}));
  node.Return(mean, 1);
  if (!node.OutputUsed(2)) return {};
  ASSIGN_OR_RETURN(const ValueId difference, node.Emit("Sub", {x, mean}));
  ASSIGN_OR_RETURN(ValueId value, node.Emit("Mul", {difference, difference}));
  ASSIGN_OR_RETURN(value, node.Emit("ReduceMean", {value}, {{"axes", axes}}));
  const ValueId offset = node.EmitConstant(Tensor::Float({}, {static_cast<float>(epsilon)}));
  ASSIGN_OR_RETURN(value, node.Emit("Add", {value, offset}));
  ASSIGN_OR_RETURN(value, node.Emit("Sqrt", {value}));
  ASSIGN_OR_RETURN(value, node.Emit("Div", {node.EmitConstant(Tensor::Float({}, {1})), value}));
  node.Return(value, 2);
  return {};
}

Status LayerNormalization(OnnxNode& node) {
  node.Ignore({"stash_type"});  // the type of the statistics: f32, as everything
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  const double epsilon = node.Float("epsilon", 1e-5f);
  ASSIGN_OR_RETURN(const int64_t axis,
                   node.Axis(node.Int("axis", -1), static_cast<int64_t>(shape.size())));
  const Shape row(shape.begin() + axis, shape.end());
  std::vector<ValueId> inputs{x, node.Input(1), node.OptionalInput(2)};
  for (size_t i = 1; i < inputs.size(); ++i) {
    // Dimensions of one element in front of a row's say nothing.
    if (inputs[i] == kNoValue || ElementCount(node.ShapeOf(inputs[i])) != ElementCount(row))
      continue;
    ASSIGN_OR_RETURN(inputs[i], node.EmitReshape(inputs[i], row));
  }
  ASSIGN_OR_RETURN(const ValueId value,
                   node.Emit("LayerNormalization", inputs, {{"axis", axis}, {"epsilon", epsilon}}));
  node.Return(value);
  if (node.OutputUsed(1) || node.OutputUsed(2)) return ReturnStatistics(node, x, axis, epsilon);
  return {};
}

constexpr OnnxOperator kOperators[] = {{"Gemm", Gemm},
                                       {"MatMul", MatMul},
                                       {"Softmax", Softmax},
                                       {"LayerNormalization", LayerNormalization}};

}  // namespace

std::span<const OnnxOperator> MatrixOnnxOperators() { return kOperators; }

}  // namespace whet
