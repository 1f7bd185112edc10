#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "tests/graph/onnx_import_fixture.h"

namespace whet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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
              AllOf(HasSubstr("opset 99"), HasSubstr("1 to 26")));
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
  EXPECT_THAT(ErrorOf(builder, {.shapes = {{"x", {-1, 3}}}}), HasSubstr("does not fit"));
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

TEST(OnnxImport, TakesTheValueOfAnInputOnlyWhereItMustBeConstant) {
  OnnxModelBuilder builder(17);
  builder.Input("x", {2, 3}).Input("rows", {1}, onnx::TensorProto::INT64).Input("z", {3, 2});
  builder.Ints("rest", {-1});
  builder.Node("Concat", {"rows", "rest"}, {"shape"}).Int("axis", 0);
  builder.Node("Reshape", {"x", "shape"}, {"r"}).Node("Add", {"r", "z"}, {"y"}).Output("y");
  EXPECT_THAT(ErrorOf(builder), AllOf(HasSubstr("the_Reshape"), HasSubstr("input 'rows' decides")));
  const Graph graph = Import(builder, {.values = {{"rows", Tensor::Int64({1}, {3})},
                                                  {"z", Tensor(TensorType{{}, {3, 2}})}}});
  ASSERT_EQ(graph.inputs.size(), 2u);
  EXPECT_EQ(graph.values[graph.inputs[0]].name, "x");
  EXPECT_EQ(graph.values[graph.inputs[1]].name, "z");
  EXPECT_EQ(graph.values[graph.outputs[0]].type.shape, (Shape{3, 2}));
}

TEST(OnnxImport, ListsTheInputsThatAreNoInitialisers) {
  Result<TemporaryDirectory> folder = TemporaryDirectory::Create("inputs");
  ASSERT_TRUE(folder);
  const std::string path = (folder->path() / "m.onnx").string();
  OnnxModelBuilder builder(8);
  builder.Input("w", {2}).Input("x", {-1, 3}).Input("n", {4}, onnx::TensorProto::INT64);
  builder.Floats("w", {2}).Node("Frobnicate", {"x"}, {"y"}).Output("y");
  builder.graph().mutable_input(2)->mutable_type()->mutable_tensor_type()->clear_shape();
  ASSERT_TRUE(WriteFileAtomically(path, builder.Bytes()));
  const auto inputs = ListInputs(path);
  ASSERT_TRUE(inputs) << inputs.error().message;
  ASSERT_EQ(inputs->size(), 2u);
  EXPECT_EQ((*inputs)[0].name, "x");
  EXPECT_EQ((*inputs)[0].dims, (Shape{-1, 3}));
  EXPECT_TRUE((*inputs)[0].Open());
  EXPECT_EQ((*inputs)[1].dtype, DataType::kInt64);
  EXPECT_FALSE((*inputs)[1].has_shape);
  EXPECT_THAT(ListInputs("nowhere/model.onnx").error().message, HasSubstr("nowhere/model.onnx"));
}

TEST(OnnxImport, RefusesTensorsOfTooManyDimensions) {
  EXPECT_EQ(Import(OneNode(17, "Relu", Shape(16, 1))).nodes.size(), 1u);
  EXPECT_THAT(ErrorOf(OneNode(17, "Relu", Shape(17, 1))),
              AllOf(HasSubstr("input 'x'"), HasSubstr("17 dimensions, Whet supports up to 16")));
  OnnxModelBuilder grows = OneNode(13, "Unsqueeze", Shape(16, 1), {"axes"});
  grows.Ints("axes", {0});
  EXPECT_THAT(ErrorOf(grows), AllOf(HasSubstr("the_Unsqueeze"), HasSubstr("up to 16")));
}

TEST(OnnxImport, AsksForTheShapesOfAllOpenInputsAtOnce) {
  OnnxModelBuilder builder(17);
  builder.Input("a", {-1, 3}).Input("b", {1, 3}).Input("c", {4, -1});
  builder.Node("Add", {"a", "b"}, {"s"}).Node("MatMul", {"s", "c"}, {"y"}).Output("y");
  EXPECT_THAT(ErrorOf(builder),
              AllOf(HasSubstr("shapes of inputs 'a', 'c' are open"),
                    HasSubstr("--shape a=1x3 --shape c=4x224"), Not(HasSubstr("--shape b"))));
}

TEST(OnnxImport, RefusesConstantIndicesOutOfRange) {
  OnnxModelBuilder builder = OneNode(17, "Gather", {3, 2}, {"i"});
  builder.Ints("i", {0, -3, 2, -4});
  EXPECT_THAT(ErrorOf(builder), AllOf(HasSubstr("the_Gather"), HasSubstr("element 3"),
                                      HasSubstr("-4"), HasSubstr("from -3 to 2")));
  builder.graph().mutable_initializer(0)->set_int64_data(3, 1);
  EXPECT_THAT(RunOnCounting(Import(builder)), ::testing::ElementsAre(0, 1, 0, 1, 4, 5, 2, 3));
}

TEST(OnnxImport, ImportsNetworksThatComputeNothing) {
  const Graph view = Import(OneNode(17, "Flatten", {2, 3, 1}));
  EXPECT_THAT(RunOnCounting(view), ::testing::ElementsAre(0, 1, 2, 3, 4, 5));
  OnnxModelBuilder constant(17);
  constant.Floats("c", {2}, {7, 8}).Node("Neg", {"c"}, {"y"}).Output("y");
  EXPECT_THAT(RunOnCounting(Import(constant)), ::testing::ElementsAre(-7, -8));
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

TEST(OnnxImport, ReadsExternalDataInsideTheModelsFolderOnly) {
  Result<TemporaryDirectory> folder = TemporaryDirectory::Create("external");
  ASSERT_TRUE(folder);
  const std::filesystem::path inside = folder->path() / "model";
  std::filesystem::create_directory(inside);
  const float values[] = {0, 7, 8};
  const std::string payload(reinterpret_cast<const char*>(values), sizeof(values));
  ASSERT_TRUE(WriteFileAtomically(inside / "weights.bin", payload));
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "secret.bin", payload));
  const auto import = [&](const std::string& location, const std::string& offset = "4",
                          const std::string& length = "8") {
    OnnxModelBuilder builder = OneNode(17, "Add", {2}, {"w"});
    onnx::TensorProto* tensor = builder.graph().add_initializer();
    tensor->set_name("w");
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    tensor->add_dims(2);
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"location", location}, {"offset", offset}, {"length", length}}) {
      auto* entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    EXPECT_TRUE(WriteFileAtomically(inside / "model.onnx", builder.Bytes()));
    return ImportOnnxFile((inside / "model.onnx").string());
  };
  const Result<Graph> graph = import("weights.bin");
  ASSERT_TRUE(graph) << graph.error().message;
  // The type says how many bytes there are: a length that disagrees changes nothing.
  for (const char* length : {"4", "0", "4000"}) {
    const Result<Graph> same = import("weights.bin", "4", length);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_THAT(RunOnCounting(*same), ::testing::ElementsAre(7, 9));
  }
  EXPECT_THAT(import("weights.bin", "8").error().message,
              AllOf(HasSubstr("8 bytes at offset 8"), HasSubstr("a file of 12 bytes")));
  EXPECT_THAT(import("weights.bin", "-4").error().message,
              AllOf(HasSubstr("the offset of its external data is '-4'"), HasSubstr("0 or more")));
  EXPECT_THAT(RunOnCounting(*graph), ::testing::ElementsAre(7, 9));
  const Result<Graph> outside = import("../secret.bin");
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message, HasSubstr("outside the model's folder"));
  EXPECT_FALSE(import((folder->path() / "secret.bin").string()));
  EXPECT_FALSE(import("absent.bin"));
}

}  // namespace
}  // namespace whet
