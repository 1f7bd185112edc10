#include "schedules/task_builder.h"

#include "schedules/operators/operator.h"

namespace whet {

TaskBuilder::Operand TaskBuilder::AddInput(TensorType type, bool constant) {
  std::string name = fmt::format("i{}", task_.inputs.size());
  task_.inputs.push_back({name, type, constant});
  return {std::move(name), std::move(type)};
}

Result<TaskBuilder::Operand> TaskBuilder::AddNode(const std::string& op,
                                                  const std::vector<Operand>& inputs,
                                                  Attributes attributes) {
  const OperatorDef* def = FindOperator(op);
  if (!def) return Fail(ErrorCode::kInvalidInput, "operator '{}' is unknown", op);
  TaskNode node{op, {}, fmt::format("t{}", task_.nodes.size()), std::move(attributes)};
  std::vector<const TensorType*> types;
  for (const Operand& input : inputs) {
    node.inputs.push_back(input.name);
    types.push_back(&input.type);
  }
  ASSIGN_OR_RETURN(TensorType type, def->infer(node.attributes, types));
  Operand output{node.output, std::move(type)};
  task_.output = node.output;
  task_.nodes.push_back(std::move(node));
  return output;
}

Result<Task> TaskBuilder::Finish() {
  RETURN_IF_ERROR(task_.Types());
  return task_.Canonical();
}

}  // namespace whet
