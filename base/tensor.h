// Dense tensors in host memory, and their types.
//
// A Tensor owns its bytes, 64-byte aligned, row-major in its shape (the last dimension is
// contiguous). Shapes are int64 extents, outermost first, as ONNX writes them; a scalar has the
// empty shape. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace whet {

enum class DataType : uint8_t {
  kFloat32,
  kFloat16,
  kBFloat16,
  kFloat64,
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kBool,
};

int64_t SizeOf(DataType dtype);         // bytes of one element
std::string_view Name(DataType dtype);  // "f32", "f16", "bf16", "f64", "i8", "u8", "i16", "u16",
                                        // "i32", "u32", "i64", "bool"
Result<DataType> ParseDataType(std::string_view name);

using Shape = std::vector<int64_t>;

int64_t ElementCount(const Shape& shape);         // 1 for a scalar
std::string ToString(const Shape& shape);         // "1x64x56x56"; "scalar" for the empty shape
Result<Shape> ParseShape(std::string_view text);  // the inverse of ToString

struct TensorType {
  DataType dtype = DataType::kFloat32;
  Shape shape;
  int64_t bytes() const { return ElementCount(shape) * SizeOf(dtype); }
  bool operator==(const TensorType&) const = default;
};
std::string ToString(const TensorType& type);  // "f32[1x64x56x56]"

inline constexpr int64_t kTensorAlignment = 64;  // bytes

class Tensor {
 public:
  Tensor() = default;                // f32 with shape {0}, no bytes
  explicit Tensor(TensorType type);  // zero-filled
  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;

  template <typename T>
  static Tensor Of(DataType dtype, Shape shape, const std::vector<T>& values) {
    Tensor tensor(TensorType{dtype, std::move(shape)});
    std::memcpy(tensor.bytes(), values.data(), values.size() * sizeof(T));
    return tensor;
  }
  static Tensor Float(Shape shape, const std::vector<float>& values) {
    return Of<float>(DataType::kFloat32, std::move(shape), values);
  }
  static Tensor Int64(Shape shape, const std::vector<int64_t>& values) {
    return Of<int64_t>(DataType::kInt64, std::move(shape), values);
  }

  const TensorType& type() const { return type_; }
  const Shape& shape() const { return type_.shape; }
  DataType dtype() const { return type_.dtype; }
  int64_t count() const { return ElementCount(type_.shape); }
  int64_t size_bytes() const { return type_.bytes(); }
  uint8_t* bytes() { return bytes_.get(); }
  const uint8_t* bytes() const { return bytes_.get(); }
  template <typename T>
  T* data() {
    return reinterpret_cast<T*>(bytes_.get());
  }
  template <typename T>
  const T* data() const {
    return reinterpret_cast<const T*>(bytes_.get());
  }

  // The same bytes under another shape of as many elements.
  Tensor Reshaped(Shape shape) const;
  // Element `i` of any integer or floating tensor, converted.
  double AsDouble(int64_t i) const;
  int64_t AsInt64(int64_t i) const;

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  TensorType type_{DataType::kFloat32, {0}};
  std::unique_ptr<uint8_t[], Free> bytes_;
};

}  // namespace whet
