// How nodes of every opset become canonical operators.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/graph/onnx_import_fixture.h"

namespace whet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

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
  // A vector's default axis, 1, is behind its dimensions: rows of one element.
  EXPECT_THAT(RunOnCounting(Import(OneNode(11, "Softmax", {3}))), ::testing::ElementsAre(1, 1, 1));
}

TEST(OnnxNormalize, NormalisesAVectorAsABatchOfOneChannel) {
  OnnxModelBuilder builder = OneNode(15, "BatchNormalization", {3}, {"s", "b", "m", "v"});
  builder.Floats("s", {1}, {2}).Floats("b", {1}, {10}).Floats("m", {1}, {1}).Floats("v", {1}, {4});
  builder.Float("epsilon", 0);
  EXPECT_THAT(RunOnCounting(Import(builder)), ::testing::ElementsAre(9, 10, 11));
}

TEST(OnnxNormalize, KnowsWhatHasNoElements) {
  const auto shape_of = [](const Graph& graph) {
    return graph.values[graph.outputs[0]].type.shape;
  };
  OnnxModelBuilder backwards = OneNode(17, "Slice", {4}, {"s", "e", "a", "t"});
  backwards.Ints("s", {-1}).Ints("e", {INT64_MAX}).Ints("a", {0}).Ints("t", {-1});
  EXPECT_EQ(shape_of(Import(backwards)), Shape{0});
  const ImportOptions empty{.shapes = {{"x", {2, 0}}}};
  OnnxModelBuilder product = OneNode(17, "MatMul", {2, 0}, {"w"});
  product.Floats("w", {0, 3});
  EXPECT_THAT(RunOnCounting(Import(product, empty)), ::testing::ElementsAre(0, 0, 0, 0, 0, 0));
  OnnxModelBuilder sum = OneNode(13, "ReduceSum", {2, 0});
  EXPECT_THAT(RunOnCounting(Import(sum, empty)), ::testing::ElementsAre(0));
  const Graph relu = Import(OneNode(17, "Relu", {2, 0}), empty);
  EXPECT_EQ(shape_of(relu), (Shape{2, 0}));
  EXPECT_EQ(relu.inputs.size(), 1u);
  EXPECT_TRUE(relu.nodes.empty());
  // A declared 0 may stand for an open dimension, too.
  EXPECT_THAT(ErrorOf(OneNode(17, "Relu", {2, 0})), HasSubstr("--shape x=2x224"));
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
  OnnxModelBuilder indices(12);  // of large windows, as of global ones
  indices.Input("x", {1, 1, 9, 9})
      .Node("MaxPool", {"x"}, {"y", "i"})
      .IntList("kernel_shape", {9, 9});
  indices.Output("y").Output("i");
  EXPECT_THAT(ErrorOf(indices), HasSubstr("its indices are used"));
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
  EXPECT_THAT(ErrorOf(computed), HasSubstr("its axes must be constant"));
}

TEST(OnnxNormalize, SpellsEasyPowersAsProductsAndRoots) {
  for (const auto& [exponent, op] : std::vector<std::pair<float, std::string>>{
           {2, "Mul"}, {0.5f, "Sqrt"}, {-1, "Div"}, {-0.5f, "Div"}, {2.5f, "Pow"}}) {
    OnnxModelBuilder builder = OneNode(13, "Pow", {3}, {"e"});
    builder.Floats("e", {}, {exponent});
    const Graph graph = Import(builder);
    EXPECT_EQ(graph.nodes.back().op, op);
    EXPECT_EQ(graph.nodes.size() == 1, std::abs(exponent) != 0.5f);
    EXPECT_NEAR(RunOnCounting(graph)[2], std::pow(2, exponent), 1e-6);
  }
}

std::vector<float> RunOn(const Graph& graph, const std::vector<float>& values) {
  const Tensor x = Tensor::Float({static_cast<int64_t>(values.size())}, values);
  const Tensor* inputs[] = {&x};
  const auto outputs = Evaluate(graph, inputs);
  EXPECT_TRUE(outputs) << (outputs ? "" : outputs.error().message);
  if (!outputs) return {};
  const float* y = (*outputs)[0].data<float>();
  return {y, y + (*outputs)[0].count()};
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(OnnxNormalize, EasyPowersOfZerosAndInfinitiesAreStillPowers) {
  const std::vector<float> bases = {0, -0.0f, kInfinity, -kInfinity, -2, 4};
  for (float exponent : {1.0f, -1.0f, 2.0f, 3.0f, 0.5f, -0.5f}) {
    OnnxModelBuilder builder = OneNode(13, "Pow", {6}, {"e"});
    builder.Floats("e", {}, {exponent});
    const std::vector<float> y = RunOn(Import(builder), bases);
    ASSERT_EQ(y.size(), bases.size());
    for (size_t i = 0; i < y.size(); ++i) {
      const float power = std::pow(bases[i], exponent);
      EXPECT_TRUE(y[i] == power || (std::isnan(y[i]) && std::isnan(power)))
          << bases[i] << "^" << exponent << " is " << y[i];
    }
  }
}

TEST(OnnxNormalize, TakesTheRootInANormalisationAsItIs) {
  OnnxModelBuilder builder(13);
  builder.Input("x", {4}).Floats("half", {}, {0.5f}).Floats("epsilon", {}, {1e-5f});
  builder.Node("Mul", {"x", "x"}, {"squares"});
  builder.Node("ReduceMean", {"squares"}, {"mean"});
  builder.Node("Add", {"mean", "epsilon"}, {"variance"});
  builder.Node("Pow", {"variance", "half"}, {"y"}).Output("y");
  EXPECT_EQ(Import(builder).nodes.size(), 4u);
}

TEST(OnnxNormalize, ClipsToInfiniteBoundsAndBoundsThatAreNoNumber) {
  const std::vector<float> x = {-kInfinity, -2, 3, kInfinity};
  const auto clipped = [&](std::vector<float> low, std::vector<float> high) {
    OnnxModelBuilder builder = OneNode(13, "Clip", {4}, {"low", "high"});
    builder.Floats("low", {}, std::move(low)).Floats("high", {}, std::move(high));
    return RunOn(Import(builder), x);
  };
  using ::testing::Each;
  using ::testing::ElementsAreArray;
  using ::testing::IsNan;
  EXPECT_THAT(clipped({-kInfinity}, {kInfinity}), ElementsAreArray(x));
  EXPECT_THAT(clipped({kInfinity}, {kInfinity}), Each(kInfinity));
  EXPECT_THAT(clipped({-1}, {-kInfinity}), Each(-kInfinity));
  EXPECT_THAT(clipped({std::nanf("")}, {1}), Each(IsNan()));
  EXPECT_THAT(clipped({1}, {std::nanf("")}), Each(IsNan()));
}

TEST(OnnxNormalize, SumsExponentialsOfInfinities) {
  OnnxModelBuilder builder = OneNode(13, "ReduceLogSumExp", {2});
  builder.IntList("axes", {0}).Int("keepdims", 0);
  const Graph graph = Import(builder);
  EXPECT_THAT(RunOn(graph, {kInfinity, 2}), ::testing::ElementsAre(kInfinity));
  EXPECT_THAT(RunOn(graph, {-kInfinity, -kInfinity}), ::testing::ElementsAre(-kInfinity));
  EXPECT_THAT(RunOn(graph, {-kInfinity, 2}), ::testing::ElementsAre(2));
  EXPECT_THAT(RunOn(graph, {std::nanf(""), 2}), ::testing::ElementsAre(::testing::IsNan()));
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
  EXPECT_THAT(resize("mode", "quintic"),
              AllOf(HasSubstr("the_Resize"), HasSubstr("'quintic', expected nearest, linear")));
  EXPECT_THAT(resize("coordinate_transformation_mode", "quarter_pixel"),
              HasSubstr("'quarter_pixel', expected half_pixel"));
  EXPECT_THAT(resize("keep_aspect_ratio_policy", "loosely"), HasSubstr("expected stretch"));
  OnnxModelBuilder computed = OneNode(19, "Resize", {1, 1, 2, 2}, {"", "scales"});
  computed.Input("scales", {4});
  EXPECT_THAT(ErrorOf(computed), HasSubstr("its scales must be constant"));
}

TEST(OnnxNormalize, ResizesAnyAxesOfAnyTensor) {
  const auto resize = [](const Shape& shape, const std::vector<int64_t>& sizes) {
    OnnxModelBuilder builder = OneNode(13, "Resize", shape, {"", "", "sizes"});
    builder.Ints("sizes", sizes);
    return RunOnCounting(Import(builder));
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(resize({2}, {4}), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(resize({2, 2}, {4, 2}), ElementsAre(0, 1, 0, 1, 2, 3, 2, 3));
  EXPECT_THAT(resize({1, 1, 1, 1, 2}, {1, 1, 1, 1, 4}), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(resize({1, 2, 1, 1}, {1, 4, 1, 2}), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(resize({2, 1, 2}, {1, 2, 4}), ElementsAre(0, 0, 1, 1, 0, 0, 1, 1));
  EXPECT_THAT(resize({1, 2, 1, 2, 1}, {1, 4, 1, 2, 2}),
              ElementsAre(0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3));
}

TEST(OnnxNormalize, CropsWhereAResizeSaysSo) {
  const auto crop = [](const std::vector<float>& roi) {
    OnnxModelBuilder builder = OneNode(13, "Resize", {4}, {"roi", "", "sizes"});
    builder.Floats("roi", {static_cast<int64_t>(roi.size())}, roi).Ints("sizes", {3});
    builder.String("coordinate_transformation_mode", "tf_crop_and_resize").String("mode", "linear");
    builder.Float("extrapolation_value", 9);
    return builder;
  };
  EXPECT_THAT(RunOnCounting(Import(crop({0, 1}))), ::testing::ElementsAre(0, 1.5, 3));
  EXPECT_THAT(RunOnCounting(Import(crop({}))), ::testing::ElementsAre(0, 1.5, 3));
  EXPECT_THAT(RunOnCounting(Import(crop({1, 0}))), ::testing::ElementsAre(3, 1.5, 0));
  EXPECT_THAT(RunOnCounting(Import(crop({0.5, 1.5}))), ::testing::ElementsAre(1.5, 3, 9));
  EXPECT_THAT(ErrorOf(crop({0, 0, 1, 1})), HasSubstr("its roi has 4 numbers, expected 2"));
}

TEST(OnnxNormalize, TellsWhereAMaximumIs) {
  const auto indices = [](int64_t order) {
    OnnxModelBuilder builder(12);
    builder.Input("x", {1, 2, 2, 3}).Node("Neg", {"x"}, {"n"});
    builder.Node("MaxPool", {"n"}, {"y", "i"}).IntList("kernel_shape", {2, 2});
    builder.IntList("pads", {1, 0, 0, 0}).Int("storage_order", order).Output("i");
    const Graph graph = Import(builder);
    std::vector<Tensor> inputs{Tensor(graph.values[graph.inputs[0]].type)};
    for (int i = 0; i < 12; ++i) inputs[0].data<float>()[i] = static_cast<float>(i);
    const Tensor found = Evaluate(graph, Pointers(inputs))->front();
    return std::vector<int64_t>(found.data<int64_t>(), found.data<int64_t>() + found.count());
  };
  EXPECT_THAT(indices(0), ::testing::ElementsAre(0, 1, 0, 1, 6, 7, 6, 7));
  EXPECT_THAT(indices(1), ::testing::ElementsAre(0, 2, 0, 2, 6, 8, 6, 8));
}

TEST(OnnxNormalize, RaisesIntegersToConstantPowers) {
  for (const auto& [exponent, expected] : std::vector<std::pair<int64_t, int64_t>>{
           {0, 1}, {1, -3}, {2, 9}, {3, -27}, {5, -243}, {6, 729}}) {
    OnnxModelBuilder builder(15);
    builder.Input("x", {1}, onnx::TensorProto::INT64).Ints("e", {exponent});
    builder.Node("Pow", {"x", "e"}, {"y"}).Output("y");
    const std::vector<Tensor> inputs{Tensor::Int64({1}, {-3})};
    EXPECT_EQ(Evaluate(Import(builder), Pointers(inputs))->front().AsInt64(0), expected);
  }
  OnnxModelBuilder negative(15);
  negative.Input("x", {1}, onnx::TensorProto::INT64).Ints("e", {-1});
  negative.Node("Pow", {"x", "e"}, {"y"}).Output("y");
  EXPECT_THAT(ErrorOf(negative), HasSubstr("a whole number from 0 to 64"));
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
  OnnxModelBuilder whole = upsampling();
  whole.IntList("output_shape", {1, 4, 6, 8});
  EXPECT_EQ(shape_of(Import(whole)), (Shape{1, 4, 6, 8}));
  OnnxModelBuilder other = upsampling();
  other.IntList("output_shape", {1, 5, 6, 8});
  EXPECT_THAT(ErrorOf(other), HasSubstr("output_shape [1, 5, 6, 8], expected 2 numbers"));
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
  EXPECT_THAT(ErrorOf(computed), HasSubstr("its pads must be constant"));
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

}  // namespace
}  // namespace whet
