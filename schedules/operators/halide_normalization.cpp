// BatchNormalization (where it could not be folded into weights) and Softmax.
#include "schedules/operators/halide_exp.h"
#include "schedules/operators/halide_operators.h"

namespace whet {

using Halide::Expr;

TensorReader HalideBatchNormalization(AlgorithmBuilder& builder, const HalideNode& n) {
  const size_t rank = n.output.shape.size();
  const size_t channel =
      rank == 4 ? static_cast<size_t>(AxesOf(n.node.attributes).c) : (rank > 1 ? 1 : 0);
  const float epsilon = static_cast<float>(n.node.attributes.Float("epsilon", 1e-5));
  return builder.Pure("batchnormalization", n.output, [&](const Exprs& index) -> Expr {
    const Exprs c = {index[channel]};
    const Expr scale = n.inputs[1](c) / Halide::sqrt(n.inputs[4](c) + epsilon);
    return (n.inputs[0](index) - n.inputs[3](c)) * scale + n.inputs[2](c);
  });
}

namespace {

// Sums in parallel where a row is reduced along its contiguous dimension: as many as vectors have
// lanes, or a few times as many.
constexpr int64_t kLanes = 16;

struct RowReduction {
  std::string name;
  Expr init;
  std::function<Expr(Expr, Expr)> combine;
  std::function<Expr(const Exprs& row, const Expr& k)> element;
};

// Reduces `extent` elements to one for each of `rows`. A contiguous row is cut into lanes, each
// reduced by itself, and then the lanes: vectors run along the row.
TensorReader ReduceRows(AlgorithmBuilder& builder, const TensorType& rows, int64_t extent,
                        bool contiguous, const RowReduction& reduction) {
  if (!contiguous || extent < 2 * kLanes || extent % kLanes != 0) {
    return builder.Reduce(
        reduction.name, rows, {{"k", extent}}, [&](const Exprs&) { return reduction.init; },
        [&](Expr so_far, const Exprs& row, const Exprs& r) {
          return reduction.combine(so_far, reduction.element(row, r[0]));
        });
  }
  TensorType lanes = rows;
  lanes.shape.push_back(kLanes);
  const TensorReader partial = builder.Reduce(
      reduction.name + "_lanes", lanes, {{"k", extent / kLanes}},
      [&](const Exprs&) { return reduction.init; },
      [&](Expr so_far, const Exprs& index, const Exprs& r) {
        const Exprs row(index.begin(), index.end() - 1);
        const Expr k = r[0] * static_cast<int>(kLanes) + index.back();
        return reduction.combine(so_far, reduction.element(row, k));
      });
  return builder.Reduce(
      reduction.name, rows, {{"l", kLanes}}, [&](const Exprs&) { return reduction.init; },
      [&](Expr so_far, const Exprs& row, const Exprs& r) {
        Exprs at = row;
        at.push_back(r[0]);
        return reduction.combine(so_far, partial(at));
      });
}

}  // namespace

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
  const TensorReader largest = ReduceRows(
      builder, rows, extent, contiguous,
      {"largest", HalideType(rows.dtype).min(), [](Expr a, Expr b) { return Halide::max(a, b); },
       [&](const Exprs& row, const Expr& k) { return x(with_axis(row, k)); }});
  const TensorReader power = builder.Pure("power", n.output, [&](const Exprs& index) {
    return ExpOfNonPositive(x(index) - largest(without_axis(index)));
  });
  const TensorReader sum =
      ReduceRows(builder, rows, extent, contiguous,
                 {"total", Expr(0.0f), [](Expr a, Expr b) { return a + b; },
                  [&](const Exprs& row, const Expr& k) { return power(with_axis(row, k)); }});
  // One division a row; of a product's left operand, one multiplication an element of the product.
  if (n.reader_scales && contiguous) {
    return {n.output, power.read, [sum](const Exprs& row) { return 1.0f / sum(row); }};
  }
  return builder.Pure("softmax", n.output, [&](const Exprs& index) {
    return power(index) * (1.0f / sum(without_axis(index)));
  });
}

}  // namespace whet
