#include "schedules/task.h"

#include <algorithm>
#include <limits>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

constexpr int64_t kMaxElements =
    std::numeric_limits<int32_t>::max();  // Halide's indices have 32 bits

// Names become those of Halide Funcs and of symbols.
bool IsName(const std::string& name) {
  if (name.empty() || name.size() > 64 || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Status CheckTensor(const TensorType& type) {
  int64_t count = 1;
  for (int64_t extent : type.shape) {
    if (extent < 1)
      return Fail(ErrorCode::kInvalidInput,
                  "the shape {} has no elements; extents should be at least 1",
                  ToString(type.shape));
    if (__builtin_mul_overflow(count, extent, &count) || count > kMaxElements)
      return Fail(ErrorCode::kInvalidInput,
                  "the shape {} has more elements than the {} that a kernel can index",
                  ToString(type.shape), kMaxElements);
  }
  return {};
}

using TypeMap = std::map<std::string, TensorType>;

Status Define(TypeMap& types, const std::string& name, TensorType type) {
  if (!IsName(name))
    return Fail(ErrorCode::kInvalidInput,
                "'{}' is no name; names are letters, digits and _, at most 64", name);
  RETURN_IF_ERROR(CheckTensor(type));
  if (!types.emplace(name, std::move(type)).second)
    return Fail(ErrorCode::kInvalidInput, "the name '{}' is taken; every value needs its own",
                name);
  return {};
}

Result<std::vector<const TensorType*>> InputTypes(const TypeMap& types, const TaskNode& node) {
  std::vector<const TensorType*> inputs;
  for (const std::string& name : node.inputs) {
    auto it = types.find(name);
    if (it == types.end())
      return Fail(ErrorCode::kInvalidInput,
                  "input '{}' is neither an input of the task nor an earlier node's output", name);
    inputs.push_back(&it->second);
  }
  return inputs;
}

Status DefineOutput(TypeMap& types, const TaskNode& node) {
  const OperatorDef* def = FindOperator(node.op);
  if (!def || def->op_class == OperatorClass::kFold)
    return Fail(ErrorCode::kUnsupported,
                "the operator is unknown; schedules/operators/README.md lists them");
  ASSIGN_OR_RETURN(auto inputs, InputTypes(types, node));
  ASSIGN_OR_RETURN(TensorType output, def->infer(node.attributes, inputs));
  return Define(types, node.output, std::move(output));
}

std::string Where(const TaskNode& node) {
  return fmt::format("node '{}' ({})", node.output, node.op);
}

}  // namespace

Result<std::map<std::string, TensorType>> Task::Types() const {
  TypeMap types;
  for (const TaskInput& input : inputs) {
    auto status = Define(types, input.name, input.type);
    if (!status) return Prefixed(status.error(), fmt::format("input '{}'", input.name));
  }
  if (nodes.empty())
    return Fail(ErrorCode::kInvalidInput, "the task has no nodes and needs at least one");
  for (const TaskNode& node : nodes) {
    auto status = DefineOutput(types, node);
    if (!status) return Prefixed(status.error(), Where(node));
  }
  if (nodes.back().output != output)
    return Fail(ErrorCode::kInvalidInput, "the task's output '{}' should be the last node's, '{}'",
                output, nodes.back().output);
  return types;
}

Result<TensorType> Task::OutputType() const {
  ASSIGN_OR_RETURN(TypeMap types, Types());
  return types.at(output);
}

double Task::Flops() const {
  auto types = Types();
  if (!types) return 0;
  double flops = 0;
  for (const TaskNode& node : nodes) {
    auto inputs_of_node = InputTypes(*types, node);
    flops += FindOperator(node.op)->flops(node.attributes, *inputs_of_node);
  }
  return flops;
}

Task Task::Canonical() const {
  Task canonical = *this;
  const auto types = Types();
  for (TaskNode& node : canonical.nodes) {
    const OperatorDef* def = FindOperator(node.op);
    if (!def) continue;
    int rank = -1;
    if (types && !node.inputs.empty())
      rank = static_cast<int>(types->at(node.inputs[0]).shape.size());
    node.attributes = CanonicalAttributes(*def, node.attributes, rank);
  }
  return canonical;
}

Result<Tensor> RunReference(const Task& task, std::span<const Tensor* const> inputs) {
  RETURN_IF_ERROR(task.Types());
  if (inputs.size() != task.inputs.size())
    return Fail(ErrorCode::kInvalidInput, "the task takes {} inputs, not {}", task.inputs.size(),
                inputs.size());
  std::map<std::string, const Tensor*> values;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TaskInput& expected = task.inputs[i];
    if (inputs[i]->type() != expected.type)
      return Fail(ErrorCode::kInvalidInput, "input '{}' is {} and should be {}", expected.name,
                  ToString(inputs[i]->type()), ToString(expected.type));
    values[expected.name] = inputs[i];
  }
  std::vector<Tensor> results;
  results.reserve(task.nodes.size());  // `values` points into it
  for (const TaskNode& node : task.nodes) {
    std::vector<const Tensor*> operands;
    for (const std::string& name : node.inputs) operands.push_back(values.at(name));
    auto result = FindOperator(node.op)->reference(node.attributes, operands);
    if (!result) return Prefixed(result.error(), Where(node));
    results.push_back(*std::move(result));
    values[node.output] = &results.back();
  }
  return std::move(results.back());
}

}  // namespace whet
