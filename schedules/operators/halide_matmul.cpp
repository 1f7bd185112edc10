// MatMul (NumPy's, batches broadcast) and Gemm.
#include "schedules/operators/copies.h"
#include "schedules/operators/halide_ieee.h"
#include "schedules/operators/halide_operators.h"

namespace whet {

using Halide::Expr;

namespace {

// A matrix, or several, copied so that neighbouring rows lie kCopyBlock elements apart, times one
// matrix.
TensorReader MatMulOfCopy(AlgorithmBuilder& builder, const HalideNode& n) {
  constexpr int kBlock = static_cast<int>(kCopyBlock);
  const TensorReader &a = n.inputs[0], &b = n.inputs[1];
  const size_t batch = a.type.shape.size() - 2;
  TensorType type = a.type;
  type.shape = Shape(a.type.shape.begin(), a.type.shape.end() - 2);
  type.shape.insert(type.shape.end(), {a.type.shape.back() / kBlock, a.type.shape[batch], kBlock});
  const TensorReader blocks = builder.Pure("blocks_pack", type, [&](const Exprs& at) {
    Exprs from(at.begin(), at.begin() + static_cast<long>(batch));
    from.push_back(at[batch + 1]);
    from.push_back(at[batch] * kBlock + at[batch + 2]);
    return a(from);
  });
  return builder.Reduce(
      "matmul", n.output, {{"k", a.type.shape.back() / kBlock}, {"kb", kBlock}},
      [](const Exprs&) { return Expr(0.0f); },
      [&](Expr sum, const Exprs& index, const Exprs& r) -> Expr {
        Exprs at(index.begin(), index.begin() + static_cast<long>(batch));
        at.insert(at.end(), {r[0], index[batch], r[1]});
        return sum + blocks(at) * b({r[0] * kBlock + r[1], index.back()});
      },
      Combining::kSum);
}

}  // namespace

TensorReader HalideMatMul(AlgorithmBuilder& builder, const HalideNode& n) {
  if (n.algorithm == kBlocked && !n.inputs[0].row_factor) return MatMulOfCopy(builder, n);
  const TensorReader &a = n.inputs[0], &b = n.inputs[1];
  const size_t rank_a = a.type.shape.size(), rank_b = b.type.shape.size();
  const int64_t depth = a.type.shape.back();
  // A vector operand has no row or column of its own in the output.
  const size_t own = (rank_a > 1 ? 1 : 0) + (rank_b > 1 ? 1 : 0);
  const auto batch_of = [own](const Exprs& index) {
    return Exprs(index.begin(), index.end() - static_cast<long>(own));
  };
  // The index of an operand in this batch, but for its matrix.
  const auto batch_index = [](const TensorReader& t, const Exprs& batch) {
    const Shape& s = t.type.shape;
    const Shape batch_shape(s.begin(), s.size() > 2 ? s.end() - 2 : s.begin());
    return batch_shape.empty() ? Exprs{} : BroadcastIndex(batch, batch_shape);
  };
  const TensorReader product = builder.Reduce(
      "matmul", n.output, {{"k", depth}}, [](const Exprs&) { return Expr(0.0f); },
      [&](Expr sum, const Exprs& index, const Exprs& r) -> Expr {
        const Exprs batch = batch_of(index);
        const auto operand = [&](const TensorReader& t, const Exprs& matrix) {
          Exprs at = batch_index(t, batch);
          at.insert(at.end(), matrix.begin(), matrix.end());
          return t(at);
        };
        const Expr row = rank_a > 1 ? index[batch.size()] : Expr(0);
        const Expr left = operand(a, rank_a > 1 ? Exprs{row, r[0]} : Exprs{r[0]});
        const Expr right = operand(b, rank_b > 1 ? Exprs{r[0], index.back()} : Exprs{r[0]});
        return sum + left * right;
      },
      Combining::kSum);
  if (!a.row_factor) return product;
  return builder.Pure("scale", n.output, [&](const Exprs& index) {
    const Exprs batch = batch_of(index);
    Exprs row = batch_index(a, batch);
    if (rank_a > 1) row.push_back(index[batch.size()]);
    return product(index) * a.row_factor(row);
  });
}

TensorReader HalideGemm(AlgorithmBuilder& builder, const HalideNode& n) {
  const Attributes& attributes = n.node.attributes;
  const bool trans_a = attributes.Int("transA", 0) != 0, trans_b = attributes.Int("transB", 0) != 0;
  const float alpha = static_cast<float>(attributes.Float("alpha", 1));
  const float beta = static_cast<float>(attributes.Float("beta", 1));
  const TensorReader &a = n.inputs[0], &b = n.inputs[1];
  const int64_t depth = a.type.shape[trans_a ? 0 : 1];
  const auto addend = [&](const Exprs& index) -> Expr {
    if (n.inputs.size() < 3 || beta == 0) return 0.0f;
    const Expr c = n.inputs[2](BroadcastIndex(index, n.inputs[2].type.shape));
    return beta == 1 ? c : c * beta;
  };
  const TensorReader sum = builder.Reduce(
      "gemm", n.output, {{"k", depth}},
      [&](const Exprs& index) -> Expr { return alpha == 1 ? addend(index) : Expr(0.0f); },
      [&](Expr total, const Exprs& index, const Exprs& r) -> Expr {
        const Expr left = trans_a ? a({r[0], index[0]}) : a({index[0], r[0]});
        const Expr right = trans_b ? b({index[1], r[0]}) : b({r[0], index[1]});
        return total + left * right;
      },
      Combining::kSum);
  if (alpha == 1) return sum;
  return builder.Pure("gemm_scale", n.output, [&](const Exprs& index) {
    const Expr product = alpha == 0 ? IeeeScaled(sum(index), alpha) : alpha * sum(index);
    return product + addend(index);
  });
}

}  // namespace whet
