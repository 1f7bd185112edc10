// BatchNormalization (where it could not be folded into weights), LayerNormalization and Softmax.
#include "schedules/operators/halide_exp.h"
#include "schedules/operators/halide_ieee.h"
#include "schedules/operators/halide_operators.h"
#include "schedules/operators/halide_rows.h"

namespace whet {

using Halide::Expr;

TensorReader HalideBatchNormalization(AlgorithmBuilder& builder, const HalideNode& n) {
  const size_t rank = n.output.shape.size();
  const size_t channel =
      rank == 4 ? static_cast<size_t>(AxesOf(n.node.attributes).c) : (rank > 1 ? 1 : 0);
  const float epsilon = static_cast<float>(n.node.attributes.Float("epsilon", 1e-5));
  // As ONNX Runtime's, whose factor and offset decide what infinite parameters come to.
  return builder.Pure("batchnormalization", n.output, [&](const Exprs& index) -> Expr {
    const Exprs c = {index[channel]};
    const Expr factor = IeeeDiv(n.inputs[1](c), Halide::sqrt(IeeeAdd(n.inputs[4](c), epsilon)));
    const Expr offset = IeeeSub(n.inputs[2](c), IeeeMul(n.inputs[3](c), factor));
    return IeeeAdd(IeeeMul(n.inputs[0](index), factor), offset);
  });
}

// Mean first, then the mean square of what differs from it: nothing cancels. Both are taken of what
// differs from the row's first element, which is exact where a row varies little about a large
// mean: the mean's error is then a matter of the row's spread (at most the root of its length in
// deviations lies between any element and the mean), not of the mean. A row is read three times,
// from the cache once a schedule computes its sums where it is normalised.
TensorReader HalideLayerNormalization(AlgorithmBuilder& builder, const HalideNode& n) {
  const Shape& shape = n.output.shape;
  const size_t rank = shape.size();
  int64_t axis = n.node.attributes.Int("axis", -1);
  if (axis < 0) axis += static_cast<int64_t>(rank);
  const float epsilon = static_cast<float>(n.node.attributes.Float("epsilon", 1e-5));
  const std::vector<int64_t> extents(shape.rbegin(), shape.rend() - axis);
  const float inverse = 1.0f / static_cast<float>(ElementCount(Shape(extents)));
  // A whole tensor is one row.
  TensorType rows{n.output.dtype, Shape(shape.begin(), shape.begin() + axis)};
  if (axis == 0) rows.shape = {1};
  const auto row_of = [&](const Exprs& index) {
    return axis == 0 ? Exprs(1, Expr(0)) : Exprs(index.begin(), index.begin() + axis);
  };
  const TensorReader& x = n.inputs[0];
  const auto element = [&](const Exprs& row, const Exprs& k) {
    Exprs at = axis == 0 ? Exprs{} : row;
    at.insert(at.end(), k.rbegin(), k.rend());
    return x(at);
  };
  const Exprs first(extents.size(), Expr(0));
  const auto shifted = [&](const Exprs& row, const Exprs& k) {
    return IeeeSub(element(row, k), element(row, first));
  };
  const auto add = [](Expr a, Expr b) { return a + b; };
  const TensorReader total =
      ReduceRows(builder, rows, extents, true, {"total", Expr(0.0f), add, shifted});
  const auto centred = [&](const Exprs& row, const Exprs& k) {
    return IeeeSub(shifted(row, k), total(row) * inverse);
  };
  const TensorReader squares =
      ReduceRows(builder, rows, extents, true,
                 {"squares", Expr(0.0f), add, [&](const Exprs& row, const Exprs& k) {
                    const Expr difference = centred(row, k);
                    return difference * difference;
                  }});
  return builder.Pure("layernormalization", n.output, [&](const Exprs& index) -> Expr {
    const Exprs row = row_of(index), at(index.begin() + axis, index.end());
    const Expr factor = 1.0f / Halide::sqrt(squares(row) * inverse + epsilon);
    const Expr value = centred(row, Exprs(at.rbegin(), at.rend())) * factor * n.inputs[1](at);
    return n.inputs.size() > 2 ? value + n.inputs[2](at) : value;
  });
}

TensorReader HalideSoftmax(AlgorithmBuilder& builder, const HalideNode& n) {
  const int64_t rank = static_cast<int64_t>(n.output.shape.size());
  int64_t axis = n.node.attributes.Int("axis", -1);
  if (axis < 0) axis += rank;
  const int64_t extent = n.output.shape[axis];
  TensorType rows = n.output;
  rows.shape.erase(rows.shape.begin() + axis);
  const auto without_axis = [&](Exprs index) {
    index.erase(index.begin() + axis);
    return index;
  };
  const auto with_axis = [&](Exprs index, const Expr& at) {
    index.insert(index.begin() + axis, at);
    return index;
  };
  const TensorReader& x = n.inputs[0];
  const bool contiguous = axis == rank - 1;
  // A NaN in a row need not be the largest: its power is NaN, and so is the sum.
  const TensorReader largest = ReduceRows(
      builder, rows, {extent}, contiguous,
      {"largest", HalideType(rows.dtype).min(), [](Expr a, Expr b) { return Halide::max(a, b); },
       [&](const Exprs& row, const Exprs& k) { return x(with_axis(row, k[0])); }});
  const TensorReader power = builder.Pure("power", n.output, [&](const Exprs& index) {
    return ExpOfNonPositive(IeeeSub(x(index), largest(without_axis(index))));
  });
  const TensorReader sum =
      ReduceRows(builder, rows, {extent}, contiguous,
                 {"total", Expr(0.0f), [](Expr a, Expr b) { return a + b; },
                  [&](const Exprs& row, const Exprs& k) { return power(with_axis(row, k[0])); }});
  // Strict, or a power over itself would be 1 even where it is NaN. One division a row; of a
  // product's left operand, one multiplication an element of the product.
  if (n.reader_scales && contiguous) {
    return {n.output, power.read, [sum](const Exprs& row) { return IeeeDiv(1.0f, sum(row)); }};
  }
  return builder.Pure("softmax", n.output, [&](const Exprs& index) {
    return power(index) * IeeeDiv(1.0f, sum(without_axis(index)));
  });
}

}  // namespace whet
