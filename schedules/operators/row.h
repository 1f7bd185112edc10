// Makes registry rows out of an operator's own functions, with the checks that all of them need
// around these.
//
// An operator's file writes three functions:
//   Result<TensorType> Infer(const Attributes&, Types inputs);           // operand count and sizes
//   are checked Status Compute(const Attributes&, Tensors inputs, Tensor& output);   // types are
//   inferred, output is zeroed double Flops(const Attributes&, Types inputs, const TensorType&
//   output);
#pragma once

#include <new>
#include <span>
#include <vector>

#include "schedules/operators/operator.h"

namespace whet {

using Types = std::span<const TensorType* const>;
using Tensors = std::span<const Tensor* const>;

// Extents are not negative and the bytes fit a machine (2^40).
Status CheckSize(std::string_view what, const TensorType& type);
// Between `min` and `max` (-1: any) operands, the required ones present, each of a sane size.
Status CheckOperands(Types inputs, int min, int max);

template <auto Infer, int kMin, int kMax>
Result<TensorType> GuardedInfer(const Attributes& attributes, Types inputs) {
  RETURN_IF_ERROR(CheckOperands(inputs, kMin, kMax));
  ASSIGN_OR_RETURN(TensorType output, Infer(attributes, inputs));
  RETURN_IF_ERROR(CheckSize("the output", output));
  return output;
}

template <auto Infer, auto Compute, int kMin, int kMax>
Result<Tensor> GuardedReference(const Attributes& attributes, Tensors inputs) {
  std::vector<const TensorType*> types;
  for (const Tensor* input : inputs) types.push_back(input ? &input->type() : nullptr);
  ASSIGN_OR_RETURN(TensorType type, (GuardedInfer<Infer, kMin, kMax>(attributes, types)));
  try {
    Tensor output(type);
    RETURN_IF_ERROR(Compute(attributes, inputs, output));
    return output;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kFailed, "there is not enough memory to compute {}", ToString(type));
  }
}

template <auto Infer, auto Flops, int kMin, int kMax>
double GuardedFlops(const Attributes& attributes, Types inputs) {
  auto output = GuardedInfer<Infer, kMin, kMax>(attributes, inputs);
  return output ? Flops(attributes, inputs, *output) : 0;
}

template <auto Infer, auto Compute, auto Flops, int kMin, int kMax>
OperatorDef Row(std::string_view name, OperatorClass op_class, std::vector<OperandDef> operands,
                std::vector<AttributeDef> attributes = {},
                std::vector<int64_t> (*mixes)(const Attributes&, const Shape&) = nullptr) {
  return {name,
          op_class,
          kMin,
          kMax,
          &GuardedInfer<Infer, kMin, kMax>,
          &GuardedReference<Infer, Compute, kMin, kMax>,
          &GuardedFlops<Infer, Flops, kMin, kMax>,
          std::move(operands),
          std::move(attributes),
          mixes};
}

// The row of an operator that rounds nothing.
inline OperatorDef Exact(OperatorDef def) {
  def.exact = true;
  return def;
}

// Movement and views compute nothing.
inline double NoFlops(const Attributes&, Types, const TensorType&) { return 0; }

// One function a file: its rows, built once.
const std::vector<OperatorDef>& UnaryOperators();
const std::vector<OperatorDef>& BinaryOperators();
const std::vector<OperatorDef>& ConvOperators();
const std::vector<OperatorDef>& ConvTransposeOperators();
const std::vector<OperatorDef>& PoolOperators();
const std::vector<OperatorDef>& ResizeOperators();
const std::vector<OperatorDef>& MatMulOperators();
const std::vector<OperatorDef>& NormalizationOperators();
const std::vector<OperatorDef>& MovementOperators();
const std::vector<OperatorDef>& PadOperators();
const std::vector<OperatorDef>& ViewOperators();
const std::vector<OperatorDef>& ReduceOperators();
const std::vector<OperatorDef>& PipelineOperators();

}  // namespace whet
