#include "graph/onnx_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "graph/evaluate.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/onnx_model_builder.h"

namespace whet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ErrorOf(const OnnxModelBuilder& builder, const ImportOptions& options = {}) {
  const Result<Graph> graph = ImportOnnx(builder.Bytes(), "m.onnx", options);
  return graph ? "no error" : graph.error().message;
}

Graph Import(const OnnxModelBuilder& builder, const ImportOptions& options = {}) {
  Result<Graph> graph = ImportOnnx(builder.Bytes(), "m.onnx", options);
  EXPECT_TRUE(graph) << graph.error().message;
  return graph ? *graph : Graph{};
}

// The output for inputs 0, 1, 2, ..
std::vector<float> RunOnCounting(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (ValueId input : graph.inputs) {
    Tensor tensor(graph.values[input].type);
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.data<float>()[i] = static_cast<float>(i);
    inputs.push_back(std::move(tensor));
  }
  Result<std::vector<Tensor>> outputs = Evaluate(graph, Pointers(inputs));
  EXPECT_TRUE(outputs) << outputs.error().message;
  if (!outputs) return {};
  const Tensor& tensor = outputs->front();
  return std::vector<float>(tensor.data<float>(), tensor.data<float>() + tensor.count());
}

OnnxModelBuilder OneNode(int64_t opset, const std::string& op, const Shape& shape,
                         std::vector<std::string> more_inputs = {}) {
  OnnxModelBuilder builder(opset);
  more_inputs.insert(more_inputs.begin(), "x");
  builder.Input("x", shape).Node(op, more_inputs, {"y"}).Output("y");
  return builder;
}

TEST(OnnxImport, NamesAMissingFile) {
  const Result<Graph> graph = ImportOnnxFile("nowhere/model.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(graph.error().message, HasSubstr("nowhere/model.onnx"));
}

TEST(OnnxImport, RefusesAnEmptyFile) {
  const Result<Graph> graph = ImportOnnx("", "m.onnx");
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, AllOf(HasSubstr("m.onnx"), HasSubstr("empty")));
}

TEST(OnnxImport, RefusesWhatIsNotOnnx) {
  for (const char* bytes : {"hello, this is a text file", "\x89PNG\r\n\x1a\n", "PK\x03\x04"}) {
    const Result<Graph> graph = ImportOnnx(bytes, "m.onnx");
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(graph.error().message, HasSubstr("not an ONNX model"));
  }
}

TEST(OnnxImport, RefusesATruncatedModel) {
  const std::string bytes = OneNode(17, "Relu", {1, 2}).Bytes();
  const Result<Graph> graph = ImportOnnx(bytes.substr(0, bytes.size() / 2), "m.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::kCorrupt);
}

TEST(OnnxImport, NamesAnUnknownOperatorAndItsNode) {
  EXPECT_THAT(ErrorOf(OneNode(17, "Einsum", {1, 2})),
              AllOf(HasSubstr("m.onnx"), HasSubstr("the_Einsum"), HasSubstr("(Einsum)"),
                    HasSubstr("not supported")));
}

TEST(OnnxImport, NamesAnUnknownDomain) {
  OnnxModelBuilder builder = OneNode(17, "Relu", {1, 2});
  builder.graph().mutable_node(0)->set_domain("com.example");
  EXPECT_THAT(ErrorOf(builder), HasSubstr("com.example"));
}

TEST(OnnxImport, RefusesOpsetsThatItDoesNotKnow) {
  EXPECT_THAT(ErrorOf(OneNode(99, "Relu", {1, 2})),
              AllOf(HasSubstr("opset 99"), HasSubstr("7 to 24")));
  EXPECT_THAT(ErrorOf(OneNode(6, "Relu", {1, 2})), HasSubstr("opset 6"));
}

TEST(OnnxImport, AsksForAnOpenShapeWithAnExample) {
  const OnnxModelBuilder builder = OneNode(17, "Relu", {-1, 3, 32, 32});
  EXPECT_THAT(ErrorOf(builder),
              AllOf(HasSubstr("f32[?x3x32x32]"), HasSubstr("--shape x=1x3x32x32")));
  EXPECT_EQ(Import(builder, {.shapes = {{"x", {2, 3, 32, 32}}}}).values[0].type.shape,
            (Shape{2, 3, 32, 32}));
}

TEST(OnnxImport, RefusesAShapeThatDoesNotFit) {
  const OnnxModelBuilder builder = OneNode(17, "Relu", {-1, 3});
  EXPECT_THAT(ErrorOf(builder, {.shapes = {{"x", {1, 4}}}}),
              AllOf(HasSubstr("1x4"), HasSubstr("f32[?x3]")));
  EXPECT_THAT(ErrorOf(builder, {.shapes = {{"x", {1, 3, 1}}}}), HasSubstr("does not fit"));
  EXPECT_THAT(ErrorOf(builder, {.shapes = {{"x", {0, 3}}}}), HasSubstr("does not fit"));
}

TEST(OnnxImport, ListsTheInputsWhenAShapeNamesNone) {
  EXPECT_THAT(ErrorOf(OneNode(17, "Relu", {1, 3}), {.shapes = {{"image", {1, 3}}}}),
              AllOf(HasSubstr("no input 'image'"), HasSubstr("x: f32[1x3]")));
}

TEST(OnnxImport, RefusesCyclesDanglingAndRepeatedNames) {
  OnnxModelBuilder cycle(17);
  cycle.Input("x", {1}).Node("Add", {"x", "b"}, {"a"}).Node("Relu", {"a"}, {"b"}).Output("b");
  EXPECT_THAT(ErrorOf(cycle), HasSubstr("cycle"));
  EXPECT_THAT(ErrorOf(OneNode(17, "Add", {1}, {"missing"})), HasSubstr("reads 'missing'"));
  OnnxModelBuilder twice(17);
  twice.Input("x", {1}).Node("Relu", {"x"}, {"y"}).Node("Abs", {"x"}, {"y"}).Output("y");
  EXPECT_THAT(ErrorOf(twice), HasSubstr("already taken"));
}

TEST(OnnxImport, ReadsNodesInAnyOrder) {
  OnnxModelBuilder builder(17);
  builder.Input("x", {2}).Node("Relu", {"a"}, {"y"}).Node("Neg", {"x"}, {"a"}).Output("y");
  EXPECT_THAT(RunOnCounting(Import(builder)), ::testing::ElementsAre(0, 0));
}

TEST(OnnxImport, NamesAnAttributeThatIsWrongOrUnknown) {
  OnnxModelBuilder kind = OneNode(17, "LeakyRelu", {2});
  kind.Int("alpha", 1);
  EXPECT_THAT(ErrorOf(kind), AllOf(HasSubstr("the_LeakyRelu"), HasSubstr("'alpha'")));
  OnnxModelBuilder unknown = OneNode(17, "Relu", {2});
  unknown.Int("beta_decay", 1);
  EXPECT_THAT(ErrorOf(unknown), HasSubstr("'beta_decay'"));
}

TEST(OnnxImport, NamesShapesThatDoNotFitAnOperator) {
  OnnxModelBuilder builder = OneNode(17, "MatMul", {2, 3}, {"w"});
  builder.Floats("w", {4, 5});
  EXPECT_THAT(ErrorOf(builder),
              AllOf(HasSubstr("the_MatMul"), HasSubstr("4x5"), Not(HasSubstr("\n"))));
}

TEST(OnnxImport, RefusesATensorWhosePayloadIsNotItsShape) {
  OnnxModelBuilder builder = OneNode(17, "Add", {4}, {"w"});
  builder.Floats("w", {1 << 20, 1 << 20}, std::vector<float>{1, 2});
  EXPECT_THAT(ErrorOf(builder), HasSubstr("initialiser 'w'"));
}

TEST(OnnxImport, TakesInitialisersThatAreInputsAsConstants) {
  OnnxModelBuilder builder = OneNode(8, "Add", {2}, {"w"});
  builder.Input("w", {2}).Floats("w", {2}, {10, 20});
  const Graph graph = Import(builder);
  EXPECT_EQ(graph.inputs.size(), 1u);
  EXPECT_THAT(RunOnCounting(graph), ::testing::ElementsAre(10, 21));
}

TEST(OnnxImport, BindsInputsToConstants) {
  OnnxModelBuilder builder = OneNode(17, "Reshape", {2, 3}, {"shape"});
  builder.Input("shape", {2}, onnx::TensorProto::INT64);
  EXPECT_THAT(ErrorOf(builder), HasSubstr("constant"));
  const Graph graph = Import(builder, {.constants = {{"shape", Tensor::Int64({2}, {3, -1})}}});
  EXPECT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{3, 2}));
}

TEST(OnnxImport, FoldsTheArithmeticOfShapes) {
  OnnxModelBuilder builder(13);
  builder.Input("x", {2, 3, 4, 5}).Ints("zero", {0}).Ints("minus", {-1});
  builder.Node("Shape", {"x"}, {"shape"})
      .Node("Gather", {"shape", "zero"}, {"batch"})
      .Node("Concat", {"batch", "minus"}, {"target"})
      .Int("axis", 0)
      .Node("Reshape", {"x", "target"}, {"y"})
      .Output("y");
  const Graph graph = Import(builder);
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{2, 60}));
}

TEST(OnnxImport, KeepsTheNamesOfOutputs) {
  OnnxModelBuilder builder(17);
  builder.Input("x", {2})
      .Node("Relu", {"x"}, {"a"})
      .Node("Identity", {"a"}, {"y"})
      .Node("Identity", {"x"}, {"z"});
  builder.Output("y").Output("z").Output("a");
  const Graph graph = Import(builder);
  ASSERT_EQ(graph.outputs.size(), 3u);
  EXPECT_EQ(graph.values[graph.outputs[0]].name, "y");
  EXPECT_EQ(graph.values[graph.outputs[1]].name, "z");
  EXPECT_EQ(graph.values[graph.outputs[2]].name, "a");
  EXPECT_EQ(std::set<ValueId>(graph.outputs.begin(), graph.outputs.end()).size(), 3u);
}

TEST(OnnxImport, LeavesOutNodesThatNoOutputNeeds) {
  OnnxModelBuilder builder = OneNode(17, "Relu", {2});
  builder.Node("Einsum", {"x"}, {"unused"});
  EXPECT_EQ(Import(builder).nodes.size(), 1u);
}

TEST(OnnxNormalize, ReadsClipOfEveryOpset) {
  OnnxModelBuilder six = OneNode(7, "Clip", {8});
  six.Float("min", 2).Float("max", 5);
  EXPECT_THAT(RunOnCounting(Import(six)), ::testing::ElementsAre(2, 2, 2, 3, 4, 5, 5, 5));
  OnnxModelBuilder eleven = OneNode(11, "Clip", {4}, {"", "max"});
  eleven.Floats("max", {}, {1});
  const Graph graph = Import(eleven);
  EXPECT_FALSE(graph.nodes[0].attributes.Has("min"));
  EXPECT_THAT(RunOnCounting(graph), ::testing::ElementsAre(0, 1, 1, 1));
}

TEST(OnnxNormalize, ResolvesSlicesToExplicitBounds) {
  OnnxModelBuilder old = OneNode(9, "Slice", {6});
  old.IntList("starts", {-4}).IntList("ends", {1000}).IntList("axes", {0});
  EXPECT_THAT(RunOnCounting(Import(old)), ::testing::ElementsAre(2, 3, 4, 5));
  OnnxModelBuilder steps = OneNode(13, "Slice", {6}, {"starts", "ends", "axes", "steps"});
  steps.Ints("starts", {1}).Ints("ends", {INT64_MAX}).Ints("axes", {-1}).Ints("steps", {2});
  EXPECT_THAT(RunOnCounting(Import(steps)), ::testing::ElementsAre(1, 3, 5));
  OnnxModelBuilder back = OneNode(13, "Slice", {6}, {"starts", "ends", "axes", "steps"});
  back.Ints("starts", {-1}).Ints("ends", {INT64_MIN}).Ints("axes", {0}).Ints("steps", {-2});
  EXPECT_THAT(RunOnCounting(Import(back)), ::testing::ElementsAre(5, 3, 1));
}

TEST(OnnxNormalize, ReadsSqueezeAndUnsqueezeOfEveryOpset) {
  OnnxModelBuilder old = OneNode(11, "Squeeze", {1, 2, 1});
  old.IntList("axes", {-1});
  EXPECT_EQ(Import(old).values.back().type.shape, (Shape{1, 2}));
  OnnxModelBuilder all = OneNode(13, "Squeeze", {1, 2, 1});
  EXPECT_EQ(Import(all).values.back().type.shape, (Shape{2}));
  OnnxModelBuilder add = OneNode(13, "Unsqueeze", {2, 3}, {"axes"});
  add.Ints("axes", {0, -1});
  const Graph graph = Import(add);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{1, 2, 3, 1}));
}

TEST(OnnxNormalize, CoercesOldSoftmaxToRows) {
  OnnxModelBuilder builder = OneNode(11, "Softmax", {2, 2, 2});
  builder.Int("axis", 1);
  const std::vector<float> rows = RunOnCounting(Import(builder));
  EXPECT_NEAR(rows[0] + rows[1] + rows[2] + rows[3], 1, 1e-6);
  OnnxModelBuilder last = OneNode(11, "Softmax", {2, 2, 2});
  last.Int("axis", 2);
  EXPECT_EQ(Import(last).nodes.size(), 1u);
}

TEST(OnnxNormalize, ResolvesAutoPad) {
  OnnxModelBuilder builder = OneNode(11, "MaxPool", {1, 1, 5, 5});
  builder.String("auto_pad", "SAME_LOWER")
      .IntList("kernel_shape", {2, 2})
      .IntList("strides", {2, 2});
  const Graph graph = Import(builder);
  EXPECT_EQ(graph.nodes[0].attributes.Ints("pads"), (std::vector<int64_t>{1, 1, 0, 0}));
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{1, 1, 3, 3}));
}

TEST(OnnxNormalize, ViewsSignalsAsImages) {
  OnnxModelBuilder builder = OneNode(11, "Conv", {1, 2, 7}, {"w"});
  builder.Floats("w", {3, 2, 3}).IntList("pads", {1, 1});
  const Graph graph = Import(builder);
  EXPECT_EQ(CountOp(graph, "Conv"), 1);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{1, 3, 7}));
  OnnxModelBuilder volume = OneNode(11, "Conv", {1, 2, 4, 4, 4}, {"w"});
  volume.Floats("w", {3, 2, 1, 1, 1});
  EXPECT_THAT(ErrorOf(volume), HasSubstr("Whet supports 3 and 4"));
}

TEST(OnnxNormalize, RefusesTraining) {
  OnnxModelBuilder builder = OneNode(15, "BatchNormalization", {1, 2, 3, 3}, {"p", "p", "p", "p"});
  builder.Floats("p", {2}).Int("training_mode", 1);
  EXPECT_THAT(ErrorOf(builder), HasSubstr("training mode"));
  OnnxModelBuilder indices(12);
  indices.Input("x", {1, 1, 4, 4})
      .Node("MaxPool", {"x"}, {"y", "i"})
      .IntList("kernel_shape", {2, 2});
  indices.Output("y").Output("i");
  EXPECT_THAT(ErrorOf(indices), HasSubstr("indices"));
}

TEST(OnnxNormalize, SplitsIntoSlices) {
  OnnxModelBuilder builder(13);
  builder.Input("x", {6}).Ints("sizes", {1, 3, 2}).Node("Split", {"x", "sizes"}, {"a", "b", "c"});
  builder.Output("b").Output("c");
  const Graph graph = Import(builder);
  EXPECT_EQ(CountOp(graph, "Slice"), 2);  // the first part is not used
  EXPECT_THAT(RunOnCounting(graph), ::testing::ElementsAre(1, 2, 3));
}

TEST(OnnxNormalize, ReadsTheAxesOfReductionsOfEveryOpset) {
  OnnxModelBuilder old = OneNode(13, "ReduceMean", {2, 3, 2});
  old.IntList("axes", {1}).Int("keepdims", 0);
  EXPECT_THAT(RunOnCounting(Import(old)), ::testing::ElementsAre(2, 3, 8, 9));
  OnnxModelBuilder input = OneNode(18, "ReduceMax", {2, 3, 2}, {"axes"});
  input.Ints("axes", {-1, 0});
  const Graph graph = Import(input);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{1, 3, 1}));
  EXPECT_THAT(RunOnCounting(graph), ::testing::ElementsAre(7, 9, 11));
  EXPECT_THAT(RunOnCounting(Import(OneNode(13, "ReduceSum", {2, 2}))), ::testing::ElementsAre(6));
}

TEST(OnnxNormalize, ReducesNothingWhereNoAxesMeanNone) {
  OnnxModelBuilder builder = OneNode(13, "ReduceSum", {2, 2});
  builder.Int("noop_with_empty_axes", 1);
  EXPECT_THAT(RunOnCounting(Import(builder)), ::testing::ElementsAre(0, 1, 2, 3));
}

TEST(OnnxNormalize, RefusesAxesOfAReductionThatAreWrong) {
  OnnxModelBuilder twice = OneNode(13, "ReduceMean", {2, 3});
  twice.IntList("axes", {1, -1});
  EXPECT_THAT(ErrorOf(twice), AllOf(HasSubstr("the_ReduceMean"), HasSubstr("one axis twice")));
  OnnxModelBuilder absent = OneNode(13, "ReduceMean", {2, 3});
  absent.IntList("axes", {2});
  EXPECT_THAT(ErrorOf(absent), HasSubstr("axis 2 is not one of a tensor of 2 dimensions"));
  OnnxModelBuilder computed = OneNode(18, "ReduceMean", {2, 3}, {"axes"});
  computed.Input("axes", {1}, onnx::TensorProto::INT64);
  EXPECT_THAT(ErrorOf(computed), HasSubstr("its axes are computed at run time"));
}

TEST(OnnxNormalize, SpellsEasyPowersAsProductsAndRoots) {
  for (const auto& [exponent, op] : std::vector<std::pair<float, std::string>>{
           {2, "Mul"}, {0.5f, "Sqrt"}, {-1, "Div"}, {2.5f, "Pow"}}) {
    OnnxModelBuilder builder = OneNode(13, "Pow", {3}, {"e"});
    builder.Floats("e", {}, {exponent});
    const Graph graph = Import(builder);
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.nodes[0].op, op);
    EXPECT_NEAR(RunOnCounting(graph)[2], std::pow(2, exponent), 1e-6);
  }
}

TEST(OnnxNormalize, ReadsLayerNormalizationWithItsStatistics) {
  OnnxModelBuilder builder(17);
  builder.Input("x", {2, 2}).Floats("scale", {1, 2}, {1, 2});
  builder.Node("LayerNormalization", {"x", "scale"}, {"y", "mean", "inverse"})
      .Float("epsilon", 0.75f);
  builder.Output("y");
  EXPECT_EQ(Import(builder).nodes.size(), 1u);
  EXPECT_THAT(RunOnCounting(Import(builder)), ::testing::ElementsAre(-0.5, 1, -0.5, 1));
  OnnxModelBuilder more = builder;
  more.Output("mean").Output("inverse");
  const Graph graph = Import(more);
  EXPECT_EQ(graph.values[graph.outputs[1]].type.shape, (Shape{2, 1}));
  EXPECT_EQ(graph.values[graph.outputs[2]].name, "inverse");
}

TEST(OnnxNormalize, NamesAScaleThatDoesNotFit) {
  OnnxModelBuilder builder = OneNode(17, "LayerNormalization", {2, 4}, {"scale"});
  builder.Floats("scale", {3});
  EXPECT_THAT(ErrorOf(builder), AllOf(HasSubstr("the_LayerNormalization"),
                                      HasSubstr("scale has the shape 3 and should have 4")));
}

TEST(OnnxNormalize, ReadsResizeOfEveryOpset) {
  OnnxModelBuilder old = OneNode(7, "Upsample", {1, 1, 1, 2});
  old.FloatList("scales", {1, 1, 2, 2});
  const std::vector<float> doubled = {0, 0, 1, 1, 0, 0, 1, 1};
  EXPECT_EQ(RunOnCounting(Import(old)), doubled);
  OnnxModelBuilder nine = OneNode(9, "Upsample", {1, 1, 1, 2}, {"scales"});
  nine.Floats("scales", {4}, {1, 1, 2, 2});
  EXPECT_EQ(RunOnCounting(Import(nine)), doubled);
  OnnxModelBuilder ten = OneNode(10, "Resize", {1, 1, 1, 2}, {"scales"});
  ten.Floats("scales", {4}, {1, 1, 2, 2});
  EXPECT_EQ(RunOnCounting(Import(ten)), doubled);
  OnnxModelBuilder eleven = OneNode(11, "Resize", {1, 1, 1, 2}, {"roi", "scales", "sizes"});
  eleven.Floats("roi", {0}, std::vector<float>{}).Floats("scales", {0}, std::vector<float>{});
  eleven.Ints("sizes", {1, 1, 2, 4});
  EXPECT_EQ(RunOnCounting(Import(eleven)), doubled);
  OnnxModelBuilder axes = OneNode(18, "Resize", {1, 1, 1, 2}, {"", "", "sizes"});
  axes.Ints("sizes", {4, 2}).IntList("axes", {3, 2});
  EXPECT_EQ(RunOnCounting(Import(axes)), doubled);
}

TEST(OnnxNormalize, ResizesSignalsAndImagesWithChannelsLast) {
  OnnxModelBuilder signal = OneNode(13, "Resize", {1, 1, 2}, {"", "scales"});
  signal.Floats("scales", {3}, {1, 1, 2}).String("mode", "linear");
  EXPECT_THAT(RunOnCounting(Import(signal)), ::testing::ElementsAre(0, 0.25, 0.75, 1));
  OnnxModelBuilder last = OneNode(13, "Resize", {1, 1, 2, 3}, {"", "", "sizes"});
  last.Ints("sizes", {1, 1, 1, 3});
  EXPECT_EQ(Import(last).nodes[0].attributes.String("layout"), "NHWC");
}

TEST(OnnxNormalize, RefusesResizesByTheirAttribute) {
  const auto resize = [](const char* attribute, const char* value) {
    OnnxModelBuilder builder = OneNode(19, "Resize", {1, 1, 2, 2}, {"", "scales"});
    builder.Floats("scales", {4}, {1, 1, 2, 2}).String(attribute, value);
    return ErrorOf(builder);
  };
  EXPECT_THAT(resize("mode", "cubic"),
              AllOf(HasSubstr("the_Resize"), HasSubstr("mode is 'cubic'")));
  EXPECT_THAT(resize("coordinate_transformation_mode", "tf_crop_and_resize"),
              HasSubstr("'tf_crop_and_resize', Whet supports half_pixel"));
  EXPECT_THAT(resize("keep_aspect_ratio_policy", "loosely"), HasSubstr("expected stretch"));
  OnnxModelBuilder computed = OneNode(19, "Resize", {1, 1, 2, 2}, {"", "scales"});
  computed.Input("scales", {4});
  EXPECT_THAT(ErrorOf(computed), HasSubstr("its scales are computed at run time"));
  OnnxModelBuilder channels = OneNode(19, "Resize", {1, 1, 2, 2}, {"", "scales"});
  channels.Floats("scales", {4}, {1, 2, 2, 2});
  EXPECT_THAT(ErrorOf(channels), HasSubstr("it resizes axes [1, 2, 3]"));
}

TEST(OnnxNormalize, FitsTransposedConvolutionsToTheirOutputShape) {
  const auto shape_of = [](const Graph& graph) {
    return graph.values[graph.outputs[0]].type.shape;
  };
  const auto upsampling = [] {
    OnnxModelBuilder builder = OneNode(11, "ConvTranspose", {1, 2, 3, 3}, {"w"});
    builder.Floats("w", {2, 4, 3, 3}).IntList("strides", {2, 2});
    return builder;
  };
  EXPECT_EQ(shape_of(Import(upsampling())), (Shape{1, 4, 7, 7}));
  OnnxModelBuilder shape = upsampling();
  shape.IntList("output_shape", {6, 8});
  const Graph graph = Import(shape);
  EXPECT_EQ(shape_of(graph), (Shape{1, 4, 6, 8}));
  EXPECT_EQ(graph.nodes[0].attributes.Ints("pads"), (std::vector<int64_t>{1, 0, 0, 0}));
  EXPECT_EQ(graph.nodes[0].attributes.Ints("output_padding"), (std::vector<int64_t>{0, 1}));
  OnnxModelBuilder same = upsampling();
  same.String("auto_pad", "SAME_UPPER");
  EXPECT_EQ(Import(same).nodes[0].attributes.Ints("pads"), (std::vector<int64_t>{0, 0, 1, 1}));
  OnnxModelBuilder wrong = upsampling();
  wrong.IntList("output_padding", {1});
  EXPECT_THAT(ErrorOf(wrong), HasSubstr("output_padding is [1]"));
}

TEST(OnnxNormalize, ReadsPadOfEveryOpset) {
  OnnxModelBuilder old = OneNode(9, "Pad", {3});
  old.IntList("pads", {1, 0}).Float("value", 7);
  EXPECT_THAT(RunOnCounting(Import(old)), ::testing::ElementsAre(7, 0, 1, 2));
  OnnxModelBuilder input = OneNode(13, "Pad", {3}, {"pads", "value"});
  input.Ints("pads", {0, 2}).Floats("value", {}, {7});
  EXPECT_THAT(RunOnCounting(Import(input)), ::testing::ElementsAre(0, 1, 2, 7, 7));
  OnnxModelBuilder axes = OneNode(18, "Pad", {1, 2}, {"pads", "", "axes"});
  axes.Ints("pads", {1, 0}).Ints("axes", {-1}).String("mode", "edge");
  EXPECT_THAT(RunOnCounting(Import(axes)), ::testing::ElementsAre(0, 0, 1));
}

TEST(OnnxNormalize, CutsWhereAPadIsNegative) {
  OnnxModelBuilder builder = OneNode(13, "Pad", {5}, {"pads"});
  builder.Ints("pads", {-2, 1});
  EXPECT_THAT(RunOnCounting(Import(builder)), ::testing::ElementsAre(2, 3, 4, 0));
  OnnxModelBuilder computed = OneNode(13, "Pad", {5}, {"pads"});
  computed.Input("pads", {2}, onnx::TensorProto::INT64);
  EXPECT_THAT(ErrorOf(computed), HasSubstr("its pads are computed at run time"));
}

TEST(OnnxNormalize, FoldsTheComparisonsOfShapes) {
  OnnxModelBuilder builder(13);
  builder.Input("x", {2, 3}).Ints("unknown", {-1, 3}).Ints("minus", {-1}).Ints("two", {2});
  builder.Node("Equal", {"unknown", "minus"}, {"open"})
      .Node("Where", {"open", "two", "unknown"}, {"shape"})
      .Node("Reshape", {"x", "shape"}, {"y"})
      .Output("y");
  EXPECT_EQ(Import(builder).values.back().type.shape, (Shape{2, 3}));
}

TEST(OnnxImport, ReadsExternalDataInsideTheModelsFolderOnly) {
  Result<TemporaryDirectory> folder = TemporaryDirectory::Create("external");
  ASSERT_TRUE(folder);
  const std::filesystem::path inside = folder->path() / "model";
  std::filesystem::create_directory(inside);
  const float values[] = {0, 7, 8};
  const std::string payload(reinterpret_cast<const char*>(values), sizeof(values));
  ASSERT_TRUE(WriteFileAtomically(inside / "weights.bin", payload));
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "secret.bin", payload));
  const auto import = [&](const std::string& location) {
    OnnxModelBuilder builder = OneNode(17, "Add", {2}, {"w"});
    onnx::TensorProto* tensor = builder.graph().add_initializer();
    tensor->set_name("w");
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    tensor->add_dims(2);
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"location", location}, {"offset", "4"}}) {
      auto* entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    EXPECT_TRUE(WriteFileAtomically(inside / "model.onnx", builder.Bytes()));
    return ImportOnnxFile((inside / "model.onnx").string());
  };
  const Result<Graph> graph = import("weights.bin");
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(RunOnCounting(*graph), ::testing::ElementsAre(7, 9));
  const Result<Graph> outside = import("../secret.bin");
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message, HasSubstr("outside the model's folder"));
  EXPECT_FALSE(import((folder->path() / "secret.bin").string()));
  EXPECT_FALSE(import("absent.bin"));
}

}  // namespace
}  // namespace whet
