// ONNX's Reduce family: axes resolved, reduced dimensions dropped by a view.
#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/onnx_normalize.h"

namespace whet {
namespace {

// The dimensions to reduce, ascending; none: the value stays as it is. Axes are an attribute before
// opset 18 (ReduceSum: 13), an input since.
Result<std::vector<int64_t>> ReadReducedAxes(OnnxNode& node, int64_t rank) {
  const bool nothing = node.Int("noop_with_empty_axes", 0) != 0;
  std::vector<int64_t> axes = node.Ints("axes");
  if (node.HasInput(1)) {
    ASSIGN_OR_RETURN(axes, node.ConstantInts(1, "axes"));
  }
  for (int64_t& axis : axes) {
    ASSIGN_OR_RETURN(axis, node.Axis(axis, rank));
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) {
    return Fail(ErrorCode::kInvalidInput, "axes [{}] name one axis twice", fmt::join(axes, ", "));
  }
  if (axes.empty() && !nothing) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  return axes;
}

// `op` of a value over `axes`, all dimensions kept.
Result<ValueId> EmitReduction(OnnxNode& node, const std::string& op, ValueId x,
                              const std::vector<int64_t>& axes) {
  if (axes.empty()) return x;
  // The mean of an image's planes is what pooling knows in either layout.
  if (op == "ReduceMean" && node.ShapeOf(x).size() == 4 && axes == std::vector<int64_t>{2, 3}) {
    return node.Emit("GlobalAveragePool", {x}, {{"layout", std::string("NCHW")}});
  }
  return node.Emit(op, {x}, {{"axes", axes}});
}

// before(x) reduced by `op`, then after(y).
using Step = Result<ValueId> (*)(OnnxNode& node, ValueId x);
Status Reduce(OnnxNode& node, const std::string& op, Step before = nullptr, Step after = nullptr) {
  ValueId value = node.Input(0);
  const Shape shape = node.ShapeOf(value);
  const bool keep = node.Int("keepdims", 1) != 0;
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes,
                   ReadReducedAxes(node, static_cast<int64_t>(shape.size())));
  if (before != nullptr) {
    ASSIGN_OR_RETURN(value, before(node, value));
  }
  ASSIGN_OR_RETURN(value, EmitReduction(node, op, value, axes));
  if (after != nullptr) {
    ASSIGN_OR_RETURN(value, after(node, value));
  }
  Shape result;
  for (int64_t d = 0; d < static_cast<int64_t>(shape.size()); ++d) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), d);
    if (!reduced || keep) result.push_back(reduced ? 1 : shape[d]);
  }
  ASSIGN_OR_RETURN(value, node.EmitReshape(value, std::move(result)));
  node.Return(value);
  return {};
}

Result<ValueId> AbsOf(OnnxNode& node, ValueId x) { return node.Emit("Abs", {x}); }
Result<ValueId> SquareOf(OnnxNode& node, ValueId x) { return node.Emit("Mul", {x, x}); }
Result<ValueId> SqrtOf(OnnxNode& node, ValueId x) { return node.Emit("Sqrt", {x}); }
Result<ValueId> LogOf(OnnxNode& node, ValueId x) { return node.Emit("Log", {x}); }

Status ReduceSum(OnnxNode& node) { return Reduce(node, "ReduceSum"); }
Status ReduceMean(OnnxNode& node) { return Reduce(node, "ReduceMean"); }
Status ReduceMax(OnnxNode& node) { return Reduce(node, "ReduceMax"); }
Status ReduceMin(OnnxNode& node) { return Reduce(node, "ReduceMin"); }
Status ReduceProd(OnnxNode& node) { return Reduce(node, "ReduceProd"); }
Status ReduceL1(OnnxNode& node) { return Reduce(node, "ReduceSum", AbsOf); }
Status ReduceL2(OnnxNode& node) { return Reduce(node, "ReduceSum", SquareOf, SqrtOf); }
Status ReduceSumSquare(OnnxNode& node) { return Reduce(node, "ReduceSum", SquareOf); }
Status ReduceLogSum(OnnxNode& node) { return Reduce(node, "ReduceSum", nullptr, LogOf); }

// The maximum, or the finite number next to it: infinities less themselves would be NaN.
Result<ValueId> FiniteLargest(OnnxNode& node, ValueId x, const std::vector<int64_t>& axes) {
  constexpr double kEnd = std::numeric_limits<float>::max();
  ASSIGN_OR_RETURN(const ValueId largest, EmitReduction(node, "ReduceMax", x, axes));
  return node.Emit("Clip", {largest}, {{"min", -kEnd}, {"max", kEnd}});
}

// m + log(sum of exp(x - m)), m the maximum: nothing overflows.
Status ReduceLogSumExp(OnnxNode& node) {
  const Step less_largest = [](OnnxNode& n, ValueId x) -> Result<ValueId> {
    const auto rank = static_cast<int64_t>(n.ShapeOf(x).size());
    ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ReadReducedAxes(n, rank));
    ASSIGN_OR_RETURN(const ValueId largest, FiniteLargest(n, x, axes));
    ASSIGN_OR_RETURN(const ValueId difference, n.Emit("Sub", {x, largest}));
    return n.Emit("Exp", {difference});
  };
  const Step plus_largest = [](OnnxNode& n, ValueId sum) -> Result<ValueId> {
    const ValueId x = n.Input(0);
    const auto rank = static_cast<int64_t>(n.ShapeOf(x).size());
    ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ReadReducedAxes(n, rank));
    ASSIGN_OR_RETURN(const ValueId largest, FiniteLargest(n, x, axes));
    ASSIGN_OR_RETURN(const ValueId log, n.Emit("Log", {sum}));
    return n.Emit("Add", {log, largest});
  };
  return Reduce(node, "ReduceSum", less_largest, plus_largest);
}

constexpr OnnxOperator kOperators[] = {
    {"ReduceSum", ReduceSum},       {"ReduceMean", ReduceMean},
    {"ReduceMax", ReduceMax},       {"ReduceMin", ReduceMin},
    {"ReduceProd", ReduceProd},     {"ReduceL1", ReduceL1},
    {"ReduceL2", ReduceL2},         {"ReduceSumSquare", ReduceSumSquare},
    {"ReduceLogSum", ReduceLogSum}, {"ReduceLogSumExp", ReduceLogSumExp},
};

}  // namespace

std::span<const OnnxOperator> ReduceOnnxOperators() { return kOperators; }

}  // namespace whet
