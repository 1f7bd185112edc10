// If. One branch alone is imported where the condition is known; else both are computed, and the
// condition chooses between their results.
#include "graph/onnx_normalize.h"

namespace whet {
namespace {

Status ReturnBranch(OnnxNode& node, const char* name) {
  ASSIGN_OR_RETURN(const std::vector<ValueId> values, node.Branch(name));
  for (int i = 0; i < node.output_count(); ++i) node.Return(values[static_cast<size_t>(i)], i);
  return {};
}

Status Choose(OnnxNode& node, ValueId condition) {
  ASSIGN_OR_RETURN(const std::vector<ValueId> holds, node.Branch("then_branch"));
  ASSIGN_OR_RETURN(const std::vector<ValueId> fails, node.Branch("else_branch"));
  ASSIGN_OR_RETURN(condition, node.EmitReshape(condition, {}));
  for (int i = 0; i < node.output_count(); ++i) {
    const ValueId yes = holds[static_cast<size_t>(i)], no = fails[static_cast<size_t>(i)];
    if (node.Type(yes) != node.Type(no)) {
      // Whoever can tell the condition in advance is asked for it.
      const std::string why = fmt::format("its branches give {} and {}", ToString(node.Type(yes)),
                                          ToString(node.Type(no)));
      return Prefixed(node.ConstantInput(0, "condition").error(), why);
    }
    ValueId value = yes;
    if (yes != no) {
      ASSIGN_OR_RETURN(value, node.Emit("Where", {condition, yes, no}));
    }
    node.Return(value, i);
  }
  return {};
}

Status If(OnnxNode& node) {
  const ValueId condition = node.Input(0);
  const TensorType& type = node.Type(condition);
  if (type.dtype != DataType::kBool || ElementCount(type.shape) != 1) {
    return Fail(ErrorCode::kInvalidInput, "its condition is {}, expected one bool", ToString(type));
  }
  const Tensor* known = node.Constant(condition);
  if (known == nullptr) return Choose(node, condition);
  node.Ignore({"then_branch", "else_branch"});
  return ReturnBranch(node, known->AsInt64(0) != 0 ? "then_branch" : "else_branch");
}

constexpr OnnxOperator kOperators[] = {{"If", If}};

}  // namespace

std::span<const OnnxOperator> ControlOnnxOperators() { return kOperators; }

}  // namespace whet
