#include "graph/blocks.h"

#include <gtest/gtest.h>

#include "graph/evaluate.h"
#include "graph/passes.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/partition_fixture.h"
#include "tests/graph/random_graph.h"

namespace whet {
namespace {

std::vector<Block> Blocks(const Graph& graph, const Partition& partition) {
  Result<std::vector<Block>> blocks = FindBlocks(graph, partition);
  EXPECT_TRUE(blocks) << blocks.error().message;
  return blocks ? *std::move(blocks) : std::vector<Block>{};
}

// Expand, depthwise, project, of an image of `channels` channels.
ValueId InvertedResidual(GraphBuilder& b, ValueId x, int64_t channels, Rng& rng) {
  const int64_t wide = 6 * channels;
  ValueId y = b.Node("Relu", {b.Conv(x, b.Random({wide, channels, 1, 1}, rng))});
  y = b.Node("Relu", {b.Conv(y, b.Random({wide, 1, 3, 3}, rng),
                             {{"group", wide}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}})});
  return b.Conv(y, b.Random({channels, wide, 1, 1}, rng));
}

TEST(FindBlocks, OffersAnInvertedResidualWithItsSum) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 8, 6, 6});
  b.Output(b.Node("Add", {InvertedResidual(b, x, 8, rng), x}));
  const Partition partition = Cut(b.graph);
  const std::vector<Block> blocks = Blocks(b.graph, partition);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(OpsOf(blocks[0].task),
            (std::vector<std::string>{"Conv", "Relu", "Conv", "Relu", "Conv", "Add"}));
  EXPECT_EQ(blocks[0].uses, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(blocks[0].operands.size(), 4u);  // x, which the Add reads too, and three weights
  const Partition fused = FuseBlocks(partition, blocks);
  ASSERT_EQ(fused.uses.size(), 1u);
  EXPECT_EQ(fused.use_counts, (std::vector<int>{1}));
}

TEST(FindBlocks, KeepsToTheAccuracyOfItsParts) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 8, 6, 6});
  b.Output(b.Node("Add", {InvertedResidual(b, x, 8, rng), x}));
  for (const Accuracy accuracy : {Accuracy::kFast, Accuracy::kStrict}) {
    const Result<Partition> partition = PartitionGraph(b.graph, "host", accuracy);
    ASSERT_TRUE(partition);
    for (const Task& task : partition->tasks) EXPECT_EQ(task.accuracy, accuracy);
    const std::vector<Block> blocks = Blocks(b.graph, *partition);
    ASSERT_EQ(blocks.size(), 1u);
    EXPECT_EQ(blocks[0].task.accuracy, accuracy);
  }
}

TEST(FindBlocks, CutsARowOfBlocksWhereLeastIsSaved) {
  Rng rng(2);
  GraphBuilder b;
  ValueId x = b.Input("x", {1, 8, 6, 6});
  for (int i = 0; i < 3; ++i) x = InvertedResidual(b, x, 8, rng);
  b.Output(x);
  const Partition partition = Cut(b.graph);
  const std::vector<Block> blocks = Blocks(b.graph, partition);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[1].uses, (std::vector<int>{3, 4, 5}));
  const Partition fused = FuseBlocks(partition, blocks);
  EXPECT_EQ(fused.tasks.size(), 1u);  // equal work, one task
  EXPECT_EQ(fused.use_counts, (std::vector<int>{3}));
}

TEST(FindBlocks, OffersScoresSoftmaxAndValues) {
  GraphBuilder b;
  const ValueId q = b.Input("q", {1, 2, 16, 8}), k = b.Input("k", {1, 2, 8, 16});
  const ValueId v = b.Input("v", {1, 2, 16, 8});
  const ValueId weights = b.Node("Softmax", {b.Node("MatMul", {q, k})}, {{"axis", int64_t{3}}});
  b.Output(b.Node("MatMul", {weights, v}));
  const std::vector<Block> blocks = Blocks(b.graph, Cut(b.graph));
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(OpsOf(blocks[0].task), (std::vector<std::string>{"MatMul", "Softmax", "MatMul"}));
}

// Pool, two products of a few numbers, and the product with what was pooled.
ValueId Gated(GraphBuilder& b, ValueId x, int64_t channels, Rng& rng) {
  ValueId y = b.Node("GlobalAveragePool", {x});
  y = b.Node("Relu", {b.Conv(y, b.Random({channels / 4, channels, 1, 1}, rng))});
  y = b.Node("HardSigmoid", {b.Conv(y, b.Random({channels, channels / 4, 1, 1}, rng))});
  return b.Node("Mul", {x, y});
}

TEST(FindBlocks, OffersAnInvertedResidualWithItsSqueezeAndExcitation) {
  Rng rng(5);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 8, 16, 16});
  ValueId y = b.Node("Relu", {b.Conv(x, b.Random({48, 8, 1, 1}, rng))});
  y = b.Node("Relu",
             {b.Conv(y, b.Random({48, 1, 3, 3}, rng),
                     {{"group", int64_t{48}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}})});
  b.Output(b.Node("Add", {b.Conv(Gated(b, y, 48, rng), b.Random({8, 48, 1, 1}, rng)), x}));
  const Partition partition = Cut(b.graph);
  const std::vector<Block> blocks = Blocks(b.graph, partition);
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(OpsOf(blocks[0].task), (Ops{"Conv", "Relu", "Conv", "Relu", "GlobalAveragePool", "Conv",
                                        "Relu", "Conv", "HardSigmoid", "Mul", "Conv", "Add"}));
  const Partition fused = FuseBlocks(partition, blocks);
  ASSERT_EQ(fused.uses.size(), 1u);
  const std::vector<Tensor> inputs = RandomInputs(b.graph, rng);
  const Result<std::vector<Tensor>> expected = Evaluate(b.graph, Pointers(inputs));
  ASSERT_TRUE(expected) << expected.error().message;
  std::string why;
  EXPECT_TRUE(AllClose(RunUses(b.graph, fused, inputs)[0], (*expected)[0], 1e-5, 1e-5, &why))
      << why;
}

TEST(FindBlocks, TakesNoChainForAGateThatComputesMuch) {
  Rng rng(6);
  GraphBuilder b;
  const ValueId x =
      b.Node("Relu", {b.Conv(b.Input("x", {1, 8, 6, 6}), b.Random({8, 8, 1, 1}, rng))});
  b.Output(b.Node("Mul", {InvertedResidual(b, x, 8, rng), x}));
  const std::vector<Block> blocks = Blocks(b.graph, Cut(b.graph));
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].uses, (std::vector<int>{1, 2, 3}));  // of what the first kernel writes
}

TEST(FindBlocks, LeavesAloneWhatComputesMuchForWhatItWrites) {
  Rng rng(3);
  GraphBuilder b;
  const Attributes same{{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  const ValueId x = b.Input("x", {1, 64, 8, 8});
  const ValueId y = b.Conv(x, b.Random({64, 64, 3, 3}, rng), same);
  b.Output(b.Conv(y, b.Random({64, 64, 3, 3}, rng), same));
  EXPECT_TRUE(Blocks(b.graph, Cut(b.graph)).empty());
}

TEST(FindBlocks, KeepsValuesThatOthersReadOrReadInAnotherShape) {
  Rng rng(4);
  GraphBuilder b;
  const ValueId x = b.Input("x", {6, 8});
  const ValueId shared = b.Node("MatMul", {x, b.Random({8, 8}, rng)});
  b.Output(b.Node("MatMul", {shared, b.Random({8, 4}, rng)}));
  b.Output(b.Node("MatMul", {shared, b.Random({8, 5}, rng)}));
  const ValueId returned = b.Node("MatMul", {x, b.Random({8, 3}, rng)});
  b.Output(returned);
  b.Output(b.Node("MatMul", {returned, b.Random({3, 3}, rng)}));
  const ValueId reshaped = b.Node("Reshape", {b.Node("MatMul", {x, b.Random({8, 2}, rng)})},
                                  {{"shape", std::vector<int64_t>{3, 4}}});
  b.Output(b.Node("MatMul", {reshaped, b.Random({4, 4}, rng)}));
  EXPECT_TRUE(Blocks(b.graph, Cut(b.graph)).empty());
}

TEST(FuseBlocks, OfRandomGraphsComputesWhatTheGraphComputes) {
  size_t found = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Graph graph = RandomGraph(seed);
    ASSERT_TRUE(RunPasses(graph));
    Rng rng(seed);
    const std::vector<Tensor> inputs = RandomInputs(graph, rng);
    const Result<std::vector<Tensor>> expected = Evaluate(graph, Pointers(inputs));
    ASSERT_TRUE(expected) << expected.error().message;
    const Partition partition = Cut(graph);
    const std::vector<Block> blocks = Blocks(graph, partition);
    found += blocks.size();
    const std::vector<Tensor> actual = RunUses(graph, FuseBlocks(partition, blocks), inputs);
    for (size_t i = 0; i < expected->size(); ++i) {
      std::string why;
      EXPECT_TRUE(AllClose(actual[i], (*expected)[i], 1e-5, 1e-5, &why))
          << "seed " << seed << ": " << why << '\n'
          << graph.ToString();
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(found, 100u);  // the random graphs do contain blocks
}

}  // namespace
}  // namespace whet
