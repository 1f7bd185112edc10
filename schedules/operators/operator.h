// The operator registry: one row an operator.
//
// Operators are named as ONNX names them and come in a canonical form (operators/README.md):
// parameters that ONNX passes as constant inputs (Clip's bounds, Slice's starts, Reshape's shape)
// are attributes here, `auto_pad` is resolved to `pads`, and operators with spatial axes carry
// `layout`: "NCHW" or "NHWC", the order of the dimensions of their 4-D data tensors. Weights stay
// in ONNX's order [m, c/group, kh, kw]. Thread safety: the registry is constant.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/attributes.h"

namespace whet {

enum class OperatorClass {
  kElementwise,  // out[i] = f(a[i], b[i], ...) with NumPy broadcasting
  kReduction,    // contractions, pooling, normalisation: what a task is built around
  kMovement,     // rearranges elements: Transpose, Concat, Slice, Gather
  kView,         // the same bytes under another shape: Reshape and what reduces to it
  kFold,         // exists only at import, where it becomes a constant: Shape, Constant
};

enum class AttributeKind { kInt, kFloat, kString, kInts };

struct AttributeDef {
  std::string_view name;
  AttributeKind kind;
  std::optional<Attribute> fallback =
      {};  // none: required, or absence has a meaning (Clip's bounds)
};

// Where ordinary values lie: low + (high - low) u for u in [0, 1), of either sign where `signs`.
struct ValueRange {
  double low = -1, high = 1;
  bool signs = false;
};

struct OperandDef {
  std::string_view name;
  bool parameter = false;  // a weight: usually constant
  ValueRange range = {};
  // How long the sums are that its values are weights of; null: they are none.
  int64_t (*sum_length)(const Attributes&, const Shape& operand) = nullptr;
  bool index = false;  // positions in the dimension `axis` of the first operand
};

struct OperatorDef {
  std::string_view name;
  OperatorClass op_class;
  int min_inputs;
  int max_inputs;  // -1: any number, all named as the last operand with a number: x0, x1, ..
  // Types of the outputs (one) from those of the inputs. An absent optional input is nullptr.
  // Errors name the attribute or operand, not the node: the caller prefixes that. No type or
  // attribute makes it overflow or crash.
  Result<TensorType> (*infer)(const Attributes&, std::span<const TensorType* const> inputs);
  // The plain computation that kernels are checked against and constants are folded with.
  // Repeats `infer`'s errors. Sums are float partial sums of at most 256 terms, added up in double;
  // the largest convolutions of VGG-16 take about a second.
  Result<Tensor> (*reference)(const Attributes&, std::span<const Tensor* const> inputs);
  // Floating-point operations of one run: a multiply-add counts two, padding counts as data, a bias
  // that starts the sum counts nothing. 0 where `infer` fails.
  double (*flops)(const Attributes&, std::span<const TensorType* const> inputs);
  std::vector<OperandDef> operands;
  std::vector<AttributeDef> attributes;
  // Which dimensions of the first operand run through what is made of one of its rows: the reduced
  // ones. Null: of kReduction, sums run over everything; of other classes, nothing is mixed.
  std::vector<int64_t> (*mixes)(const Attributes&, const Shape& x) = nullptr;
  // Nothing is rounded: kernels and the reference agree to the last bit. So it is of kMovement and
  // kView in any case.
  bool exact = false;

  const AttributeDef* FindAttribute(
      std::string_view attribute_name) const;  // nullptr: none of that name
};

const OperatorDef* FindOperator(std::string_view name);  // nullptr: not one of ours
std::span<const OperatorDef* const> AllOperators();      // sorted by name

// The attributes as the canonical JSON has them, so that equal work reads equal: defaults explicit,
// floats rounded to fp32 as ONNX stores them, bounds of Clip that bound nothing (-inf as min, +inf
// as max) and attributes that are not the operator's dropped, a negative `axis` counted from the
// front of `rank` dimensions (rank -1: left alone).
Attributes CanonicalAttributes(const OperatorDef& def, const Attributes& attributes, int rank = -1);

}  // namespace whet
