#include "graph/channels_first.h"

#include <gtest/gtest.h>

#include "graph/blocks.h"
#include "graph/evaluate.h"
#include "graph/passes.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/partition_fixture.h"

namespace whet {
namespace {

// The one block of a graph that is all of it, and that computes what the graph does.
Task OnlyBlock(GraphBuilder& b) {
  Rng rng(7);
  EXPECT_TRUE(RunPasses(b.graph));
  const std::vector<Tensor> inputs = RandomInputs(b.graph, rng);
  const Result<std::vector<Tensor>> expected = Evaluate(b.graph, Pointers(inputs));
  const Partition partition = Cut(b.graph);
  const Result<std::vector<Block>> blocks = FindBlocks(b.graph, partition);
  EXPECT_TRUE(blocks);
  EXPECT_EQ(blocks->size(), 1u) << b.graph.ToString();
  if (!expected || !blocks || blocks->size() != 1) return {};
  EXPECT_EQ(blocks->front().uses.size(), partition.uses.size());
  const std::vector<Tensor> actual = RunUses(b.graph, FuseBlocks(partition, *blocks), inputs);
  std::string why;
  EXPECT_TRUE(AllClose(actual[0], (*expected)[0], 1e-5, 1e-5, &why)) << why;
  return blocks->front().task;
}

const Attributes kDepthwise{{"group", int64_t{8}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}};

TEST(WithoutConversions, ComputesAConvolutionInTheLayoutThatComesAndGoes) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 8, 6, 5});
  b.Output(b.Node("Relu", {b.Conv(x, b.Random({8, 1, 3, 3}, rng), kDepthwise)}));
  const Task task = OnlyBlock(b);
  EXPECT_EQ(OpsOf(task), (Ops{"Conv", "Relu"}));
  EXPECT_EQ(task.inputs[0].type.shape, (Shape{2, 8, 6, 5}));
  EXPECT_EQ(task.nodes[0].attributes.String("layout", "NCHW"), "NCHW");
}

TEST(WithoutConversions, TakesTheSumWithAnImageBehindThem) {
  Rng rng(2);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 8, 6, 5}), residual = b.Input("r", {1, 16, 6, 5});
  const ValueId y = b.Conv(x, b.Random({16, 8, 1, 1}, rng));
  b.Output(b.Node("Relu", {b.Node("Add", {y, residual})}));
  EXPECT_EQ(OpsOf(OnlyBlock(b)), (Ops{"Conv", "Add", "Relu"}));
}

TEST(WithoutConversions, LeavesTasksAloneThatStayInOneLayout) {
  for (const char* spelling :
       {"Conv(x=1x8x6x5,w=8x8x1x1)+Relu", "Transpose(x=1x8x6x5,perm=0x2x3x1)"}) {
    const auto task = ParseTaskSpelling(spelling, "x86-64-linux-avx512-2t");
    ASSERT_TRUE(task) << spelling << ": " << task.error().message;
    EXPECT_EQ(WithoutConversions(*task), std::nullopt) << spelling;
  }
}

TEST(ConversionOf, KnowsBothWays) {
  const auto transpose = [](std::vector<int64_t> perm) {
    TaskNode node;
    node.op = "Transpose";
    node.inputs = {"x"};
    node.output = "y";
    node.attributes.Set("perm", std::move(perm));
    return node;
  };
  EXPECT_EQ(ConversionOf(transpose({0, 2, 3, 1})), Conversion::kToChannelsLast);
  EXPECT_EQ(ConversionOf(transpose({0, 3, 1, 2})), Conversion::kToChannelsFirst);
  EXPECT_EQ(ConversionOf(transpose({0, 2, 1, 3})), std::nullopt);
}

}  // namespace
}  // namespace whet
