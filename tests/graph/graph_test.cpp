#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/graph_fixture.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Graph, CompactRestoresTheOrderAndDropsWhatNothingNeeds) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId first = b.Node("Relu", {x}), second = b.Node("Neg", {first});
  b.Node("Abs", {first});
  b.Constant(Tensor::Float({1}, {1}));
  b.Output(second);
  std::swap(b.graph.nodes[0], b.graph.nodes[1]);
  ASSERT_TRUE(b.graph.Compact());
  ASSERT_EQ(b.graph.nodes.size(), 2u);
  EXPECT_EQ(b.graph.nodes[0].op, "Relu");
  EXPECT_EQ(b.graph.nodes[1].op, "Neg");
  EXPECT_EQ(b.graph.values.size(), 3u);
  EXPECT_TRUE(b.graph.Verify());
}

TEST(Graph, CompactKeepsUnusedInputs) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  b.Input("unused", {3});
  b.Output(b.Node("Relu", {x}));
  ASSERT_TRUE(b.graph.Compact());
  EXPECT_EQ(b.graph.inputs.size(), 2u);
}

TEST(Graph, CompactReportsACycle) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId first = b.Node("Relu", {x}), second = b.Node("Neg", {first});
  b.graph.nodes[0].inputs = {second};
  b.Output(second);
  const Status status = b.graph.Compact();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInternal);
}

TEST(Graph, FindsConsumersAndProducers) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId square = b.Node("Mul", {x, x}), sum = b.Node("Add", {square, x});
  EXPECT_THAT(b.graph.Consumers(x), ElementsAre(0, 1));
  EXPECT_EQ(b.graph.Producer(sum), 1);
  EXPECT_EQ(b.graph.Producer(x), -1);
}

TEST(Graph, ReplacesUsesInOutputsToo) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId first = b.Node("Relu", {x}), second = b.Node("Neg", {first});
  b.Output(second);
  b.graph.ReplaceUses(second, first);
  EXPECT_TRUE(b.graph.IsOutput(first));
  EXPECT_FALSE(b.graph.IsOutput(second));
}

TEST(Graph, VerifyNamesTheNodeWhoseTypeIsWrong) {
  GraphBuilder b;
  const ValueId y = b.Node("Relu", {b.Input("x", {2, 3})});
  b.Output(y);
  ASSERT_TRUE(b.graph.Verify());
  b.graph.values[y].type.shape = {3, 2};
  const Status status = b.graph.Verify();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("node 'n0' (Relu)"));
}

TEST(Graph, PrintsALineANode) {
  GraphBuilder b;
  b.Output(b.Node("Clip", {b.Input("x", {2, 3})}, {{"max", 6.0}}));
  EXPECT_EQ(b.graph.ToString(),
            "input x: f32[2x3]\n"
            "n0_out: f32[2x3] = Clip(x) max=6\n"
            "output n0_out: f32[2x3]\n");
}

}  // namespace
}  // namespace whet
