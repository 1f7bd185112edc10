// Elementwise operators of two operands, and Where, which chooses between two: all with NumPy
// broadcasting. Comparisons give bool. Integers too, since the
// arithmetic on shapes that networks carry is folded with them; they wrap around as ONNX's do.
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "schedules/operators/checks.h"
#include "schedules/operators/strided.h"

namespace whet {
namespace {

Result<TensorType> InferBinary(const Attributes&, Types inputs) {
  const TensorType &a = *inputs[0], &b = *inputs[1];
  if (a.dtype != b.dtype)
    return Fail(ErrorCode::kInvalidInput,
                "a has elements of type {} and b of type {}; they should agree", Name(a.dtype),
                Name(b.dtype));
  if (a.dtype != DataType::kFloat32 && a.dtype != DataType::kInt32 && a.dtype != DataType::kInt64)
    return Fail(ErrorCode::kInvalidInput,
                "a has elements of type {} and should have f32, i32 or i64", Name(a.dtype));
  ASSIGN_OR_RETURN(Shape shape, BroadcastShapes(a.shape, b.shape));
  return TensorType{a.dtype, std::move(shape)};
}

// Integers as their unsigned kin: overflow wraps instead of being undefined.
template <typename T>
using Wrapping = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>,
                                             std::type_identity<T>>::type;

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) + Wrapping<T>(b));
  }
};
struct Sub {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) - Wrapping<T>(b));
  }
};
struct Mul {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) * Wrapping<T>(b));
  }
};
// Integers round towards zero. ONNX leaves open what 0 divides to: 0 here, since a kernel cannot
// refuse.
struct Div {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) return 0;
      if (b == -1)
        return static_cast<T>(Wrapping<T>(0) - Wrapping<T>(a));  // the lowest integer wraps
    }
    return a / b;
  }
};
// NaN in either operand gives NaN.
struct Max {
  template <typename T>
  T operator()(T a, T b) const {
    return a != a || a > b ? a : b;
  }
};
struct Min {
  template <typename T>
  T operator()(T a, T b) const {
    return a != a || a < b ? a : b;
  }
};

struct Pow {
  float operator()(float a, float b) const {
    return static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
};

template <typename Function, typename T>
Status Combine(Tensors inputs, Tensor& output) {
  const T *a = inputs[0]->data<T>(), *b = inputs[1]->data<T>();
  T* y = output.data<T>();
  const Shape& shape = output.shape();
  ForEachIndex(shape, BroadcastStrides(inputs[0]->shape(), shape),
               BroadcastStrides(inputs[1]->shape(), shape),
               [&](int64_t i, int64_t ia, int64_t ib) { y[i] = Function()(a[ia], b[ib]); });
  return {};
}

template <typename Function>
Status ComputeBinary(const Attributes&, Tensors inputs, Tensor& output) {
  switch (output.dtype()) {
    case DataType::kInt32:
      return Combine<Function, int32_t>(inputs, output);
    case DataType::kInt64:
      return Combine<Function, int64_t>(inputs, output);
    default:
      return Combine<Function, float>(inputs, output);
  }
}

Result<TensorType> InferPow(const Attributes& attributes, Types inputs) {
  RETURN_IF_ERROR(CheckFloat("a", *inputs[0]));
  return InferBinary(attributes, inputs);
}

Status ComputePow(const Attributes&, Tensors inputs, Tensor& output) {
  return Combine<Pow, float>(inputs, output);
}

struct Equal {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct Less {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct LessOrEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};

Result<TensorType> InferComparison(const Attributes& attributes, Types inputs) {
  TensorType y{DataType::kBool, {}};
  const TensorType &a = *inputs[0], &b = *inputs[1];
  if (a.dtype == DataType::kBool && b.dtype == DataType::kBool) {
    ASSIGN_OR_RETURN(y.shape, BroadcastShapes(a.shape, b.shape));
    return y;
  }
  ASSIGN_OR_RETURN(TensorType numbers, InferBinary(attributes, inputs));
  y.shape = std::move(numbers.shape);
  return y;
}

template <typename Function, typename T>
Status Compare(Tensors inputs, Tensor& output) {
  const T *a = inputs[0]->data<T>(), *b = inputs[1]->data<T>();
  uint8_t* y = output.data<uint8_t>();
  const Shape& shape = output.shape();
  ForEachIndex(shape, BroadcastStrides(inputs[0]->shape(), shape),
               BroadcastStrides(inputs[1]->shape(), shape),
               [&](int64_t i, int64_t ia, int64_t ib) { y[i] = Function()(a[ia], b[ib]); });
  return {};
}

template <typename Function>
Status ComputeComparison(const Attributes&, Tensors inputs, Tensor& output) {
  switch (inputs[0]->dtype()) {
    case DataType::kBool:
      return Compare<Function, uint8_t>(inputs, output);
    case DataType::kInt32:
      return Compare<Function, int32_t>(inputs, output);
    case DataType::kInt64:
      return Compare<Function, int64_t>(inputs, output);
    default:
      return Compare<Function, float>(inputs, output);
  }
}

Result<TensorType> InferWhere(const Attributes&, Types inputs) {
  const TensorType &condition = *inputs[0], &x = *inputs[1], &y = *inputs[2];
  if (condition.dtype != DataType::kBool)
    return Fail(ErrorCode::kInvalidInput, "condition has elements of type {} and should have bool",
                Name(condition.dtype));
  if (x.dtype != y.dtype)
    return Fail(ErrorCode::kInvalidInput,
                "x has elements of type {} and y of type {}; they should agree", Name(x.dtype),
                Name(y.dtype));
  ASSIGN_OR_RETURN(const Shape values, BroadcastShapes(x.shape, y.shape));
  ASSIGN_OR_RETURN(Shape shape, BroadcastShapes(condition.shape, values));
  return TensorType{x.dtype, std::move(shape)};
}

Status ComputeWhere(const Attributes&, Tensors inputs, Tensor& output) {
  const Shape& shape = output.shape();
  const int64_t bytes = SizeOf(output.dtype());
  const uint8_t* condition = inputs[0]->data<uint8_t>();
  for (const bool chosen : {true, false}) {
    const Tensor& from = *inputs[chosen ? 1 : 2];
    ForEachIndex(shape, BroadcastStrides(inputs[0]->shape(), shape),
                 BroadcastStrides(from.shape(), shape), [&](int64_t i, int64_t ic, int64_t at) {
                   if ((condition[ic] != 0) == chosen)
                     std::memcpy(output.bytes() + i * bytes, from.bytes() + at * bytes,
                                 static_cast<size_t>(bytes));
                 });
  }
  return {};
}

double BinaryFlops(const Attributes&, Types, const TensorType& output) {
  return static_cast<double>(ElementCount(output.shape));
}

template <typename Function>
OperatorDef Simple(std::string_view name, ValueRange of_b = {}) {
  return Row<&InferBinary, &ComputeBinary<Function>, &BinaryFlops, 2, 2>(
      name, OperatorClass::kElementwise, {{"a"}, {"b", false, of_b}});
}

template <typename Function>
OperatorDef Comparison(std::string_view name) {
  return Row<&InferComparison, &ComputeComparison<Function>, &BinaryFlops, 2, 2>(
      name, OperatorClass::kElementwise, {{"a"}, {"b"}});
}

}  // namespace

const std::vector<OperatorDef>& BinaryOperators() {
  static const std::vector<OperatorDef> rows = {
      Simple<Add>("Add"),
      Simple<Sub>("Sub"),
      Simple<Mul>("Mul"),
      Simple<Div>("Div", {0.5, 1.5, true}),  // away from 0
      Exact(Simple<Max>("Max")),
      Exact(Simple<Min>("Min")),
      Row<&InferPow, &ComputePow, &BinaryFlops, 2, 2>("Pow", OperatorClass::kElementwise,
                                                      {{"a"}, {"b"}}),
      Exact(Comparison<Equal>("Equal")),
      Exact(Comparison<Less>("Less")),
      Exact(Comparison<LessOrEqual>("LessOrEqual")),
      Exact(Row<&InferWhere, &ComputeWhere, &BinaryFlops, 3, 3>("Where", OperatorClass::kElementwise,
                                                          {{"condition"}, {"x"}, {"y"}}))};
  return rows;
}

}  // namespace whet
