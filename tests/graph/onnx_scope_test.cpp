#include "graph/onnx_scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/onnx_import_fixture.h"

namespace whet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

onnx::NodeProto Node(const std::string& op, const std::vector<std::string>& inputs,
                     const std::string& output) {
  onnx::NodeProto node;
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

// The graph of a branch: one node that reads what is around it.
onnx::GraphProto Branch(const std::string& op, const std::vector<std::string>& inputs) {
  onnx::GraphProto graph;
  *graph.add_node() = Node(op, inputs, "result");
  graph.add_output()->set_name("result");
  return graph;
}

// y = x + t where c, else -x.
OnnxModelBuilder Conditional() {
  OnnxModelBuilder builder(17);
  builder.Input("x", {2}).Floats("t", {2}, {10, 20}).Node("If", {"c"}, {"y"}).Output("y");
  for (const bool then : {true, false}) {
    onnx::AttributeProto* attribute = builder.graph().mutable_node(0)->add_attribute();
    attribute->set_name(then ? "then_branch" : "else_branch");
    attribute->set_type(onnx::AttributeProto::GRAPH);
    *attribute->mutable_g() = then ? Branch("Add", {"x", "t"}) : Branch("Neg", {"x"});
  }
  return builder;
}

onnx::GraphProto* BranchOf(OnnxModelBuilder& builder, int i) {
  return builder.graph().mutable_node(0)->mutable_attribute(i)->mutable_g();
}

OnnxModelBuilder& AddBool(OnnxModelBuilder& builder, bool value) {
  onnx::TensorProto* c = builder.graph().add_initializer();
  c->set_name("c");
  c->set_data_type(onnx::TensorProto::BOOL);
  c->add_int32_data(value);
  return builder;
}

TEST(OnnxIf, TakesTheBranchOfAConditionThatIsKnown) {
  OnnxModelBuilder holds = Conditional(), fails = Conditional();
  EXPECT_THAT(RunOnCounting(Import(AddBool(holds, true))), ElementsAre(10, 21));
  EXPECT_THAT(RunOnCounting(Import(AddBool(fails, false))), ElementsAre(0, -1));
}

TEST(OnnxIf, FollowsAConditionFromShapes) {
  OnnxModelBuilder builder = Conditional();
  builder.Ints("two", {2}).Node("Size", {"x"}, {"n"}).Node("Equal", {"n", "two"}, {"c"});
  // What the other branch holds does not matter.
  BranchOf(builder, 1)->mutable_node(0)->set_op_type("Frobnicate");
  EXPECT_THAT(RunOnCounting(Import(builder)), ElementsAre(10, 21));
}

TEST(OnnxIf, ChoosesBetweenBothResultsWhenItRuns) {
  OnnxModelBuilder builder = Conditional();
  builder.Input("c", {1}, onnx::TensorProto::BOOL);
  const Graph graph = Import(builder);
  for (const bool holds : {true, false}) {
    Tensor c(TensorType{DataType::kBool, {1}});
    c.data<uint8_t>()[0] = holds;
    const std::vector<Tensor> inputs{Tensor::Float({2}, {1, 2}), c};
    const auto outputs = Evaluate(graph, Pointers(inputs));
    ASSERT_TRUE(outputs) << outputs.error().message;
    EXPECT_EQ(outputs->front().data<float>()[1], holds ? 22 : -2);
    EXPECT_EQ(outputs->front().shape(), Shape{2});
  }
}

TEST(OnnxIf, AsksForTheConditionWhereTheBranchesHaveOtherShapes) {
  OnnxModelBuilder builder = Conditional();
  builder.Input("c", {1}, onnx::TensorProto::BOOL);
  *BranchOf(builder, 1)->mutable_node(0) = Node("Shape", {"x"}, "result");
  EXPECT_THAT(ErrorOf(builder), AllOf(HasSubstr("f32[2] and i64[1]"), HasSubstr("its condition"),
                                      HasSubstr("input 'c' decides")));
  Tensor c(TensorType{DataType::kBool, {1}});
  c.data<uint8_t>()[0] = 1;
  EXPECT_THAT(RunOnCounting(Import(builder, {.values = {{"c", c}}})), ElementsAre(10, 21));
}

TEST(OnnxIf, ReadsNodesThatStandBehindIt) {
  OnnxModelBuilder builder = Conditional();
  AddBool(builder, true);
  BranchOf(builder, 0)->mutable_node(0)->set_input(1, "later");
  builder.Node("Abs", {"x"}, {"later"});
  EXPECT_THAT(RunOnCounting(Import(builder)), ElementsAre(0, 2));
}

TEST(OnnxIf, NamesWhatIsWrongInABranch) {
  OnnxModelBuilder unknown = Conditional();
  BranchOf(unknown, 0)->mutable_node(0)->set_input(1, "nowhere");
  EXPECT_THAT(ErrorOf(AddBool(unknown, true)), HasSubstr("'nowhere'"));
  OnnxModelBuilder frobnicates = Conditional();
  BranchOf(frobnicates, 0)->mutable_node(0)->set_op_type("Frobnicate");
  EXPECT_THAT(ErrorOf(AddBool(frobnicates, true)),
              AllOf(HasSubstr("(If)"), HasSubstr("(Frobnicate)"), HasSubstr("not supported")));
  OnnxModelBuilder missing = Conditional();
  missing.graph().mutable_node(0)->mutable_attribute(1)->set_name("other");
  EXPECT_THAT(ErrorOf(AddBool(missing, false)), HasSubstr("'else_branch'"));
  OnnxModelBuilder number = Conditional();
  number.Floats("c", {}, {1});
  EXPECT_THAT(ErrorOf(number), HasSubstr("its condition is f32[scalar]"));
}

// A model of one call: y = Act(x), where Act(a) = relu(a + a) with the opset and nodes given.
OnnxModelBuilder WithFunction(int64_t opset = 17) {
  OnnxModelBuilder builder(17);
  builder.Input("x", {2}).Node("Act", {"x"}, {"y"}).Output("y");
  builder.graph().mutable_node(0)->set_domain("custom");
  onnx::FunctionProto* function = builder.model.add_functions();
  function->set_name("Act");
  function->set_domain("custom");
  function->add_input("a");
  function->add_output("r");
  function->add_opset_import()->set_version(opset);
  *function->add_node() = Node("Add", {"a", "a"}, "t");
  *function->add_node() = Node("Relu", {"t"}, "r");
  return builder;
}

TEST(OnnxFunctions, StandForTheirNodes) {
  const Graph graph = Import(WithFunction());
  EXPECT_THAT(RunOnCounting(graph), ElementsAre(0, 2));
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.values[graph.outputs[0]].name, "y");
  EXPECT_EQ(graph.nodes[0].name, "the_Act/t");
}

TEST(OnnxFunctions, KeepTheirNamesApartFromThoseAround) {
  OnnxModelBuilder builder = WithFunction();
  builder.Node("Act", {"y"}, {"t"}).Output("t");  // "t" is a name of the function's, too
  builder.graph().mutable_node(1)->set_domain("custom");
  const Graph graph = Import(builder);
  ASSERT_EQ(graph.outputs.size(), 2u);
  const std::vector<Tensor> inputs{Tensor::Float({2}, {1, -1})};
  EXPECT_EQ(Evaluate(graph, Pointers(inputs))->back().data<float>()[0], 4);
}

TEST(OnnxFunctions, TakeAttributesOfTheirCallsAndTheirDefaults) {
  OnnxModelBuilder builder = WithFunction();
  onnx::FunctionProto* function = builder.model.mutable_functions(0);
  function->mutable_node(1)->set_op_type("LeakyRelu");
  onnx::AttributeProto* reference = function->mutable_node(1)->add_attribute();
  reference->set_name("alpha");
  reference->set_ref_attr_name("slope");
  reference->set_type(onnx::AttributeProto::FLOAT);
  const std::vector<Tensor> inputs{Tensor::Float({2}, {1, -1})};
  const auto slope = [&] {
    return Evaluate(Import(builder), Pointers(inputs))->front().data<float>()[1] / -2;
  };
  function->add_attribute("slope");
  EXPECT_FLOAT_EQ(slope(), 0.01f);  // the operator's own
  function->clear_attribute();
  onnx::AttributeProto* fallback = function->add_attribute_proto();
  fallback->set_name("slope");
  fallback->set_type(onnx::AttributeProto::FLOAT);
  fallback->set_f(0.5);
  EXPECT_FLOAT_EQ(slope(), 0.5f);
  builder.Float("slope", 0.25);
  EXPECT_FLOAT_EQ(slope(), 0.25f);
  builder.Float("angle", 1);
  EXPECT_THAT(ErrorOf(builder), HasSubstr("no attribute 'angle'"));
}

TEST(OnnxFunctions, AreReadInTheirOwnOpset) {
  OnnxModelBuilder builder = WithFunction(6);
  onnx::FunctionProto* function = builder.model.mutable_functions(0);
  EXPECT_THAT(RunOnCounting(Import(builder)), ElementsAre(0, 2));
  function->mutable_opset_import(0)->set_version(99);
  EXPECT_THAT(ErrorOf(builder), AllOf(HasSubstr("the_Act"), HasSubstr("opset 99")));
}

TEST(OnnxFunctions, CannotCallThemselves) {
  OnnxModelBuilder builder = WithFunction();
  onnx::NodeProto* node = builder.model.mutable_functions(0)->mutable_node(1);
  node->set_op_type("Act");
  node->set_domain("custom");
  EXPECT_THAT(ErrorOf(builder), HasSubstr("nested more than"));
}

TEST(OnnxFunctions, MustFitTheirCalls) {
  OnnxModelBuilder builder = WithFunction();
  builder.graph().mutable_node(0)->add_input("x");
  EXPECT_THAT(ErrorOf(builder), HasSubstr("it has 2 inputs and 1 output, and the function 1"));
  OnnxModelBuilder absent = WithFunction();
  absent.graph().mutable_node(0)->set_op_type("Other");
  EXPECT_THAT(ErrorOf(absent), AllOf(HasSubstr("'custom'"), HasSubstr("that the model defines")));
  OnnxModelBuilder fewer = WithFunction();
  fewer.graph().mutable_node(0)->clear_input();
  EXPECT_THAT(ErrorOf(fewer), HasSubstr("input 0 is missing"));
}

}  // namespace
}  // namespace whet
