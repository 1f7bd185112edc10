#include "codegen/task_plan.h"

#include "codegen/kernel_compiler.h"
#include "codegen/target.h"

namespace whet {

Result<BuiltPlan> BuildTaskPlan(const Task& task, const Trace& trace,
                                std::span<const Tensor> inputs, const std::string& symbol) {
  ASSIGN_OR_RETURN(const Target target, Target::Parse(task.target));
  ASSIGN_OR_RETURN(const TensorType output, task.OutputType());
  BuiltPlan built;
  PlanSpec& plan = built.plan;
  plan.model = symbol;
  plan.target = task.target;
  plan.threads = target.threads;
  plan.kernels.push_back({symbol, task.Fingerprint(), task.Describe(), 0, task.Flops()});
  PlanStep step{task.Describe(), 0, {}};
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const TaskInput& input = task.inputs[i];
    ASSIGN_OR_RETURN(const TensorType type, PackedType(task, trace, i));
    PlanValue value{type, Place::kInput, static_cast<int64_t>(plan.inputs.size())};
    if (input.constant) {
      std::string& bytes = built.constants;
      bytes.resize((bytes.size() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment);
      value.place = Place::kConstant;
      value.offset = static_cast<int64_t>(bytes.size());
      ASSIGN_OR_RETURN(const Tensor packed, PackConstant(task, trace, i, inputs[i]));
      bytes.append(reinterpret_cast<const char*>(packed.bytes()), packed.size_bytes());
    } else {
      plan.inputs.push_back({input.name, input.type});
    }
    step.args.push_back(static_cast<int>(plan.values.size()));
    plan.values.push_back(value);
  }
  step.args.push_back(static_cast<int>(plan.values.size()));
  plan.values.push_back({output, Place::kOutput, 0});
  plan.outputs.push_back({task.output, output});
  plan.steps.push_back(step);
  plan.constant_bytes = static_cast<int64_t>(built.constants.size());
  RETURN_IF_ERROR(plan.Validate());
  return built;
}

}  // namespace whet
