// Matrix products and Softmax.
#include "graph/onnx_normalize.h"

namespace whet {
namespace {

Status Gemm(OnnxNode& node) {
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
  ASSIGN_OR_RETURN(const int64_t axis, node.Axis(node.Int("axis", rows ? 1 : -1), rank));
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

constexpr OnnxOperator kOperators[] = {{"Gemm", Gemm}, {"MatMul", MatMul}, {"Softmax", Softmax}};

}  // namespace

std::span<const OnnxOperator> MatrixOnnxOperators() { return kOperators; }

}  // namespace whet
