// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd.
#include "schedules/operators/halide_operators.h"
#include "schedules/operators/halide_rows.h"

namespace whet {

using Halide::Expr;

namespace {

RowReduction ReductionOf(const std::string& op, const Halide::Type& type) {
  if (op == "ReduceMax")
    return {"reducemax",
            type.min(),
            [](Expr a, Expr b) { return Halide::max(a, b); },
            {},
            Combining::kMax};
  if (op == "ReduceMin")
    return {"reducemin",
            type.max(),
            [](Expr a, Expr b) { return Halide::min(a, b); },
            {},
            Combining::kMin};
  if (op == "ReduceProd")
    return {"reduceprod", Halide::cast(type, 1), [](Expr a, Expr b) { return a * b; }, {}};
  return {"reducesum",
          Halide::cast(type, 0),
          [](Expr a, Expr b) { return a + b; },
          {},
          Combining::kSum};
}

}  // namespace

TensorReader HalideReduce(AlgorithmBuilder& builder, const HalideNode& n) {
  const TensorReader& x = n.inputs[0];
  const Shape& shape = x.type.shape;
  std::vector<int64_t> axes = n.node.attributes.Ints("axes"), extents;
  std::reverse(axes.begin(), axes.end());
  const bool contiguous = axes[0] + 1 == static_cast<int64_t>(shape.size());
  int64_t count = 1;
  for (int64_t axis : axes) {
    extents.push_back(shape[axis]);
    count *= shape[axis];
  }
  RowReduction reduction = ReductionOf(n.node.op, HalideType(n.output.dtype));
  reduction.element = [&](const Exprs& row, const Exprs& k) {
    Exprs at = row;
    for (size_t i = 0; i < axes.size(); ++i) at[axes[i]] = k[i];
    return x(at);
  };
  const TensorReader reduced = ReduceRows(builder, n.output, extents, contiguous, reduction);
  if (n.node.op != "ReduceMean") return reduced;
  return builder.Pure("reducemean", n.output, [&](const Exprs& index) {
    return reduced(index) * (1.0f / static_cast<float>(count));
  });
}

}  // namespace whet
