// Runs one operator's reference, and makes tensors of whole numbers, whose sums are exact in any
// order.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "base/rng.h"
#include "schedules/operators/operator.h"

namespace whet {

using Ints = std::vector<int64_t>;

inline Result<Tensor> TryApply(std::string_view op, const Attributes& attributes,
                               const std::vector<Tensor>& inputs) {
  const OperatorDef* def = FindOperator(op);
  if (!def) return Fail(ErrorCode::kNotFound, "no operator {}", op);
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  return def->reference(attributes, pointers);
}

inline Tensor Apply(std::string_view op, const Attributes& attributes,
                    const std::vector<Tensor>& inputs) {
  auto result = TryApply(op, attributes, inputs);
  EXPECT_TRUE(result.has_value()) << op << ": " << (result ? "" : result.error().message);
  return result ? *std::move(result) : Tensor();
}

inline std::vector<float> Floats(const Tensor& tensor) {
  EXPECT_EQ(tensor.dtype(), DataType::kFloat32);
  return {tensor.data<float>(), tensor.data<float>() + tensor.count()};
}

inline std::vector<int64_t> Integers(const Tensor& tensor) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < tensor.count(); ++i) values.push_back(tensor.AsInt64(i));
  return values;
}

inline Result<TensorType> Infer(std::string_view op, const Attributes& attributes,
                                const std::vector<TensorType>& inputs) {
  std::vector<const TensorType*> pointers;
  for (const TensorType& input : inputs) pointers.push_back(&input);
  return FindOperator(op)->infer(attributes, pointers);
}

inline TensorType F32(Shape shape) { return {DataType::kFloat32, std::move(shape)}; }

// The message that the operator refuses these types with, "" if it accepts them.
inline std::string Refusal(std::string_view op, const Attributes& attributes,
                           const std::vector<TensorType>& inputs) {
  auto type = Infer(op, attributes, inputs);
  return type ? "" : type.error().message;
}

inline Tensor WholeNumbers(Shape shape, Rng& rng, int64_t magnitude = 4) {
  Tensor tensor(F32(std::move(shape)));
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.data<float>()[i] = static_cast<float>(rng.Below(2 * magnitude + 1) - magnitude);
  return tensor;
}

inline Tensor Transposed(const Tensor& tensor, Ints perm) {
  return Apply("Transpose", {{"perm", std::move(perm)}}, {tensor});
}
inline Tensor Nhwc(const Tensor& nchw) { return Transposed(nchw, {0, 2, 3, 1}); }
inline Tensor Nchw(const Tensor& nhwc) { return Transposed(nhwc, {0, 3, 1, 2}); }

}  // namespace whet
