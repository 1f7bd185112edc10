#include "graph/task_graph.h"

#include <gtest/gtest.h>

#include "graph/partition.h"
#include "graph/passes.h"

namespace whet {
namespace {

constexpr char kTarget[] = "x86-64-linux-avx512-2t";

std::vector<Tensor> Zeros(const Task& task) {
  std::vector<Tensor> tensors;
  for (const TaskInput& input : task.inputs) tensors.emplace_back(input.type);
  return tensors;
}

TEST(GraphOfTask, HasOnnxsLayoutsOutside) {
  const Task task = *ParseTaskSpelling("Conv(x=1x16x8x6,w=24x16x3x3,pads=1)+Add+Relu", kTarget);
  const std::vector<Tensor> tensors = Zeros(task);
  const auto graph = GraphOfTask(task, tensors);
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->inputs.size(), 2u);
  EXPECT_EQ(graph->values[graph->inputs[0]].type.shape, (Shape{1, 16, 8, 6}));
  EXPECT_EQ(graph->values[graph->inputs[1]].type.shape, (Shape{1, 24, 8, 6}));
  EXPECT_EQ(graph->values[graph->outputs[0]].type.shape, (Shape{1, 24, 8, 6}));
}

TEST(GraphOfTask, ContainsTheTaskAgainAfterThePasses) {
  const Task task = *ParseTaskSpelling("Conv(x=1x16x8x6,w=24x16x3x3,pads=1)+Relu", kTarget);
  const std::vector<Tensor> tensors = Zeros(task);
  Graph graph = *GraphOfTask(task, tensors);
  ASSERT_TRUE(RunPasses(graph));
  const auto partition = PartitionGraph(graph, kTarget);
  ASSERT_TRUE(partition);
  int found = 0;
  for (const Task& part : partition->tasks) found += part.Fingerprint() == task.Fingerprint();
  EXPECT_EQ(found, 1);
  EXPECT_EQ(partition->tasks.size(), 3u);  // and a conversion on either side
}

TEST(GraphOfTask, LeavesMatricesAsTheyAre) {
  const Task task = *ParseTaskSpelling("MatMul(a=2x3x8x6,b=2x3x6x10)", kTarget);
  const std::vector<Tensor> tensors = Zeros(task);
  const auto graph = GraphOfTask(task, tensors);
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->values[graph->inputs[1]].type.shape, (Shape{2, 3, 6, 10}));
}

}  // namespace
}  // namespace whet
