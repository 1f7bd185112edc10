// Winograd's convolutions F(m x m, r x r): fewer multiplications for more additions.
//
// An r-tap filter over m outputs takes n = m + r - 1 multiplications: y = A^T [(G g) * (B^T d)],
// applied along both axes (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks",
// 2015). The matrices come from the Toom-Cook construction on the points 0, 1, -1, 2, -2, 1/2, -1/2
// and infinity. Along an axis where the filter has one tap nothing is transformed: m = r = n = 1.
// Thread safety: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "schedules/task.h"

namespace whet {

using Matrix = std::vector<std::vector<double>>;  // rows

// Along one axis.
struct WinogradAxis {
  int64_t tile = 1, taps = 1;  // m, r
  int64_t size() const { return tile + taps - 1; }
  Matrix Output() const;   // A^T, m x n
  Matrix Weights() const;  // G, n x r
  Matrix Input() const;    // B^T, n x n
};

struct Winograd {
  WinogradAxis y, x;

  std::string Name() const;  // "winograd(4x4,3x3)": outputs of a tile, taps
  static std::optional<Winograd> Parse(std::string_view name);

  // How many times larger than a direct convolution's the rounding error may be: the product of the
  // matrices' norms (B. Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd
  // Convolution for Deep Neural Networks", 2020), without the factor that sums have in common.
  double ErrorGrowth() const;

  // Weights [o, c, ky, kx] become [i, j, o, c]: G g G^T of every filter.
  TensorType WeightsType(const TensorType& weights) const;
  Tensor TransformWeights(const Tensor& weights) const;
};

// Those worth trying for a node: none of a strict task, whose outputs must not depend on what else
// is in a tile; else convolutions of stride, dilation and group 1 in NHWC with constant
// weights that nothing else reads, channels enough for matrix products, and an error that fp32
// affords.
std::vector<Winograd> WinogradsFor(const Task& task, const TaskNode& node);

}  // namespace whet
