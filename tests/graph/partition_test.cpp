#include "graph/partition.h"

#include <gtest/gtest.h>

#include "graph/evaluate.h"
#include "graph/passes.h"
#include "schedules/operators/operator.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/partition_fixture.h"
#include "tests/graph/random_graph.h"

namespace whet {
namespace {

TEST(PartitionGraph, FusesBiasActivationAndResidualIntoTheConvolution) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4, 4, 4});
  const ValueId first = b.Node("Relu", {b.Conv(x, b.Random({4, 4, 1, 1}, rng))});
  const ValueId second = b.Conv(first, b.Random({4, 4, 1, 1}, rng));
  b.Output(b.Node("Relu", {b.Node("Add", {second, first})}));
  const Partition partition = Cut(b.graph);
  ASSERT_EQ(partition.uses.size(), 2u);
  EXPECT_EQ(OpsOf(partition.tasks[partition.uses[0].task]), (Ops{"Conv", "Relu"}));
  EXPECT_EQ(OpsOf(partition.tasks[partition.uses[1].task]), (Ops{"Conv", "Add", "Relu"}));
  EXPECT_EQ(partition.tasks[1].inputs.size(), 2u);  // the residual is what the convolution reads
  EXPECT_FALSE(partition.tasks[1].inputs[0].constant);
  EXPECT_TRUE(partition.tasks[1].inputs[1].constant);
}

TEST(PartitionGraph, JoinsAResidualToTheLaterProducer) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4, 4, 4});
  const ValueId left = b.Conv(x, b.Random({4, 4, 1, 1}, rng)),
                right = b.Conv(x, b.Random({4, 4, 3, 3}, rng),
                               {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  b.Output(b.Node("Add", {left, right}));
  const Partition partition = Cut(b.graph);
  ASSERT_EQ(partition.uses.size(), 2u);
  EXPECT_EQ(OpsOf(partition.tasks[partition.uses[0].task]), (Ops{"Conv"}));
  EXPECT_EQ(OpsOf(partition.tasks[partition.uses[1].task]), (Ops{"Conv", "Add"}));
}

TEST(PartitionGraph, TakesBothHalvesOfAProductAsAWhole) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId y = b.Conv(b.Input("x", {1, 4, 4, 4}), b.Random({4, 4, 1, 1}, rng));
  b.Output(b.Node("Mul", {b.Node("Sigmoid", {y}), y}));
  const Partition partition = Cut(b.graph);
  ASSERT_EQ(partition.uses.size(), 1u);
  EXPECT_EQ(OpsOf(partition.tasks[0]), (Ops{"Conv", "Sigmoid", "Mul"}));
}

TEST(PartitionGraph, KeepsValuesThatOthersNeed) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId y = b.Conv(b.Input("x", {1, 4, 4, 4}), b.Random({4, 4, 1, 1}, rng));
  const ValueId z = b.Node("Relu", {y});
  b.Output(y);
  b.Output(z);
  EXPECT_EQ(Cut(b.graph).uses.size(), 2u);
}

TEST(PartitionGraph, DoesNotFuseWhatNeedsTheWholeTask) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId y =
      b.Node("Relu", {b.Conv(b.Input("x", {1, 4, 4, 4}), b.Random({4, 4, 1, 1}, rng))});
  const ValueId pooled = b.Node("GlobalAveragePool", {y}, {{"layout", std::string("NCHW")}});
  b.Output(b.Node("Mul", {y, b.Node("Sigmoid", {pooled})}));
  const Partition partition = Cut(b.graph);
  ASSERT_EQ(partition.uses.size(), 3u);
  EXPECT_EQ(OpsOf(partition.tasks[partition.uses[1].task]), (Ops{"GlobalAveragePool", "Sigmoid"}));
  EXPECT_EQ(OpsOf(partition.tasks[partition.uses[2].task]), (Ops{"Mul"}));
}

TEST(PartitionGraph, LeavesMovementAndSoftmaxAlone) {
  GraphBuilder b;
  ValueId x = b.Node("Transpose", {b.Input("x", {2, 3})}, {{"perm", std::vector<int64_t>{1, 0}}});
  x = b.Node("Softmax", {b.Node("Relu", {x})}, {{"axis", int64_t{1}}});
  b.Output(b.Node("Neg", {x}));
  EXPECT_EQ(Cut(b.graph).uses.size(), 4u);
}

TEST(PartitionGraph, CountsEqualWorkOnce) {
  Rng rng(1);
  GraphBuilder b;
  ValueId x = b.Input("x", {1, 4, 4, 4});
  for (int i = 0; i < 3; ++i) x = b.Node("Relu", {b.Conv(x, b.Random({4, 4, 1, 1}, rng))});
  b.Output(x);
  const Partition partition = Cut(b.graph);
  ASSERT_EQ(partition.tasks.size(), 1u);
  EXPECT_EQ(partition.use_counts, (std::vector<int>{3}));
  EXPECT_EQ(partition.tasks[0].inputs[0].name, "i0");
  EXPECT_EQ(partition.tasks[0].output, "t1");
}

TEST(PartitionGraph, ReadsThroughViews) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4, 2, 2});
  const ValueId flat = b.Node("Reshape", {x}, {{"shape", std::vector<int64_t>{1, 16}}});
  b.Output(b.Node("MatMul", {flat, b.Random({16, 3}, rng)}));
  const Partition partition = Cut(b.graph);
  ASSERT_EQ(partition.uses.size(), 1u);
  EXPECT_EQ(partition.uses[0].operands[0], x);
  EXPECT_EQ(partition.alias_of[flat], x);
}

TEST(PartitionGraph, LimitsTheLengthOfATask) {
  GraphBuilder b;
  ValueId x = b.Input("x", {4});
  for (int i = 0; i < 2 * kMaxTaskNodes; ++i) x = b.Node(i % 2 == 0 ? "Relu" : "Neg", {x});
  b.Output(x);
  const Partition partition = Cut(b.graph);
  EXPECT_EQ(partition.uses.size(), 2u);
  EXPECT_EQ(partition.tasks[0].nodes.size(), static_cast<size_t>(kMaxTaskNodes));
}

TEST(PartitionGraph, TasksOfRandomGraphsComputeWhatTheGraphComputes) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Graph graph = RandomGraph(seed);
    if (seed % 4 != 0) {
      ASSERT_TRUE(RunPasses(graph));
    } else {
      ASSERT_TRUE(graph.Compact());  // what nothing uses is no work
    }
    Rng rng(seed);
    const std::vector<Tensor> inputs = RandomInputs(graph, rng);
    const Result<std::vector<Tensor>> expected = Evaluate(graph, Pointers(inputs));
    ASSERT_TRUE(expected) << expected.error().message;
    const Partition partition = Cut(graph);
    const std::vector<Tensor> actual = RunUses(graph, partition, inputs);
    for (size_t i = 0; i < expected->size(); ++i) {
      std::string why;
      EXPECT_TRUE(AllClose(actual[i], (*expected)[i], 1e-5, 1e-5, &why))
          << "seed " << seed << ": " << why << '\n'
          << graph.ToString();
    }
    // Every node that computes is in exactly one use.
    size_t nodes = 0, computing = 0;
    for (const TaskUse& use : partition.uses) nodes += partition.tasks[use.task].nodes.size();
    for (const Node& node : graph.nodes)
      computing += FindOperator(node.op)->op_class != OperatorClass::kView;
    EXPECT_EQ(nodes, computing) << "seed " << seed;
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace whet
