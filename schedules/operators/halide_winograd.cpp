// Conv by Winograd's algorithm (winograd.h), in NHWC: the image's rows are transformed, then its
// columns; each of the n x n positions of a tile is a matrix product over channels; then the
// inverse, columns and rows, and the tiles are laid out as an image. With t for tiles:
//
//   rows [c, x, i, ty]        = sum over p of B[i, p] image[c, x, m ty + p]
//   input[c, tx, ty, j, i]    = sum over q of B[j, q] rows[c, m tx + q, i, ty]
//   product[o, tx, ty, j, i]  = sum over c of U[i, j, o, c] input[c, tx, ty, j, i]
//   columns[o, j, p, tx, ty]  = sum over i of A[p, i] product[o, tx, ty, j, i]
//   tile[o, q, p, tx, ty]     = sum over j of A[q, j] columns[o, j, p, tx, ty]
//   y[o, x, y]                = bias[o] + tile[o, x % m, y % m, x / m, y / m]
#include "schedules/operators/halide_operators.h"
#include "schedules/operators/winograd.h"

namespace whet {
namespace {

using Halide::Expr;

// Row `index` of the matrix times the vector `at(0)`, `at(1)`, ..; the rows are told apart by the
// value of `index`, so a schedule should unroll it.
Expr RowTimes(const Matrix& matrix, const Expr& index, const std::function<Expr(int)>& at) {
  std::vector<Expr> rows;
  for (const std::vector<double>& row : matrix) {
    Expr sum;
    for (size_t k = 0; k < row.size(); ++k) {
      if (row[k] == 0) continue;
      const Expr value = at(static_cast<int>(k));
      if (!sum.defined()) {
        sum = row[k] == 1 ? value : value * static_cast<float>(row[k]);
      } else if (row[k] == 1) {
        sum = sum + value;
      } else if (row[k] == -1) {
        sum = sum - value;
      } else {
        sum = sum + value * static_cast<float>(row[k]);
      }
    }
    rows.push_back(sum.defined() ? sum : Expr(0.0f));
  }
  return rows.size() == 1 ? rows[0] : Halide::mux(index, rows);
}

}  // namespace

TensorReader HalideWinogradConv(AlgorithmBuilder& builder, const HalideNode& n) {
  const Winograd w = *Winograd::Parse(n.algorithm);
  const std::vector<int64_t> pads = n.node.attributes.Ints("pads", {0, 0, 0, 0});
  const Shape& out = n.output.shape;
  const int64_t channels = n.inputs[0].type.shape[3];
  const int64_t tiles_y = (out[1] + w.y.tile - 1) / w.y.tile;
  const int64_t tiles_x = (out[2] + w.x.tile - 1) / w.x.tile;
  const int my = static_cast<int>(w.y.tile), mx = static_cast<int>(w.x.tile);
  const auto type = [&](Shape shape) { return TensorType{n.output.dtype, std::move(shape)}; };
  const auto& weights = n.inputs[1];

  const int64_t height = tiles_y * w.y.tile + w.y.taps - 1;
  const int64_t width = tiles_x * w.x.tile + w.x.taps - 1;
  const TensorReader image =
      PadImage(builder, n.inputs[0], {1, 2, 3}, pads[0], pads[1], height, width, 0.0f);
  // Stages are indexed outermost first, like shapes; dimensions are named innermost first.
  const TensorReader rows =
      builder.Pure("rows", type({out[0], tiles_y, w.y.size(), width, channels}),
                   [&](const Exprs& at) {
                     return RowTimes(w.y.Input(), at[2], [&](int p) {
                       return image({at[0], at[1] * my + p, at[3], at[4]});
                     });
                   },
                   {"c", "x", "i", "y", "n"});
  const TensorReader input =
      builder.Pure("input", type({w.y.size(), w.x.size(), out[0], tiles_y, tiles_x, channels}),
                   [&](const Exprs& at) {
                     return RowTimes(w.x.Input(), at[1], [&](int q) {
                       return rows({at[2], at[3], at[0], at[4] * mx + q, at[5]});
                     });
                   },
                   {"c", "x", "y", "n", "j", "i"});
  const TensorType products = type({w.y.size(), w.x.size(), out[0], tiles_y, tiles_x, out[3]});
  const std::vector<std::string> tile_dims = {"c", "x", "y", "n", "j", "i"};
  const TensorReader sums = builder.Reduce(
      "product", products, {{"ic", channels}}, [](const Exprs&) { return Expr(0.0f); },
      [&](const Expr& sum, const Exprs& at, const Exprs& r) {
        return sum + weights({at[0], at[1], at[5], r[0]}) *
                         input({at[0], at[1], at[2], at[3], at[4], r[0]});
      },
      Combining::kSum, tile_dims);
  const TensorReader product = builder.Pure(
      "products", products, [&](const Exprs& at) { return sums(at); }, tile_dims);
  const TensorReader columns =
      builder.Pure("columns", type({out[0], tiles_y, tiles_x, w.y.tile, w.x.size(), out[3]}),
                   [&](const Exprs& at) {
                     return RowTimes(w.y.Output(), at[3], [&](int i) {
                       return product({i, at[4], at[0], at[1], at[2], at[5]});
                     });
                   },
                   {"c", "j", "p", "x", "y", "n"});
  const TensorReader tile =
      builder.Pure("tile", type({out[0], tiles_y, tiles_x, w.y.tile, w.x.tile, out[3]}),
                   [&](const Exprs& at) {
                     return RowTimes(w.x.Output(), at[4], [&](int j) {
                       return columns({at[0], at[1], at[2], at[3], j, at[5]});
                     });
                   },
                   {"c", "q", "p", "x", "y", "n"});
  return builder.Pure("conv", n.output, [&](const Exprs& at) -> Expr {
    const Expr value = tile({at[0], at[1] / my, at[2] / mx, at[1] % my, at[2] % mx, at[3]});
    return n.inputs.size() > 2 ? value + n.inputs[2]({at[3]}) : value;
  });
}

}  // namespace whet
