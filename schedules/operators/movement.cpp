// Operators that rearrange elements of any type: Transpose, Slice, Concat, Gather.
#include <algorithm>
#include <cstring>

#include "schedules/operators/checks.h"
#include "schedules/operators/strided.h"

namespace whet {
namespace {

constexpr int64_t kAnyInteger = std::numeric_limits<int64_t>::max();

// output[index] = the element of `input` at offset + the dot product of index and strides.
template <size_t kElementBytes>
void CopyElements(const Tensor& input, int64_t offset, const std::vector<int64_t>& strides,
                  Tensor& output) {
  const uint8_t* from = input.bytes();
  uint8_t* to = output.bytes();
  ForEachIndex(output.shape(), strides, strides, [&](int64_t i, int64_t at, int64_t) {
    std::memcpy(to + i * kElementBytes, from + (offset + at) * kElementBytes, kElementBytes);
  });
}

void CopyStrided(const Tensor& input, int64_t offset, const std::vector<int64_t>& strides,
                 Tensor& output) {
  switch (SizeOf(output.dtype())) {
    case 1:
      return CopyElements<1>(input, offset, strides, output);
    case 2:
      return CopyElements<2>(input, offset, strides, output);
    case 4:
      return CopyElements<4>(input, offset, strides, output);
    default:
      return CopyElements<8>(input, offset, strides, output);
  }
}

// Elements before and after a dimension.
int64_t Product(const Shape& shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t d = begin; d < end; ++d) product *= shape[d];
  return product;
}

Result<TensorType> InferTranspose(const Attributes& attributes, Types inputs) {
  const TensorType& x = *inputs[0];
  const int rank = static_cast<int>(x.shape.size());
  if (rank == 0) return x;
  ASSIGN_OR_RETURN(auto perm, IntsAttribute(attributes, "perm", rank, 0, rank - 1));
  TensorType y{x.dtype, Shape(x.shape.size())};
  std::vector<bool> seen(x.shape.size(), false);
  for (size_t d = 0; d < perm.size(); ++d) {
    if (seen[perm[d]])
      return Fail(ErrorCode::kInvalidInput,
                  "attribute perm names dimension {} twice; it should name each once", perm[d]);
    seen[perm[d]] = true;
    y.shape[d] = x.shape[perm[d]];
  }
  return y;
}

Status ComputeTranspose(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const std::vector<int64_t> perm = attributes.Ints("perm"),
                             dense = RowMajorStrides(inputs[0]->shape());
  std::vector<int64_t> strides;
  for (size_t d = 0; d < output.shape().size(); ++d) strides.push_back(dense[perm[d]]);
  CopyStrided(*inputs[0], 0, strides, output);
  return {};
}

// First index, step and count of a slice in each dimension.
struct SliceShape {
  std::vector<int64_t> starts, steps;
  Shape shape;
};

Result<SliceShape> ShapeOfSlice(const Attributes& attributes, const Shape& x) {
  const int64_t rank = static_cast<int64_t>(x.size());
  ASSIGN_OR_RETURN(auto starts, IntsAttribute(attributes, "starts", -1, 0, kAnyInteger));
  const int count = static_cast<int>(starts.size());
  ASSIGN_OR_RETURN(auto ends, IntsAttribute(attributes, "ends", count, 0, kAnyInteger));
  ASSIGN_OR_RETURN(auto axes, IntsAttribute(attributes, "axes", count, 0, rank - 1));
  ASSIGN_OR_RETURN(auto steps, IntsAttribute(attributes, "steps", count, 1, kAnyInteger));
  SliceShape slice{std::vector<int64_t>(x.size(), 0), std::vector<int64_t>(x.size(), 1), x};
  std::vector<bool> seen(x.size(), false);
  for (int i = 0; i < count; ++i) {
    const int64_t d = axes[i];
    if (seen[d])
      return Fail(ErrorCode::kInvalidInput, "attribute axes names dimension {} twice", d);
    seen[d] = true;
    const int64_t start = std::min(starts[i], x[d]), end = std::min(ends[i], x[d]);
    // A step beyond the extent takes one element, like the extent itself; it must not overflow what
    // follows.
    const int64_t step = std::min(steps[i], std::max<int64_t>(x[d], 1));
    slice.starts[d] = start;
    slice.steps[d] = step;
    slice.shape[d] = end > start ? (end - start - 1) / step + 1 : 0;
  }
  return slice;
}

Result<TensorType> InferSlice(const Attributes& attributes, Types inputs) {
  ASSIGN_OR_RETURN(SliceShape slice, ShapeOfSlice(attributes, inputs[0]->shape));
  return TensorType{inputs[0]->dtype, std::move(slice.shape)};
}

Status ComputeSlice(const Attributes& attributes, Tensors inputs, Tensor& output) {
  ASSIGN_OR_RETURN(const SliceShape slice, ShapeOfSlice(attributes, inputs[0]->shape()));
  if (output.count() == 0) return {};
  std::vector<int64_t> strides = RowMajorStrides(inputs[0]->shape());
  int64_t offset = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    offset += slice.starts[d] * strides[d];
    strides[d] *= slice.steps[d];
  }
  CopyStrided(*inputs[0], offset, strides, output);
  return {};
}

Result<TensorType> InferConcat(const Attributes& attributes, Types inputs) {
  TensorType y = *inputs[0];
  if (!attributes.Has("axis")) return Fail(ErrorCode::kInvalidInput, "attribute axis is missing");
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, "axis", 0, y.shape.size()));
  for (size_t i = 1; i < inputs.size(); ++i) {
    const TensorType& x = *inputs[i];
    bool fits = x.dtype == y.dtype && x.shape.size() == y.shape.size();
    for (size_t d = 0; fits && d < x.shape.size(); ++d)
      fits = d == static_cast<size_t>(axis) || x.shape[d] == y.shape[d];
    if (!fits)
      return Fail(
          ErrorCode::kInvalidInput,
          "input {} is {} and should be like input 0, {}, but for the extent of dimension {}", i,
          ToString(x), ToString(*inputs[0]), axis);
    if (__builtin_add_overflow(y.shape[axis], x.shape[axis], &y.shape[axis]))
      return Fail(ErrorCode::kInvalidInput, "the inputs have too many elements in dimension {}",
                  axis);
  }
  return y;
}

Status ComputeConcat(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape& shape = output.shape();
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, "axis", 0, shape.size()));
  const int64_t outer = Product(shape, 0, axis),
                inner = Product(shape, axis + 1, shape.size()) * SizeOf(output.dtype());
  int64_t at = 0;
  for (const Tensor* input : inputs) {
    const int64_t bytes = input->shape()[axis] * inner;
    if (bytes == 0) continue;
    for (int64_t o = 0; o < outer; ++o)
      std::memcpy(output.bytes() + o * shape[axis] * inner + at, input->bytes() + o * bytes,
                  static_cast<size_t>(bytes));
    at += bytes;
  }
  return {};
}

Result<TensorType> InferGather(const Attributes& attributes, Types inputs) {
  const TensorType &x = *inputs[0], &indices = *inputs[1];
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, "axis", 0, x.shape.size()));
  if (indices.dtype != DataType::kInt64 && indices.dtype != DataType::kInt32)
    return Fail(ErrorCode::kInvalidInput,
                "indices has elements of type {} and should have i64 or i32", Name(indices.dtype));
  TensorType y{x.dtype, {x.shape.begin(), x.shape.begin() + axis}};
  y.shape.insert(y.shape.end(), indices.shape.begin(), indices.shape.end());
  y.shape.insert(y.shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  return y;
}

Status ComputeGather(const Attributes& attributes, Tensors inputs, Tensor& output) {
  const Shape& x = inputs[0]->shape();
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(attributes, "axis", 0, x.size()));
  const int64_t outer = Product(x, 0, axis), count = inputs[1]->count();
  const int64_t bytes = Product(x, axis + 1, x.size()) * SizeOf(output.dtype());
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = inputs[1]->AsInt64(i);
    if (index < -x[axis] || index >= x[axis])
      return Fail(ErrorCode::kInvalidInput,
                  "indices holds {}, and dimension {} of x has {} elements", index, axis, x[axis]);
    if (index < 0) index += x[axis];
    for (int64_t o = 0; o < outer; ++o)
      std::memcpy(output.bytes() + (o * count + i) * bytes,
                  inputs[0]->bytes() + (o * x[axis] + index) * bytes, static_cast<size_t>(bytes));
  }
  return {};
}

}  // namespace

const std::vector<OperatorDef>& MovementOperators() {
  constexpr OperatorClass kClass = OperatorClass::kMovement;
  constexpr AttributeKind kInts = AttributeKind::kInts;
  static const std::vector<OperatorDef> rows = {
      Row<&InferTranspose, &ComputeTranspose, &NoFlops, 1, 1>("Transpose", kClass, {{"x"}},
                                                              {{"perm", kInts}}),
      Row<&InferSlice, &ComputeSlice, &NoFlops, 1, 1>(
          "Slice", kClass, {{"x"}},
          {{"starts", kInts}, {"ends", kInts}, {"axes", kInts}, {"steps", kInts}}),
      Row<&InferConcat, &ComputeConcat, &NoFlops, 1, -1>("Concat", kClass, {{"x"}},
                                                         {{"axis", AttributeKind::kInt}}),
      Row<&InferGather, &ComputeGather, &NoFlops, 2, 2>(
          "Gather", kClass, {{"x"}, {"indices", false, {}, nullptr, true}},
          {{"axis", AttributeKind::kInt, int64_t{0}}}),
  };
  return rows;
}

}  // namespace whet
