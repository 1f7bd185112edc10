// Operators that keep the elements in their order: Reshape, and Cast, which changes their type.
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "schedules/operators/checks.h"

namespace whet {
namespace {

Result<TensorType> InferReshape(const Attributes& attributes, Types inputs) {
  const TensorType& x = *inputs[0];
  auto it = attributes.values().find("shape");
  if (it == attributes.values().end())
    return Fail(ErrorCode::kInvalidInput, "attribute shape is missing");
  ASSIGN_OR_RETURN(Shape shape,
                   IntsAttribute(attributes, "shape", -1, 0, std::numeric_limits<int64_t>::max()));
  TensorType y{x.dtype, std::move(shape)};
  RETURN_IF_ERROR(CheckSize("attribute shape", y));
  if (ElementCount(y.shape) != ElementCount(x.shape))
    return Fail(ErrorCode::kInvalidInput,
                "attribute shape is {} with {} elements, and x has the shape {} with {}",
                ToString(y.shape), ElementCount(y.shape), ToString(x.shape), ElementCount(x.shape));
  return y;
}

Status ComputeReshape(const Attributes&, Tensors inputs, Tensor& output) {
  if (output.size_bytes() > 0)
    std::memcpy(output.bytes(), inputs[0]->bytes(), static_cast<size_t>(output.size_bytes()));
  return {};
}

Result<TensorType> InferCast(const Attributes& attributes, Types inputs) {
  auto it = attributes.values().find("to");
  const auto* name =
      it == attributes.values().end() ? nullptr : std::get_if<std::string>(&it->second);
  if (!name)
    return Fail(ErrorCode::kInvalidInput,
                "attribute to is missing; it should name a data type such as f32 or i64");
  ASSIGN_OR_RETURN(const DataType to, ParseDataType(*name));
  if (to == DataType::kFloat16 || to == DataType::kBFloat16)
    return Fail(ErrorCode::kInvalidInput,
                "attribute to is {}; Cast makes f32, f64, integers and bool", *name);
  return TensorType{to, inputs[0]->shape};
}

bool IsFloat(DataType dtype) {
  return dtype == DataType::kFloat32 || dtype == DataType::kFloat64 ||
         dtype == DataType::kFloat16 || dtype == DataType::kBFloat16;
}

// Towards zero. ONNX leaves open what no T holds, and NaN: the lowest T, as x86 converts and ONNX
// Runtime with it.
template <typename T>
T Truncated(double value) {
  constexpr double kEnd = -static_cast<double>(std::numeric_limits<T>::min());  // a power of two
  const double whole = std::trunc(value);
  return whole >= -kEnd && whole < kEnd ? static_cast<T>(whole) : std::numeric_limits<T>::min();
}

// The lowest bits of x as an integer of 32 bits (of 64, if 32 are asked for).
template <typename T>
T FromFloat(double value) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(value);
  if constexpr (sizeof(T) == 8 || std::is_same_v<T, uint32_t>)
    return static_cast<T>(Truncated<int64_t>(value));
  return static_cast<T>(Truncated<int32_t>(value));
}

Status ComputeCast(const Attributes&, Tensors inputs, Tensor& output) {
  const Tensor& x = *inputs[0];
  const int64_t count = x.count();
  const bool from_float = IsFloat(x.dtype());
  auto convert = [&](auto element) {
    using T = decltype(element);
    T* y = output.data<T>();
    for (int64_t i = 0; i < count; ++i)
      y[i] = from_float ? FromFloat<T>(x.AsDouble(i)) : static_cast<T>(x.AsInt64(i));
  };
  switch (output.dtype()) {
    case DataType::kFloat64:
      convert(double());
      break;
    case DataType::kInt8:
      convert(int8_t());
      break;
    case DataType::kUInt8:
      convert(uint8_t());
      break;
    case DataType::kInt16:
      convert(int16_t());
      break;
    case DataType::kUInt16:
      convert(uint16_t());
      break;
    case DataType::kInt32:
      convert(int32_t());
      break;
    case DataType::kUInt32:
      convert(uint32_t());
      break;
    case DataType::kInt64:
      convert(int64_t());
      break;
    case DataType::kBool:
      // NaN is not 0 either.
      for (int64_t i = 0; i < count; ++i) output.data<uint8_t>()[i] = x.AsDouble(i) != 0;
      break;
    default:
      convert(float());
      break;
  }
  return {};
}

}  // namespace

const std::vector<OperatorDef>& ViewOperators() {
  static const std::vector<OperatorDef> rows = {
      Row<&InferReshape, &ComputeReshape, &NoFlops, 1, 1>("Reshape", OperatorClass::kView, {{"x"}},
                                                          {{"shape", AttributeKind::kInts}}),
      Row<&InferCast, &ComputeCast, &NoFlops, 1, 1>("Cast", OperatorClass::kElementwise, {{"x"}},
                                                    {{"to", AttributeKind::kString}}),
  };
  return rows;
}

}  // namespace whet
