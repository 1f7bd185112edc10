#include "schedules/operators/halide_rows.h"

#include "schedules/operators/halide_ieee.h"

namespace whet {
namespace {

using Halide::Expr;

// Sums in parallel where a row is reduced along its contiguous dimension: as many as vectors have
// lanes, or a few times as many.
constexpr int64_t kLanes = 16;

// Loops "k", "k1", .. over the extents, innermost first.
std::vector<AlgorithmBuilder::ReductionLoop> LoopsOver(const std::vector<int64_t>& extents) {
  std::vector<AlgorithmBuilder::ReductionLoop> loops;
  for (int64_t extent : extents)
    loops.push_back({loops.empty() ? "k" : "k" + std::to_string(loops.size()), extent});
  return loops;
}

}  // namespace

TensorReader ReduceRows(AlgorithmBuilder& builder, const TensorType& rows,
                        const std::vector<int64_t>& extents, bool contiguous,
                        const RowReduction& reduction) {
  const auto init = [&](const Exprs&) { return reduction.init; };
  if (!contiguous || extents[0] < 2 * kLanes || extents[0] % kLanes != 0) {
    return builder.Reduce(
        reduction.name, rows, LoopsOver(extents), init,
        [&](Expr so_far, const Exprs& row, const Exprs& r) {
          return reduction.combine(so_far, reduction.element(row, r));
        },
        reduction.combining);
  }
  TensorType lanes = rows;
  lanes.shape.push_back(kLanes);
  std::vector<int64_t> of_a_lane = extents;
  of_a_lane[0] /= kLanes;
  const TensorReader partial = builder.Reduce(
      reduction.name + "_lanes", lanes, LoopsOver(of_a_lane), init,
      [&](Expr so_far, const Exprs& index, const Exprs& r) {
        const Exprs row(index.begin(), index.end() - 1);
        Exprs k = r;
        k[0] = r[0] * static_cast<int>(kLanes) + index.back();
        return reduction.combine(so_far, reduction.element(row, k));
      },
      reduction.combining);
  return builder.Reduce(reduction.name, rows, {{"l", kLanes}}, init,
                        [&](Expr so_far, const Exprs& row, const Exprs& r) {
                          Exprs at = row;
                          at.push_back(r[0]);
                          const Expr value = partial(at);
                          if (reduction.combining == Combining::kMax)
                            return MaxOrNan(value, so_far);
                          if (reduction.combining == Combining::kMin)
                            return MinOrNan(value, so_far);
                          return reduction.combine(so_far, value);
                        });
}

}  // namespace whet
