#include <gtest/gtest.h>

#include "graph/evaluate.h"
#include "graph/onnx_import.h"
#include "graph/passes.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/random_graph.h"

namespace whet {
namespace {

// Exports, imports and compares the results on random inputs.
void ExpectRoundTrip(const Graph& graph, uint64_t seed) {
  const Result<std::string> bytes = ExportOnnx(graph);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const Result<Graph> again = ImportOnnx(*bytes, "again");
  ASSERT_TRUE(again) << "seed " << seed << ": " << again.error().message << '\n'
                     << graph.ToString();
  Rng rng(seed);
  const std::vector<Tensor> inputs = RandomInputs(graph, rng);
  const auto expected = Evaluate(graph, Pointers(inputs)),
             actual = Evaluate(*again, Pointers(inputs));
  ASSERT_TRUE(expected) << expected.error().message;
  ASSERT_TRUE(actual) << actual.error().message;
  for (size_t i = 0; i < expected->size(); ++i) {
    std::string why;
    EXPECT_TRUE(AllClose((*actual)[i], (*expected)[i], 1e-5, 1e-5, &why))
        << "seed " << seed << ": " << why;
    EXPECT_EQ(again->values[again->outputs[i]].name, graph.values[graph.outputs[i]].name);
  }
}

TEST(OnnxExport, RoundTripsThroughTheImporter) {
  for (uint64_t seed = 0; seed < 60; ++seed) ExpectRoundTrip(RandomGraph(seed), seed);
}

TEST(OnnxExport, RoundTripsEveryElementwiseOperator) {
  GraphBuilder b;
  ValueId x = b.Input("x", {2, 3});
  for (const char* op :
       {"Abs", "Sigmoid", "Tanh", "HardSwish", "Sqrt", "Exp", "Neg", "Erf", "Relu"}) {
    x = b.Node(op, {x});
  }
  x = b.Node("HardSigmoid", {x}, {{"alpha", 0.25}, {"beta", 0.5}});
  x = b.Node("LeakyRelu", {x}, {{"alpha", 0.125}});
  x = b.Node("Gelu", {x}, {{"approximate", std::string("tanh")}});
  x = b.Node("Clip", {x}, {{"max", 0.75}});
  x = b.Node("Max", {x, b.Node("Min", {x, x})});
  b.Output(x);
  ExpectRoundTrip(b.graph, 1);
}

TEST(OnnxExport, RoundTripsUpsampling) {
  GraphBuilder b;
  Rng rng(2);
  ValueId x = b.Input("x", {1, 2, 4, 4});
  x = b.Node("Resize", {x},
             {{"sizes", std::vector<int64_t>{7, 6}}, {"mode", std::string("linear")}});
  x = b.Node("Resize", {x}, {{"sizes", std::vector<int64_t>{4, 9}}, {"scale_height", 0.6}});
  b.Output(b.Node(
      "ConvTranspose", {x, b.Random({2, 3, 3, 3}, rng)},
      {{"strides", std::vector<int64_t>{2, 2}}, {"output_padding", std::vector<int64_t>{1, 0}}}));
  ExpectRoundTrip(b.graph, 1);
}

TEST(OnnxExport, RoundTripsPads) {
  GraphBuilder b;
  ValueId x = b.Input("x", {2, 3});
  for (const char* mode : {"constant", "edge", "reflect"}) {
    x = b.Node("Pad", {x},
               {{"begins", std::vector<int64_t>{1, 0}},
                {"ends", std::vector<int64_t>{0, 2}},
                {"mode", std::string(mode)},
                {"value", 0.5}});
  }
  b.Output(x);
  ExpectRoundTrip(b.graph, 1);
}

TEST(OnnxExport, RefusesChannelsLast) {
  GraphBuilder b;
  Rng rng(1);
  b.Output(b.Conv(b.Input("x", {1, 2, 4, 4}), b.Random({3, 2, 1, 1}, rng)));
  ASSERT_TRUE(RunPasses(b.graph));
  const Result<std::string> bytes = ExportOnnx(b.graph);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace whet
