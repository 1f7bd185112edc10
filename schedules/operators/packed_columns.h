// Sums of products for the references of Conv, MatMul and Gemm.
//
//   S[r, c] = sum over k in [0, depth) of A[r, k] * B[k, c]
//
// B is packed into panels of 16 columns, padded with zeros. Partial sums of 256 terms are float,
// their total is double: quick enough for the largest convolutions, and closer to the exact sum
// than any kernel. Thread safety: const methods may be called from several threads.
#pragma once

#include <cstdint>
#include <vector>

namespace whet {

class PackedColumns {
 public:
  static constexpr int kRows = 4;      // rows of A at a time
  static constexpr int kColumns = 16;  // columns of a panel

  // B[k, c] = b[k * stride_k + c * stride_c], c in [0, columns).
  PackedColumns(const float* b, int64_t depth, int64_t columns, int64_t stride_k, int64_t stride_c);

  int64_t columns() const { return columns_; }
  // Writes sums[r * columns() + c] for `count` rows, at least 1 and at most kRows, of `depth`
  // floats each.
  void Multiply(const float* const* rows, int count, double* sums) const;

 private:
  int64_t depth_, columns_;
  std::vector<float> panels_;  // [panel, k, 16]
};

}  // namespace whet
