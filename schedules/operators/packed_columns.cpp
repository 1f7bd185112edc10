#include "schedules/operators/packed_columns.h"

#include <algorithm>
#include <cstring>

namespace whet {

// One panel for four rows: sums[r * 16 + c]. Not in the anonymous namespace: its versions for
// several instruction sets are picked when the program is loaded, which needs a symbol.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("default", "avx2", "avx512f")))
#endif
void MultiplyReferencePanel(const float* const* rows, const float* panel, int64_t depth, double* sums) {
  constexpr int kRows = PackedColumns::kRows, kColumns = PackedColumns::kColumns;
  typedef float Floats __attribute__((vector_size(kColumns * sizeof(float))));
  constexpr int64_t kBlock = 256;
  std::fill(sums, sums + kRows * kColumns, 0.0);
  const float *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
  for (int64_t begin = 0; begin < depth; begin += kBlock) {
    const int64_t end = std::min(depth, begin + kBlock);
    Floats partial[kRows] = {};
    for (int64_t k = begin; k < end; ++k) {
      Floats b;
      std::memcpy(&b, panel + k * kColumns, sizeof(b));
      partial[0] += row0[k] * b;
      partial[1] += row1[k] * b;
      partial[2] += row2[k] * b;
      partial[3] += row3[k] * b;
    }
    for (int r = 0; r < kRows; ++r)
      for (int c = 0; c < kColumns; ++c) sums[r * kColumns + c] += partial[r][c];
  }
}

PackedColumns::PackedColumns(const float* b, int64_t depth, int64_t columns, int64_t stride_k,
                             int64_t stride_c)
    : depth_(depth), columns_(columns) {
  const int64_t panels = (columns + kColumns - 1) / kColumns;
  panels_.resize(static_cast<size_t>(panels * depth * kColumns));
  for (int64_t panel = 0; panel < panels; ++panel) {
    const int64_t first = panel * kColumns, width = std::min<int64_t>(kColumns, columns - first);
    float* to = panels_.data() + first * depth;
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t c = 0; c < width; ++c)
        to[k * kColumns + c] = b[k * stride_k + (first + c) * stride_c];
  }
}

void PackedColumns::Multiply(const float* const* rows, int count, double* sums) const {
  const float* four[kRows];
  for (int r = 0; r < kRows; ++r) four[r] = rows[std::min(r, count - 1)];
  double panel_sums[kRows * kColumns];
  for (int64_t first = 0; first < columns_; first += kColumns) {
    MultiplyReferencePanel(four, panels_.data() + first * depth_, depth_, panel_sums);
    const int64_t width = std::min<int64_t>(kColumns, columns_ - first);
    for (int r = 0; r < count; ++r)
      std::copy(panel_sums + r * kColumns, panel_sums + r * kColumns + width,
                sums + r * columns_ + first);
  }
}

}  // namespace whet
