// Walking over a tensor with strides: what broadcasting, transposing and slicing have in common.
#pragma once

#include <cstdint>
#include <vector>

#include "base/tensor.h"

namespace whet {

// Strides in elements of the row-major tensor of this shape.
inline std::vector<int64_t> RowMajorStrides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

// Strides that read a tensor of shape `own` at the indices of its broadcast to `shape`: 0 where it
// repeats.
inline std::vector<int64_t> BroadcastStrides(const Shape& own, const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 0);
  const std::vector<int64_t> dense = RowMajorStrides(own);
  for (size_t d = 0; d < own.size(); ++d)
    if (own[d] != 1) strides[d + shape.size() - own.size()] = dense[d];
  return strides;
}

// visit(i, a, b) for each index of `shape` in row-major order: its number, and its offsets by two
// sets of strides.
template <typename Visit>
void ForEachIndex(const Shape& shape, const std::vector<int64_t>& a_strides,
                  const std::vector<int64_t>& b_strides, Visit visit) {
  const int64_t count = ElementCount(shape);
  if (count == 0) return;
  const size_t rank = shape.size();
  const int64_t inner = rank == 0 ? 1 : shape[rank - 1];
  const int64_t a_inner = rank == 0 ? 0 : a_strides[rank - 1],
                b_inner = rank == 0 ? 0 : b_strides[rank - 1];
  std::vector<int64_t> index(rank, 0);
  int64_t a = 0, b = 0;
  for (int64_t i = 0; i < count; i += inner) {
    for (int64_t j = 0; j < inner; ++j) visit(i + j, a + j * a_inner, b + j * b_inner);
    for (size_t d = rank; d-- > 1;) {
      const size_t outer = d - 1;
      a += a_strides[outer], b += b_strides[outer];
      if (++index[outer] < shape[outer]) break;
      a -= a_strides[outer] * shape[outer], b -= b_strides[outer] * shape[outer];
      index[outer] = 0;
    }
  }
}

}  // namespace whet
