#include "graph/task_graph.h"

#include <algorithm>
#include <map>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

bool IsChannelsLast(const Task& task) {
  return std::any_of(task.nodes.begin(), task.nodes.end(), [](const TaskNode& node) {
    return node.attributes.String("layout", "") == "NHWC";
  });
}

// Whether a spatial operator reads the input as its weights, which have one layout only.
bool IsParameter(const Task& task, const std::string& input) {
  for (const TaskNode& node : task.nodes) {
    const OperatorDef* def = FindOperator(node.op);
    for (size_t i = 0; def != nullptr && i < node.inputs.size() && i < def->operands.size(); ++i)
      if (node.inputs[i] == input && def->operands[i].parameter) return true;
  }
  return false;
}

}  // namespace

Result<Graph> GraphOfTask(const Task& task, std::span<const Tensor> tensors) {
  Graph graph;
  graph.name = task.Describe();
  const bool channels_last = IsChannelsLast(task);
  std::map<std::string, ValueId> values;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const TaskInput& input = task.inputs[i];
    if (input.constant) {
      values[input.name] = graph.AddConstant(input.name, tensors[i]);
      continue;
    }
    Value value{input.name, input.type, nullptr};
    Shape& shape = value.type.shape;
    if (channels_last && shape.size() == 4 && !IsParameter(task, input.name))
      shape = {shape[0], shape[3], shape[1], shape[2]};
    values[input.name] = graph.AddValue(std::move(value));
    graph.inputs.push_back(values[input.name]);
  }
  for (const TaskNode& source : task.nodes) {
    Node node{source.output, source.op, {}, kNoValue, source.attributes};
    for (const std::string& name : source.inputs) node.inputs.push_back(values.at(name));
    if (node.attributes.String("layout", "") == "NHWC")
      node.attributes.Set("layout", std::string("NCHW"));
    ASSIGN_OR_RETURN(TensorType type, InferOutput(graph, node));
    node.output = values[source.output] = graph.AddValue({source.output, std::move(type), nullptr});
    graph.nodes.push_back(std::move(node));
  }
  graph.outputs.push_back(values.at(task.output));
  RETURN_IF_ERROR(graph.Verify());
  return graph;
}

}  // namespace whet
