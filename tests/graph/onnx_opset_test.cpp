// Models of the first opsets, where operators were written in other ways, and of the newest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/onnx_import_fixture.h"

namespace whet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OnnxOpsets, FromTheFirstToTheNewestAreRead) {
  for (int64_t opset = 1; opset <= 26; ++opset)
    EXPECT_THAT(RunOnCounting(Import(OneNode(opset, "Relu", {2}))), ElementsAre(0, 1)) << opset;
  for (int64_t opset : {-1, 0, 27, 99}) {
    EXPECT_THAT(ErrorOf(OneNode(opset, "Relu", {2})),
                AllOf(HasSubstr(fmt::format("opset {}", opset)), HasSubstr("1 to 26")));
  }
}

TEST(OnnxOpsets, BeforeSixNameInputsThatMayBeOverwritten) {
  OnnxModelBuilder builder = OneNode(1, "Relu", {2});
  builder.IntList("consumed_inputs", {0});
  EXPECT_THAT(RunOnCounting(Import(builder)), ElementsAre(0, 1));
  OnnxModelBuilder later = OneNode(6, "Relu", {2});
  later.IntList("consumed_inputs", {0});
  EXPECT_THAT(ErrorOf(later), HasSubstr("'consumed_inputs'"));
}

TEST(OnnxOpsets, BeforeSevenBroadcastFromAnAxisOn) {
  const auto add = [](const Shape& part) {
    OnnxModelBuilder builder = OneNode(6, "Add", {1, 2, 2}, {"b"});
    std::vector<float> values;
    for (int64_t i = 0; i < ElementCount(part); ++i) values.push_back(static_cast<float>(10 * i));
    builder.Floats("b", part, values).Int("broadcast", 1);
    return builder;
  };
  EXPECT_THAT(RunOnCounting(Import(add({2}))), ElementsAre(0, 11, 2, 13));
  OnnxModelBuilder channels = add({2});
  channels.Int("axis", 1);
  EXPECT_THAT(RunOnCounting(Import(channels)), ElementsAre(0, 1, 12, 13));
  channels.graph().mutable_node(0)->mutable_attribute(1)->set_i(-2);
  EXPECT_THAT(RunOnCounting(Import(channels)), ElementsAre(0, 1, 12, 13));
  channels.graph().mutable_node(0)->mutable_attribute(1)->set_i(0);
  EXPECT_THAT(ErrorOf(channels), HasSubstr("cannot be broadcast to f32[1x2x2] from axis 0 on"));
  OnnxModelBuilder unasked = add({2});
  unasked.graph().mutable_node(0)->clear_attribute();
  EXPECT_THAT(ErrorOf(unasked), HasSubstr("or broadcast be 1"));
  EXPECT_THAT(ErrorOf(add({1, 1, 2, 2})), HasSubstr("cannot be broadcast"));
}

TEST(OnnxOpsets, BeforeSixCastByAWord) {
  OnnxModelBuilder builder = OneNode(5, "Cast", {2});
  builder.String("to", "INT64");
  const Graph graph = Import(builder);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.dtype, DataType::kInt64);
  OnnxModelBuilder wrong = OneNode(5, "Cast", {2});
  wrong.String("to", "NUMBER");
  EXPECT_THAT(ErrorOf(wrong), HasSubstr("'NUMBER'"));
}

TEST(OnnxOpsets, BeforeFiveReshapeByAnAttribute) {
  OnnxModelBuilder builder = OneNode(1, "Reshape", {2, 3});
  builder.IntList("shape", {3, -1});
  const Graph graph = Import(builder);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{3, 2}));
}

TEST(OnnxOpsets, BeforeFourConcatenateAlongAxisOne) {
  OnnxModelBuilder builder = OneNode(3, "Concat", {1, 2}, {"x"});
  const Graph graph = Import(builder);
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{1, 4}));
}

TEST(OnnxOpsets, OfThePastPadAndScaleImages) {
  OnnxModelBuilder pad = OneNode(1, "Pad", {2});
  pad.IntList("paddings", {1, 0}).Float("value", 7);
  EXPECT_THAT(RunOnCounting(Import(pad)), ElementsAre(7, 0, 1));
  OnnxModelBuilder upsample = OneNode(1, "Upsample", {1, 1, 1, 2});
  upsample.Float("width_scale", 2).Float("height_scale", 1);
  EXPECT_THAT(RunOnCounting(Import(upsample)), ElementsAre(0, 0, 1, 1));
}

}  // namespace
}  // namespace whet
