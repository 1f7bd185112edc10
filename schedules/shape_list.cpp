// Shape lists: kernel shapes of networks as tasks.
#include "base/file.h"
#include "schedules/strict_json.h"
#include "schedules/task.h"
#include "schedules/task_builder.h"

namespace whet {
namespace {

using Operand = TaskBuilder::Operand;

struct Kernel {
  std::string op;
  Shape input, weight, output;
  bool bias = false;
  std::vector<std::string> epilogue;
};

Result<Kernel> ReadKernel(const Json& entry) {
  Kernel kernel;
  ASSIGN_OR_RETURN(kernel.op, Field<std::string>(entry, "op"));
  if (kernel.op != "Conv" && kernel.op != "Gemm" && kernel.op != "MatMul")
    return Fail(ErrorCode::kInvalidInput, "op is '{}' and should be Conv, Gemm or MatMul",
                kernel.op);
  ASSIGN_OR_RETURN(kernel.input, Int64ListMember(entry, "input"));
  ASSIGN_OR_RETURN(kernel.weight, Int64ListMember(entry, "weight"));
  ASSIGN_OR_RETURN(kernel.output, Int64ListMember(entry, "output"));
  ASSIGN_OR_RETURN(kernel.bias, FieldOr<bool>(entry, "bias", false));
  if (entry.contains("epilogue")) {
    ASSIGN_OR_RETURN(kernel.epilogue, StringListMember(entry, "epilogue"));
  }
  return kernel;
}

Result<Attributes> ReadAttributes(const Json& entry, const std::string& op) {
  Attributes attributes;
  if (op == "Conv") {
    for (const char* name : {"strides", "pads", "dilations"}) {
      if (!entry.contains(name)) continue;
      ASSIGN_OR_RETURN(auto values, Int64ListMember(entry, name));
      attributes.Set(name, std::move(values));
    }
    ASSIGN_OR_RETURN(int64_t group, FieldOr<int64_t>(entry, "group", 1));
    attributes.Set("group", group);
    attributes.Set("layout", std::string("NHWC"));
  } else if (op == "Gemm") {
    for (const char* name : {"transA", "transB"}) {
      ASSIGN_OR_RETURN(int64_t value, FieldOr<int64_t>(entry, name, 0));
      attributes.Set(name, value);
    }
  }
  return attributes;
}

Result<Operand> AddEpilogue(TaskBuilder& builder, const Operand& value, const std::string& name) {
  if (name == "relu") return builder.AddNode("Relu", {value});
  if (name == "relu6") return builder.AddNode("Clip", {value}, {{"min", 0.0}, {"max", 6.0}});
  if (name == "gelu") return builder.AddNode("Gelu", {value});
  if (name == "tanh") return builder.AddNode("Tanh", {value});
  if (name == "add") return builder.AddNode("Add", {value, builder.AddInput(value.type, false)});
  if (name == "scale")
    return builder.AddNode("Mul", {value, builder.AddInput({DataType::kFloat32, {}}, true)});
  return Fail(ErrorCode::kInvalidInput,
              "epilogue '{}' is unknown; known are relu, relu6, add, scale, gelu and tanh", name);
}

Result<Task> BuildKernel(const Json& entry, const std::string& target) {
  ASSIGN_OR_RETURN(const Kernel kernel, ReadKernel(entry));
  ASSIGN_OR_RETURN(Attributes attributes, ReadAttributes(entry, kernel.op));
  const bool conv = kernel.op == "Conv";
  if (conv && (kernel.input.size() != 4 || kernel.output.size() != 4 || kernel.weight.size() != 4))
    return Fail(ErrorCode::kInvalidInput,
                "input, weight and output of a Conv should have 4 dimensions each");
  TaskBuilder builder(target);
  const Shape input = conv ? ToChannelsLast(kernel.input) : kernel.input;
  const Shape output = conv ? ToChannelsLast(kernel.output) : kernel.output;
  // The second operand of a batched product is an activation too.
  const bool weight_is_constant = kernel.op != "MatMul" || kernel.weight.size() <= 2;
  std::vector<Operand> operands = {
      builder.AddInput({DataType::kFloat32, input}, false),
      builder.AddInput({DataType::kFloat32, kernel.weight}, weight_is_constant)};
  const int64_t features = output.empty() ? 1 : output.back();
  const TensorType bias{DataType::kFloat32, {features}};
  if (kernel.bias && kernel.op != "MatMul") operands.push_back(builder.AddInput(bias, true));
  auto head = builder.AddNode(kernel.op, operands, std::move(attributes));
  if (!head) return Prefixed(head.error(), kernel.op);
  Operand value = *std::move(head);
  if (kernel.bias && kernel.op == "MatMul") {
    ASSIGN_OR_RETURN(value, builder.AddNode("Add", {value, builder.AddInput(bias, true)}));
  }
  if (value.type.shape != output)
    return Fail(ErrorCode::kInvalidInput, "output is {} and the operands make {}",
                ToString(kernel.output),
                ToString(conv ? ToChannelsFirst(value.type.shape) : value.type.shape));
  for (const std::string& name : kernel.epilogue) {
    ASSIGN_OR_RETURN(value, AddEpilogue(builder, value, name));
  }
  return builder.Finish();
}

}  // namespace

Result<NamedTask> TaskFromShapeEntry(const Json& entry, const std::string& target) {
  NamedTask named;
  ASSIGN_OR_RETURN(named.id, Field<std::string>(entry, "id"));
  auto task = BuildKernel(entry, target);
  if (!task) return Prefixed(task.error(), fmt::format("kernel '{}'", named.id));
  named.task = *std::move(task);
  return named;
}

Result<std::vector<NamedTask>> ReadShapeList(const std::string& path, const std::string& target) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  auto json = ParseJson(text);
  if (!json) return Prefixed(json.error(), path);
  auto kernels = ListMember(*json, "kernels");
  if (!kernels) return Prefixed(kernels.error(), path);
  std::vector<NamedTask> tasks;
  for (size_t i = 0; i < (*kernels)->size(); ++i) {
    auto task = TaskFromShapeEntry((**kernels)[i], target);
    if (!task) return Prefixed(task.error(), fmt::format("{}: entry {}", path, i));
    for (const NamedTask& other : tasks)
      if (other.id == task->id)
        return Fail(ErrorCode::kInvalidInput, "{}: the id '{}' is there twice", path, task->id);
    tasks.push_back(*std::move(task));
  }
  return tasks;
}

}  // namespace whet
