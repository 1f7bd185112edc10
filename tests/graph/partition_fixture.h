// Partitions for tests: made, and run use by use with the operators' references.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/partition.h"
#include "tests/graph/graph_fixture.h"

namespace whet {

inline Partition Cut(const Graph& graph) {
  Result<Partition> partition = PartitionGraph(graph, "host");
  EXPECT_TRUE(partition) << partition.error().message;
  return partition ? *std::move(partition) : Partition{};
}

inline std::vector<std::string> OpsOf(const Task& task) {
  std::vector<std::string> ops;
  for (const TaskNode& node : task.nodes) ops.push_back(node.op);
  return ops;
}
using Ops = std::vector<std::string>;

// The graph's outputs by running the uses in order with the tasks' references.
inline std::vector<Tensor> RunUses(const Graph& graph, const Partition& partition,
                                   const std::vector<Tensor>& inputs) {
  std::vector<std::optional<Tensor>> values(graph.values.size());
  for (size_t v = 0; v < values.size(); ++v) {
    if (graph.values[v].constant != nullptr) values[v] = *graph.values[v].constant;
  }
  for (size_t i = 0; i < inputs.size(); ++i) values[graph.inputs[i]] = inputs[i];
  for (const TaskUse& use : partition.uses) {
    const Task& task = partition.tasks[use.task];
    std::vector<Tensor> operands;
    for (size_t i = 0; i < use.operands.size(); ++i) {
      EXPECT_TRUE(values[use.operands[i]]) << use.name << " runs before its operand";
      operands.push_back(values[use.operands[i]]->Reshaped(task.inputs[i].type.shape));
    }
    Result<Tensor> output = RunReference(task, Pointers(operands));
    EXPECT_TRUE(output) << output.error().message;
    EXPECT_EQ(output->type(), graph.values[use.output].type);
    EXPECT_FALSE(values[use.output]) << use.name << " writes what is already there";
    values[use.output] = *std::move(output);
  }
  std::vector<Tensor> outputs;
  for (ValueId output : graph.outputs) {
    const ValueId root = partition.alias_of[output];
    EXPECT_TRUE(values[root]) << "an output is never computed";
    outputs.push_back(values[root]->Reshaped(graph.values[output].type.shape));
  }
  return outputs;
}

}  // namespace whet
