// Reductions of whole dimensions, which Softmax, LayerNormalization and the Reduce operators share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "schedules/halide_algorithm.h"

namespace whet {

struct RowReduction {
  std::string name;
  Halide::Expr init;
  std::function<Halide::Expr(Halide::Expr, Halide::Expr)> combine;
  // The element of the row at `k`, one index a reduced dimension, innermost first.
  std::function<Halide::Expr(const Exprs& row, const Exprs& k)> element;
  Combining combining = Combining::kOther;
};

// Reduces to one element for each of `rows`, over dimensions of the given extents, innermost first.
// Where the innermost one is contiguous in memory, it is cut into lanes, each reduced by itself,
// and then the lanes: vectors run along the row.
TensorReader ReduceRows(AlgorithmBuilder& builder, const TensorType& rows,
                        const std::vector<int64_t>& extents, bool contiguous,
                        const RowReduction& reduction);

}  // namespace whet
