// MatMul (NumPy's) and Gemm: alpha * A' * B' + beta * C, C broadcast to the product.
#include <algorithm>

#include "schedules/operators/checks.h"
#include "schedules/operators/packed_columns.h"

namespace whet {
namespace {

constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::max();

// Two stacks of matrices [rows, depth] and [depth, columns], with vectors made matrices as NumPy
// does.
struct MatMulShape {
  Shape a_batch, b_batch, batch;
  int64_t rows, depth, columns;
};

Result<MatMulShape> ShapeOf(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty())
    return Fail(ErrorCode::kInvalidInput, "{} is a scalar and should have at least one dimension",
                a.empty() ? "a" : "b");
  MatMulShape shape;
  shape.rows = a.size() > 1 ? a[a.size() - 2] : 1;
  shape.depth = a.back();
  shape.columns = b.size() > 1 ? b.back() : 1;
  const int64_t b_depth = b.size() > 1 ? b[b.size() - 2] : b[0];
  if (shape.depth != b_depth)
    return Fail(ErrorCode::kInvalidInput,
                "a with the shape {} has {} columns and b with the shape {} has {} rows",
                ToString(a), shape.depth, ToString(b), b_depth);
  shape.a_batch.assign(a.begin(), a.end() - std::min<size_t>(2, a.size()));
  shape.b_batch.assign(b.begin(), b.end() - std::min<size_t>(2, b.size()));
  ASSIGN_OR_RETURN(shape.batch, BroadcastShapes(shape.a_batch, shape.b_batch));
  return shape;
}

Result<TensorType> InferMatMul(const Attributes&, Types inputs) {
  RETURN_IF_ERROR(CheckFloat("a", *inputs[0]));
  RETURN_IF_ERROR(CheckFloat("b", *inputs[1]));
  const Shape &a = inputs[0]->shape, &b = inputs[1]->shape;
  ASSIGN_OR_RETURN(MatMulShape shape, ShapeOf(a, b));
  TensorType y{DataType::kFloat32, std::move(shape.batch)};
  if (a.size() > 1) y.shape.push_back(shape.rows);
  if (b.size() > 1) y.shape.push_back(shape.columns);
  return y;
}

// Which matrix of a stack with shape `own` is paired with matrix `index` of the broadcast stack.
int64_t BroadcastOffset(int64_t index, const Shape& batch, const Shape& own) {
  int64_t offset = 0, stride = 1;
  for (size_t d = 0; d < own.size(); ++d) {
    const int64_t extent = own[own.size() - 1 - d], total = batch[batch.size() - 1 - d];
    if (extent > 1) offset += (index % total) * stride;
    stride *= extent;
    index /= total;
  }
  return offset;
}

// Matrices of floats by their strides in elements.
struct MatrixView {
  const float* data;
  int64_t row_stride, column_stride;
};

// sink(row, column, sum) for each element of a * b.
template <typename Sink>
void MultiplyMatrices(const MatrixView& a, const MatrixView& b, int64_t rows, int64_t depth,
                      int64_t columns, Sink sink) {
  constexpr int64_t kPackedFloats = 1 << 22;  // 16 MiB of b at a time
  const int64_t chunk =
      std::max<int64_t>(kPackedFloats / std::max<int64_t>(depth, 1) / PackedColumns::kColumns, 1) *
      PackedColumns::kColumns;
  std::vector<float> transposed(
      static_cast<size_t>(a.column_stride == 1 ? 0 : PackedColumns::kRows * depth));
  std::vector<double> sums(static_cast<size_t>(PackedColumns::kRows * std::min(chunk, columns)));
  for (int64_t first = 0; first < columns; first += chunk) {
    const PackedColumns packed(b.data + first * b.column_stride, depth,
                               std::min(chunk, columns - first), b.row_stride, b.column_stride);
    for (int64_t i = 0; i < rows; i += PackedColumns::kRows) {
      const int count = static_cast<int>(std::min<int64_t>(PackedColumns::kRows, rows - i));
      const float* row_pointers[PackedColumns::kRows];
      for (int r = 0; r < count; ++r) {
        const float* row = a.data + (i + r) * a.row_stride;
        if (a.column_stride != 1) {
          float* copy = transposed.data() + r * depth;
          for (int64_t k = 0; k < depth; ++k) copy[k] = row[k * a.column_stride];
          row = copy;
        }
        row_pointers[r] = row;
      }
      packed.Multiply(row_pointers, count, sums.data());
      for (int r = 0; r < count; ++r)
        for (int64_t c = 0; c < packed.columns(); ++c)
          sink(i + r, first + c, sums[r * packed.columns() + c]);
    }
  }
}

Status ComputeMatMul(const Attributes&, Tensors inputs, Tensor& output) {
  ASSIGN_OR_RETURN(const MatMulShape shape, ShapeOf(inputs[0]->shape(), inputs[1]->shape()));
  const int64_t matrices = ElementCount(shape.batch);
  for (int64_t m = 0; m < matrices; ++m) {
    const float* a = inputs[0]->data<float>() +
                     BroadcastOffset(m, shape.batch, shape.a_batch) * shape.rows * shape.depth;
    const float* b = inputs[1]->data<float>() +
                     BroadcastOffset(m, shape.batch, shape.b_batch) * shape.depth * shape.columns;
    float* y = output.data<float>() + m * shape.rows * shape.columns;
    MultiplyMatrices({a, shape.depth, 1}, {b, shape.columns, 1}, shape.rows, shape.depth,
                     shape.columns, [&](int64_t r, int64_t c, double sum) {
                       y[r * shape.columns + c] = static_cast<float>(sum);
                     });
  }
  return {};
}

double MatMulFlops(const Attributes&, Types inputs, const TensorType& output) {
  return 2.0 * static_cast<double>(ElementCount(output.shape)) *
         static_cast<double>(inputs[0]->shape.back());
}

Result<TensorType> InferGemm(const Attributes& attributes, Types inputs) {
  const TensorType &a = *inputs[0], &b = *inputs[1];
  RETURN_IF_ERROR(CheckFloat("a", a));
  RETURN_IF_ERROR(CheckFloat("b", b));
  RETURN_IF_ERROR(CheckRank("a", a, 2));
  RETURN_IF_ERROR(CheckRank("b", b, 2));
  RETURN_IF_ERROR(FloatAttribute(attributes, "alpha", 1));
  RETURN_IF_ERROR(FloatAttribute(attributes, "beta", 1));
  // ONNX takes any non-zero value as true.
  ASSIGN_OR_RETURN(int64_t trans_a,
                   IntAttribute(attributes, "transA", 0, -kAnyInteger, kAnyInteger));
  ASSIGN_OR_RETURN(int64_t trans_b,
                   IntAttribute(attributes, "transB", 0, -kAnyInteger, kAnyInteger));
  const int64_t a_depth = a.shape[trans_a ? 0 : 1], b_depth = b.shape[trans_b ? 1 : 0];
  if (a_depth != b_depth)
    return Fail(ErrorCode::kInvalidInput,
                "a with the shape {}{} has {} columns and b with the shape {}{} has {} rows",
                ToString(a.shape), trans_a ? " transposed" : "", a_depth, ToString(b.shape),
                trans_b ? " transposed" : "", b_depth);
  TensorType y{DataType::kFloat32, {a.shape[trans_a ? 1 : 0], b.shape[trans_b ? 0 : 1]}};
  if (inputs.size() > 2 && inputs[2]) {
    RETURN_IF_ERROR(CheckFloat("c", *inputs[2]));
    auto broadcast = BroadcastShapes(inputs[2]->shape, y.shape);
    if (!broadcast || *broadcast != y.shape)
      return Fail(ErrorCode::kInvalidInput,
                  "c has the shape {}, which does not broadcast to the product's {}",
                  ToString(inputs[2]->shape), ToString(y.shape));
  }
  return y;
}

Status ComputeGemm(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Tensor &a = *inputs[0], &b = *inputs[1];
  const bool trans_a = attributes.Int("transA") != 0, trans_b = attributes.Int("transB") != 0;
  const float alpha = static_cast<float>(attributes.Float("alpha", 1));
  const float beta = static_cast<float>(attributes.Float("beta", 1));
  const int64_t columns = output.shape()[1], depth = a.shape()[trans_a ? 0 : 1];
  const float* c = inputs.size() > 2 && inputs[2] && beta != 0 ? inputs[2]->data<float>() : nullptr;
  int64_t c_row = 0, c_column = 0;
  if (c) {
    const Shape& shape = inputs[2]->shape();
    if (!shape.empty() && shape.back() > 1) c_column = 1;
    if (shape.size() > 1 && shape[0] > 1) c_row = shape[1];
  }
  const MatrixView left{a.data<float>(), trans_a ? 1 : a.shape()[1], trans_a ? a.shape()[1] : 1};
  const MatrixView right{b.data<float>(), trans_b ? 1 : b.shape()[1], trans_b ? b.shape()[1] : 1};
  float* y = output.data<float>();
  MultiplyMatrices(
      left, right, output.shape()[0], depth, columns, [&](int64_t r, int64_t j, double sum) {
        const double addend = c ? static_cast<double>(beta) * c[r * c_row + j * c_column] : 0.0;
        y[r * columns + j] = static_cast<float>(alpha * sum + addend);
      });
  return {};
}

double GemmFlops(const Attributes& attributes, Types inputs, const TensorType& output) {
  const Shape& a = inputs[0]->shape;
  return 2.0 * static_cast<double>(ElementCount(output.shape)) *
         static_cast<double>(attributes.Int("transA") != 0 ? a[0] : a[1]);
}

int64_t MatMulLength(const Attributes&, const Shape& b) {
  if (b.empty()) return 0;
  return b.size() == 1 ? b[0] : b[b.size() - 2];
}

int64_t GemmLength(const Attributes& attributes, const Shape& b) {
  if (b.empty()) return 0;
  return attributes.Int("transB") != 0 ? b.back() : b.front();
}

}  // namespace

const std::vector<OperatorDef>& MatMulOperators() {
  static const std::vector<OperatorDef> rows = {
      Row<&InferMatMul, &ComputeMatMul, &MatMulFlops, 2, 2>(
          "MatMul", OperatorClass::kReduction, {{"a"}, {"b", true, {}, &MatMulLength}}),
      Row<&InferGemm, &ComputeGemm, &GemmFlops, 2, 3>(
          "Gemm", OperatorClass::kReduction, {{"a"}, {"b", true, {}, &GemmLength}, {"c", true}},
          {{"alpha", AttributeKind::kFloat, 1.0},
           {"beta", AttributeKind::kFloat, 1.0},
           {"transA", AttributeKind::kInt, int64_t{0}},
           {"transB", AttributeKind::kInt, int64_t{0}}}),
  };
  return rows;
}

}  // namespace whet
