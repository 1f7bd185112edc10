#include "base/tensor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <new>

namespace whet {
namespace {

struct DataTypeRow {
  DataType dtype;
  std::string_view name;
  int64_t bytes;
};
// In the order of the enumerators.
constexpr std::array<DataTypeRow, 12> kDataTypes{{
    {DataType::kFloat32, "f32", 4},
    {DataType::kFloat16, "f16", 2},
    {DataType::kBFloat16, "bf16", 2},
    {DataType::kFloat64, "f64", 8},
    {DataType::kInt8, "i8", 1},
    {DataType::kUInt8, "u8", 1},
    {DataType::kInt16, "i16", 2},
    {DataType::kUInt16, "u16", 2},
    {DataType::kInt32, "i32", 4},
    {DataType::kUInt32, "u32", 4},
    {DataType::kInt64, "i64", 8},
    {DataType::kBool, "bool", 1},
}};

const DataTypeRow& RowOf(DataType dtype) { return kDataTypes[static_cast<size_t>(dtype)]; }

uint8_t* Allocate(int64_t bytes) {
  const size_t rounded =
      (static_cast<size_t>(bytes) / kTensorAlignment + 1) * static_cast<size_t>(kTensorAlignment);
  void* memory = std::aligned_alloc(kTensorAlignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<uint8_t*>(memory);
}

double HalfToDouble(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

template <typename T>
T Load(const uint8_t* bytes, int64_t i) {
  T value;
  std::memcpy(&value, bytes + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

}  // namespace

int64_t SizeOf(DataType dtype) { return RowOf(dtype).bytes; }

std::string_view Name(DataType dtype) { return RowOf(dtype).name; }

Result<DataType> ParseDataType(std::string_view name) {
  for (const DataTypeRow& row : kDataTypes) {
    if (row.name == name) return row.dtype;
  }
  return Fail(ErrorCode::kInvalidInput,
              "unknown element type '{}': expected f32, f16, bf16, f64, i8, u8, i32, i64 or bool",
              name);
}

int64_t ElementCount(const Shape& shape) {
  int64_t count = 1;
  for (int64_t extent : shape) count *= extent;
  return count;
}

std::string ToString(const Shape& shape) {
  if (shape.empty()) return "scalar";
  return fmt::format("{}", fmt::join(shape, "x"));
}

Result<Shape> ParseShape(std::string_view text) {
  if (text == "scalar") return Shape{};
  Shape shape;
  int64_t count = 1;
  size_t begin = 0;
  while (true) {
    const size_t end = std::min(text.find('x', begin), text.size());
    int64_t extent = 0;
    const char* stop = text.data() + end;
    const auto [parsed, error] = std::from_chars(text.data() + begin, stop, extent);
    if (begin == end || error != std::errc() || parsed != stop || extent < 0) {
      return Fail(
          ErrorCode::kInvalidInput,
          "'{}' is not a shape: expected extents joined by x, such as 1x3x224x224, or scalar",
          text);
    }
    // Eight bytes is the widest element: such a tensor's size still fits 63 bits.
    int64_t bytes = 0;
    if (__builtin_mul_overflow(count, extent, &count) || __builtin_mul_overflow(count, 8, &bytes)) {
      return Fail(ErrorCode::kInvalidInput, "shape '{}' has more elements than memory can hold",
                  text);
    }
    shape.push_back(extent);
    if (end == text.size()) return shape;
    begin = end + 1;
  }
}

std::string ToString(const TensorType& type) {
  return fmt::format("{}[{}]", Name(type.dtype), ToString(type.shape));
}

Tensor::Tensor(TensorType type) : type_(std::move(type)), bytes_(Allocate(type_.bytes())) {
  std::memset(bytes_.get(), 0, static_cast<size_t>(type_.bytes()));
}

Tensor::Tensor(const Tensor& other) : type_(other.type_) {
  if (other.bytes_ == nullptr) return;
  bytes_.reset(Allocate(type_.bytes()));
  std::memcpy(bytes_.get(), other.bytes_.get(), static_cast<size_t>(type_.bytes()));
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) *this = Tensor(other);
  return *this;
}

Tensor Tensor::Reshaped(Shape shape) const {
  assert(ElementCount(shape) == count());
  Tensor result(*this);
  result.type_.shape = std::move(shape);
  return result;
}

double Tensor::AsDouble(int64_t i) const {
  switch (type_.dtype) {
    case DataType::kFloat32:
      return Load<float>(bytes(), i);
    case DataType::kFloat16:
      return HalfToDouble(Load<uint16_t>(bytes(), i));
    case DataType::kBFloat16:
      return std::bit_cast<float>(static_cast<uint32_t>(Load<uint16_t>(bytes(), i)) << 16);
    case DataType::kFloat64:
      return Load<double>(bytes(), i);
    default:
      return static_cast<double>(AsInt64(i));
  }
}

int64_t Tensor::AsInt64(int64_t i) const {
  switch (type_.dtype) {
    case DataType::kInt8:
      return Load<int8_t>(bytes(), i);
    case DataType::kUInt8:
      return Load<uint8_t>(bytes(), i);
    case DataType::kInt16:
      return Load<int16_t>(bytes(), i);
    case DataType::kUInt16:
      return Load<uint16_t>(bytes(), i);
    case DataType::kInt32:
      return Load<int32_t>(bytes(), i);
    case DataType::kUInt32:
      return Load<uint32_t>(bytes(), i);
    case DataType::kInt64:
      return Load<int64_t>(bytes(), i);
    case DataType::kBool:
      return Load<uint8_t>(bytes(), i) != 0;
    default:
      break;
  }
  // Towards zero, as ONNX's Cast does; what no int64 can hold goes to the nearest one, NaN to 0.
  const double value = AsDouble(i);
  if (std::isnan(value)) return 0;
  if (value >= 0x1.0p63) return std::numeric_limits<int64_t>::max();
  if (value < -0x1.0p63) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

}  // namespace whet
