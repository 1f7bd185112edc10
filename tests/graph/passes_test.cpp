#include "graph/passes.h"

#include <gtest/gtest.h>

#include "graph/evaluate.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/random_graph.h"

namespace whet {
namespace {

// Runs `pass` and checks that it keeps the results on random inputs, and the names and types of the
// outputs.
void ExpectSameResults(Graph& graph, Status (*pass)(Graph&), uint64_t seed = 1,
                       double tolerance = 1e-4) {
  Rng rng(seed + 1000);
  const std::vector<Tensor> inputs = RandomInputs(graph, rng);
  const Graph before = graph;
  const Result<std::vector<Tensor>> expected = Evaluate(before, Pointers(inputs));
  ASSERT_TRUE(expected) << expected.error().message;
  const Status status = pass(graph);
  ASSERT_TRUE(status) << "seed " << seed << ": " << status.error().message << '\n'
                      << before.ToString();
  const Result<std::vector<Tensor>> actual = Evaluate(graph, Pointers(inputs));
  ASSERT_TRUE(actual) << actual.error().message;
  ASSERT_EQ(actual->size(), expected->size());
  for (size_t i = 0; i < expected->size(); ++i) {
    std::string why;
    EXPECT_TRUE(AllClose((*actual)[i], (*expected)[i], tolerance, tolerance, &why))
        << "seed " << seed << ": " << why << '\n'
        << before.ToString() << "became\n"
        << graph.ToString();
    EXPECT_EQ(graph.values[graph.outputs[i]].name, before.values[before.outputs[i]].name);
  }
}

const Attributes kNchw{{"layout", std::string("NCHW")}};

TEST(FoldConstants, ReplacesNodesOfConstants) {
  GraphBuilder b;
  const ValueId two = b.Constant(Tensor::Float({2}, {1, 2}));
  b.Output(b.Node("Add", {b.Input("x", {2}), b.Node("Neg", {two})}));
  ExpectSameResults(b.graph, FoldConstants);
  EXPECT_EQ(b.graph.nodes.size(), 1u);
}

TEST(FoldConstants, LeavesWhatWouldBeOutOfProportion) {
  GraphBuilder b;
  const ValueId a = b.Constant(Tensor::Float({8192, 1}, std::vector<float>(8192, 1)));
  const ValueId c = b.Constant(Tensor::Float({1, 8192}, std::vector<float>(8192, 1)));
  b.Output(b.Node("Add", {a, c}));
  ASSERT_TRUE(FoldConstants(b.graph));
  EXPECT_EQ(b.graph.nodes.size(), 1u);
}

TEST(RemoveNoOps, DropsNeutralElementsAndIdleViews) {
  GraphBuilder b;
  ValueId x = b.Input("x", {2, 3});
  x = b.Node("Relu", {x});
  x = b.Node("Add", {x, b.Constant(Tensor::Float({}, {0}))});
  x = b.Node("Mul", {b.Constant(Tensor::Float({3}, {1, 1, 1})), x});
  x = b.Node("Reshape", {x}, {{"shape", std::vector<int64_t>{6}}});
  x = b.Node("Reshape", {x}, {{"shape", std::vector<int64_t>{2, 3}}});
  x = b.Node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 1}}});
  b.Output(b.Node("Relu", {x}));
  ExpectSameResults(b.graph, RemoveNoOps);
  EXPECT_EQ(b.graph.nodes.size(), 1u);
}

TEST(RemoveNoOps, KeepsAnAdditionOfZerosThatBroadcasts) {
  GraphBuilder b;
  b.Output(b.Node("Add", {b.Input("x", {1, 3}), b.Constant(Tensor::Float({2, 1}, {0, 0}))}));
  ExpectSameResults(b.graph, RemoveNoOps);
  EXPECT_EQ(b.graph.nodes.size(), 1u);
}

TEST(RemoveNoOps, KeepsAnOutputThatIsAnInput) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  b.Output(b.Node("Reshape", {x}, {{"shape", std::vector<int64_t>{2}}}));
  ExpectSameResults(b.graph, RunPasses);
  EXPECT_NE(b.graph.outputs[0], b.graph.inputs[0]);
}

ValueId AddBatchNorm(GraphBuilder& b, ValueId x, int64_t c, Rng& rng) {
  return b.Node("BatchNormalization",
                {x, b.Random({c}, rng, 0.5, 1.5), b.Random({c}, rng), b.Random({c}, rng),
                 b.Random({c}, rng, 1, 2)},
                kNchw);
}

TEST(FoldBatchNorm, GoesIntoTheConvolutionBeforeIt) {
  Rng rng(1);
  for (const bool bias : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {1, 4, 5, 5}), w = b.Random({6, 2, 3, 3}, rng);
    const ValueId y =
        b.ConvWithBias(x, w, bias ? b.Random({6}, rng) : kNoValue, {{"group", int64_t{2}}});
    b.Output(AddBatchNorm(b, y, 6, rng));
    ExpectSameResults(b.graph, FoldBatchNorm);
    EXPECT_EQ(b.graph.nodes.size(), 1u);
    EXPECT_EQ(b.graph.nodes[0].inputs.size(), 3u);
  }
}

TEST(FoldPad, PutsZerosIntoTheConvolution) {
  Rng rng(13);
  for (const double value : {0.0, 1.0}) {
    GraphBuilder b;
    const ValueId x = b.Node("Relu", {b.Input("x", {1, 2, 4, 4})});
    const ValueId padded = b.Node("Pad", {x},
                                  {{"begins", std::vector<int64_t>{0, 0, 1, 2}},
                                   {"ends", std::vector<int64_t>{0, 0, 0, 3}},
                                   {"value", value}});
    b.Output(b.Conv(padded, b.Random({3, 2, 3, 3}, rng)));
    ExpectSameResults(b.graph, RunPasses, 1, 1e-3);
    EXPECT_EQ(CountOp(b.graph, "Pad"), value == 0 ? 0 : 1) << b.graph.ToString();
  }
}

TEST(UseChannelsLast, PadsInTheLayoutOfTheConvolutionBefore) {
  Rng rng(14);
  GraphBuilder b;
  ValueId x = b.Conv(b.Input("x", {1, 3, 4, 4}), b.Random({4, 3, 1, 1}, rng));
  x = b.Node("Pad", {x},
             {{"begins", std::vector<int64_t>{0, 1, 1, 2}},
              {"ends", std::vector<int64_t>{0, 0, 3, 0}},
              {"mode", std::string("reflect")}});
  b.Output(b.Node("GlobalAveragePool", {b.Conv(x, b.Random({4, 5, 1, 1}, rng))}, kNchw));
  ExpectSameResults(b.graph, RunPasses, 1, 1e-3);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 1) << b.graph.ToString();
}

TEST(FoldBatchNorm, GoesIntoATransposedConvolution) {
  Rng rng(11);
  for (const int64_t group : {1, 2}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {1, 4, 3, 3}), w = b.Random({4, 6 / group, 4, 4}, rng);
    const ValueId y = b.Node("ConvTranspose", {x, w, b.Random({6}, rng)},
                             {{"strides", std::vector<int64_t>{2, 2}}, {"group", group}});
    b.Output(b.Node("Mul", {AddBatchNorm(b, y, 6, rng), b.Random({6, 1, 1}, rng)}));
    ExpectSameResults(b.graph, RunPasses, 1, 1e-3);
    EXPECT_EQ(CountOp(b.graph, "Mul"), group == 1 ? 0 : 2) << b.graph.ToString();
  }
}

TEST(UseChannelsLast, ResizesInTheLayoutOfItsNeighbours) {
  Rng rng(12);
  GraphBuilder b;
  ValueId x = b.Conv(b.Input("x", {1, 3, 4, 4}), b.Random({4, 3, 1, 1}, rng));
  x = b.Node("Resize", {x}, {{"sizes", std::vector<int64_t>{8, 8}}});
  x = b.Node("ConvTranspose", {x, b.Random({4, 4, 2, 2}, rng)},
             {{"strides", std::vector<int64_t>{2, 2}}});
  b.Output(b.Node("GlobalAveragePool", {x}, kNchw));
  ExpectSameResults(b.graph, RunPasses, 1, 1e-3);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 1) << b.graph.ToString();
}

TEST(FoldBatchNorm, BecomesArithmeticWhereTheConvolutionIsReadTwice) {
  Rng rng(1);
  GraphBuilder b;
  const ValueId y = b.Conv(b.Input("x", {1, 2, 3, 3}), b.Random({2, 2, 1, 1}, rng));
  b.Output(b.Node("Add", {AddBatchNorm(b, y, 2, rng), y}));
  ExpectSameResults(b.graph, FoldBatchNorm);
  EXPECT_EQ(CountOp(b.graph, "BatchNormalization"), 0);
  EXPECT_EQ(CountOp(b.graph, "Mul"), 1);
}

TEST(CanonicalizeElementwise, MovesBiasAndScaleIntoConvGemmAndMatMul) {
  Rng rng(2);
  GraphBuilder b;
  ValueId x = b.Conv(b.Input("x", {1, 2, 3, 3}), b.Random({4, 2, 1, 1}, rng));
  x = b.Node("Add", {b.Random({1, 4, 1, 1}, rng), x});
  x = b.Node("Mul", {x, b.Random({4, 1, 1}, rng)});
  x = b.Node("Div", {x, b.Constant(Tensor::Float({}, {3}))});
  x = b.Node("Sub", {b.Constant(Tensor::Float({1}, {2})), x});
  x = b.Node("Reshape", {x}, {{"shape", std::vector<int64_t>{4, 9}}});
  x = b.Node("Add", {b.Node("MatMul", {x, b.Random({9, 5}, rng)}), b.Random({5}, rng)});
  x = b.Node("Mul",
             {b.Node("Gemm", {x, b.Random({3, 5}, rng)}, {{"transB", int64_t{1}}, {"alpha", 0.5}}),
              b.Random({1, 3}, rng)});
  b.Output(x);
  ExpectSameResults(b.graph, CanonicalizeElementwise);
  EXPECT_EQ(CountOp(b.graph, "Gemm"), 2);
  EXPECT_EQ(b.graph.nodes.size(), 4u) << b.graph.ToString();  // Conv, Reshape and the two
}

TEST(CanonicalizeElementwise, RecognizesHardSwishInItsSpellings) {
  for (int spelling = 0; spelling < 5; ++spelling) {
    GraphBuilder b;
    const auto number = [&](float v) { return b.Constant(Tensor::Float({}, {v})); };
    const ValueId x = b.Input("x", {2, 5});
    const ValueId gate =
        b.Node("Clip", {b.Node("Add", {number(3), x})}, {{"min", 0.0}, {"max", 6.0}});
    switch (spelling) {
      case 0:
        b.Output(b.Node("Div", {b.Node("Mul", {x, gate}), number(6)}));
        break;
      case 1:
        b.Output(b.Node("Mul", {x, b.Node("Div", {gate, number(6)})}));
        break;
      case 2:
        b.Output(b.Node("Mul", {b.Node("Mul", {x, gate}), number(1.0f / 6)}));
        break;
      case 3:
        b.Output(b.Node("Mul", {gate, b.Node("Mul", {number(1.0f / 6), x})}));
        break;
      default:
        b.Output(
            b.Node("Mul", {x, b.Node("HardSigmoid", {x}, {{"alpha", 1.0f / 6}, {"beta", 0.5}})}));
    }
    ExpectSameResults(b.graph, CanonicalizeElementwise);
    ASSERT_EQ(b.graph.nodes.size(), 1u) << "spelling " << spelling << '\n' << b.graph.ToString();
    EXPECT_EQ(b.graph.nodes[0].op, "HardSwish");
  }
}

TEST(CanonicalizeElementwise, RecognizesHardSigmoidAndNothingLikeIt) {
  for (const float divisor : {6.0f, 5.0f}) {
    GraphBuilder b;
    const ValueId plus = b.Node("Add", {b.Input("x", {4}), b.Constant(Tensor::Float({}, {3}))});
    const ValueId clip = b.Node("Clip", {plus}, {{"min", 0.0}, {"max", 6.0}});
    b.Output(b.Node("Div", {clip, b.Constant(Tensor::Float({}, {divisor}))}));
    ExpectSameResults(b.graph, CanonicalizeElementwise);
    EXPECT_EQ(CountOp(b.graph, "HardSigmoid"), divisor == 6 ? 1 : 0);
  }
}

// LayerNormalization over the dimensions from `axis` on as exporters spell it, before scale and
// bias.
ValueId SpelledLayerNorm(GraphBuilder& b, ValueId x, std::vector<int64_t> axes, bool inverse) {
  const auto number = [&](float v) { return b.Constant(Tensor::Float({}, {v})); };
  const ValueId centred = b.Node("Sub", {x, b.Node("ReduceMean", {x}, {{"axes", axes}})});
  const ValueId variance =
      b.Node("ReduceMean", {b.Node("Mul", {centred, centred})}, {{"axes", axes}});
  const ValueId deviation = b.Node("Sqrt", {b.Node("Add", {variance, number(1e-5f)})});
  if (!inverse) return b.Node("Div", {centred, deviation});
  return b.Node("Mul", {centred, b.Node("Div", {number(1), deviation})});
}

TEST(RecognizeLayerNorm, TakesScaleAndBiasFromWhatFollows) {
  Rng rng(8);
  for (const bool inverse : {false, true}) {
    GraphBuilder b;
    ValueId x = SpelledLayerNorm(b, b.Input("x", {2, 5, 8}), {2}, inverse);
    x = b.Node("Mul", {x, b.Random({8}, rng)});
    b.Output(b.Node("Add", {b.Random({1, 1, 8}, rng), x}));
    ExpectSameResults(b.graph, RecognizeLayerNorm);
    ASSERT_EQ(b.graph.nodes.size(), 1u) << b.graph.ToString();
    EXPECT_EQ(b.graph.nodes[0].op, "LayerNormalization");
    EXPECT_EQ(b.graph.nodes[0].inputs.size(), 3u);
    EXPECT_EQ(b.graph.nodes[0].attributes.Int("axis"), 2);
  }
}

TEST(RecognizeLayerNorm, NeedsNoScale) {
  GraphBuilder b;
  b.Output(SpelledLayerNorm(b, b.Input("x", {2, 3, 8}), {1, 2}, false));
  ExpectSameResults(b.graph, RunPasses);
  ASSERT_EQ(b.graph.nodes.size(), 1u) << b.graph.ToString();
  EXPECT_EQ(b.graph.nodes[0].attributes.Int("axis"), 1);
}

TEST(RecognizeLayerNorm, FindsTheChannelsOfAnImageOnceTheyAreLast) {
  Rng rng(9);
  GraphBuilder b;
  const ValueId x = b.Conv(b.Input("x", {1, 3, 4, 4}), b.Random({8, 3, 1, 1}, rng));
  const ValueId y = b.Node("Mul", {SpelledLayerNorm(b, x, {1}, false), b.Random({8, 1, 1}, rng)});
  b.Output(b.Conv(y, b.Random({4, 8, 1, 1}, rng)));
  ExpectSameResults(b.graph, RunPasses, 1, 1e-3);
  EXPECT_EQ(CountOp(b.graph, "LayerNormalization"), 1) << b.graph.ToString();
  EXPECT_EQ(CountOp(b.graph, "Mul"), 0) << b.graph.ToString();
}

TEST(RecognizeLayerNorm, LeavesMeansOverOtherDimensions) {
  GraphBuilder b;
  b.Output(SpelledLayerNorm(b, b.Input("x", {2, 5, 8}), {1}, false));
  ExpectSameResults(b.graph, RecognizeLayerNorm);
  EXPECT_EQ(CountOp(b.graph, "LayerNormalization"), 0);
}

TEST(RecognizeLayerNorm, KeepsAScaleThatOthersWouldSee) {
  Rng rng(10);
  GraphBuilder b;
  const ValueId x = SpelledLayerNorm(b, b.Input("x", {4, 8}), {1}, false);
  b.Output(x);
  b.Output(b.Node("Mul", {x, b.Random({8}, rng)}));
  ExpectSameResults(b.graph, RecognizeLayerNorm);
  EXPECT_EQ(CountOp(b.graph, "Mul"), 1);
}

TEST(RecognizeGelu, InItsSpellings) {
  for (int spelling = 0; spelling < 6; ++spelling) {
    GraphBuilder b;
    const auto number = [&](float v) { return b.Constant(Tensor::Float({}, {v})); };
    const ValueId x = b.Input("x", {2, 5});
    const bool tanh = spelling >= 3;
    ValueId inner;
    if (tanh) {
      const ValueId cube = b.Node("Mul", {b.Node("Mul", {x, x}), x});
      const ValueId sum = b.Node("Add", {x, b.Node("Mul", {cube, number(0.044715f)})});
      inner = b.Node("Tanh", {b.Node("Mul", {number(0.7978846f), sum})});
    } else {
      inner = b.Node("Erf", {b.Node("Div", {x, number(1.4142135f)})});
    }
    const ValueId gate = b.Node("Add", {inner, number(1)});
    switch (spelling % 3) {
      case 0:
        b.Output(b.Node("Mul", {b.Node("Mul", {x, gate}), number(0.5)}));
        break;
      case 1:
        b.Output(b.Node("Mul", {b.Node("Mul", {number(0.5), x}), gate}));
        break;
      default:
        b.Output(b.Node("Mul", {x, b.Node("Mul", {gate, number(0.5)})}));
    }
    ExpectSameResults(b.graph, RecognizeGelu);
    ASSERT_EQ(b.graph.nodes.size(), 1u) << "spelling " << spelling << '\n' << b.graph.ToString();
    EXPECT_EQ(b.graph.nodes[0].op, "Gelu");
    EXPECT_EQ(b.graph.nodes[0].attributes.String("approximate"), tanh ? "tanh" : "none");
  }
}

TEST(RecognizeGelu, LeavesAnotherFactor) {
  GraphBuilder b;
  const auto number = [&](float v) { return b.Constant(Tensor::Float({}, {v})); };
  const ValueId x = b.Input("x", {2, 5});
  const ValueId erf = b.Node("Erf", {b.Node("Mul", {x, number(0.5)})});
  b.Output(b.Node("Mul", {b.Node("Mul", {x, b.Node("Add", {erf, number(1)})}), number(0.5)}));
  ExpectSameResults(b.graph, RecognizeGelu);
  EXPECT_EQ(CountOp(b.graph, "Gelu"), 0);
}

TEST(UseChannelsLast, LeavesOneTransposeOfATypicalNetwork) {
  Rng rng(3);
  GraphBuilder b;
  ValueId x = b.Input("x", {1, 3, 8, 8});
  x = b.Node("Relu", {b.Conv(x, b.Random({4, 3, 3, 3}, rng))});
  const ValueId gate = b.Node(
      "Sigmoid", {b.Conv(b.Node("GlobalAveragePool", {x}, kNchw), b.Random({4, 4, 1, 1}, rng))});
  const ValueId scaled = b.Node("Mul", {x, gate});
  const ValueId deep = b.Conv(scaled, b.Random({4, 1, 1, 1}, rng), {{"group", int64_t{4}}});
  x = b.Node("Concat", {b.Node("Add", {deep, scaled}), x}, {{"axis", int64_t{1}}});
  x = b.Node("Mul", {x, b.Random({8, 1, 1}, rng)});
  x = b.Node("Slice", {x},
             {{"starts", std::vector<int64_t>{2}},
              {"ends", std::vector<int64_t>{8}},
              {"axes", std::vector<int64_t>{1}},
              {"steps", std::vector<int64_t>{1}}});
  x = b.Node("GlobalAveragePool", {x}, kNchw);
  b.Output(b.Node("Reshape", {x}, {{"shape", std::vector<int64_t>{1, 6}}}));
  ExpectSameResults(b.graph, RunPasses);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 1) << b.graph.ToString();
  EXPECT_EQ(b.graph.nodes[0].op, "Transpose");
}

TEST(UseChannelsLast, ReducesImagesInTheLayoutOfTheConvolutionBefore) {
  Rng rng(7);
  GraphBuilder b;
  const ValueId x = b.Conv(b.Input("x", {1, 3, 6, 6}), b.Random({8, 3, 3, 3}, rng));
  b.Output(b.Node("ReduceMax", {x}, {{"axes", std::vector<int64_t>{2, 3}}}));
  ExpectSameResults(b.graph, RunPasses);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 1) << b.graph.ToString();
}

TEST(UseChannelsLast, TurnsTransposesOfOneChannelIntoViews) {
  Rng rng(4);
  GraphBuilder b;
  b.Output(b.Conv(b.Input("x", {2, 1, 5, 5}), b.Random({1, 1, 3, 3}, rng)));
  ExpectSameResults(b.graph, RunPasses);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 0) << b.graph.ToString();
}

TEST(UseChannelsLast, KeepsTheLayoutOfOutputsThatAreReadInBoth) {
  Rng rng(5);
  GraphBuilder b;
  const ValueId y = b.Conv(b.Input("x", {1, 2, 4, 4}), b.Random({3, 2, 1, 1}, rng));
  b.Output(y);
  b.Output(b.Conv(y, b.Random({2, 3, 3, 3}, rng)));
  b.Output(b.Node("Reshape", {y}, {{"shape", std::vector<int64_t>{3, 16}}}));
  ExpectSameResults(b.graph, RunPasses);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 3)
      << b.graph.ToString();  // in, y and the second convolution's
}

TEST(UseChannelsLast, AddsAnInputInTheLayoutThatAConvolutionReadsItIn) {
  Rng rng(6);
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 4, 4});
  const ValueId sum = b.Node("Add", {b.Conv(x, b.Random({2, 2, 1, 1}, rng)), x});
  b.Output(b.Node("GlobalAveragePool", {b.Conv(sum, b.Random({2, 2, 1, 1}, rng))}, kNchw));
  ExpectSameResults(b.graph, RunPasses);
  EXPECT_EQ(CountOp(b.graph, "Transpose"), 1) << b.graph.ToString();
}

TEST(RunPasses, KeepTheResultsOfRandomGraphs) {
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    Graph graph = RandomGraph(seed);
    ExpectSameResults(graph, RunPasses, seed, 1e-3);
    if (HasFailure()) break;
  }
}

TEST(RunPasses, LeaveNothingForASecondRun) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Graph graph = RandomGraph(seed);
    ASSERT_TRUE(RunPasses(graph));
    const std::string once = graph.ToString();
    ASSERT_TRUE(RunPasses(graph));
    EXPECT_EQ(graph.ToString(), once) << "seed " << seed;
  }
}

}  // namespace
}  // namespace whet
