// Damaged bytes into every parser of graph/: whatever they hold, the answer is a value or one
// sentence.
//
// Seeds are fixed: a failure names the seed that makes it again.
#include <gtest/gtest.h>

#include <functional>

#include "base/rng.h"
#include "graph/evaluate.h"
#include "graph/onnx_import.h"
#include "graph/passes.h"
#include "graph/tensor_io.h"
#include "onnx.pb.h"

namespace whet {
namespace {

void AddNode(
    onnx::GraphProto* graph, const std::string& op, std::vector<std::string> inputs,
    const std::string& output,
    const std::function<void(onnx::NodeProto*)>& attributes = [](onnx::NodeProto*) {}) {
  onnx::NodeProto* node = graph->add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  attributes(node);
}

void AddInts(onnx::NodeProto* node, const std::string& name, std::vector<int64_t> values) {
  onnx::AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute->add_ints(value);
}

void AddConstant(onnx::GraphProto* graph, const std::string& name, std::vector<int64_t> values) {
  onnx::TensorProto* tensor = graph->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::INT64);
  tensor->add_dims(static_cast<int64_t>(values.size()));
  for (int64_t value : values) tensor->add_int64_data(value);
}

void AddWeights(onnx::GraphProto* graph, const std::string& name, Shape shape) {
  onnx::TensorProto* tensor = graph->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t extent : shape) tensor->add_dims(extent);
  tensor->set_raw_data(std::string(static_cast<size_t>(ElementCount(shape)) * 4, '\x3d'));
}

// A small network that passes through most of the importer.
std::string ValidModel() {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto* graph = model.mutable_graph();
  graph->set_name("fuzz");
  onnx::ValueInfoProto* input = graph->add_input();
  input->set_name("x");
  auto* type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (int64_t extent : {1, 4, 8, 8}) type->mutable_shape()->add_dim()->set_dim_value(extent);
  graph->add_output()->set_name("y");
  AddWeights(graph, "w", {4, 1, 3, 3});
  for (const char* name : {"scale", "bias", "mean", "var"}) AddWeights(graph, name, {4});
  AddWeights(graph, "m", {4, 3});
  AddConstant(graph, "starts", {0, -4});
  AddConstant(graph, "ends", {2, 100});
  AddConstant(graph, "axes", {2, 3});
  AddConstant(graph, "shape", {0, -1});
  AddConstant(graph, "axis", {0});
  AddConstant(graph, "sizes", {1, 3});
  AddConstant(graph, "two", {2, 2});
  AddNode(graph, "Conv", {"x", "w"}, "conv", [](onnx::NodeProto* node) {
    AddInts(node, "pads", {1, 1, 1, 1});
    AddInts(node, "strides", {2, 1});
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name("group");
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(4);
  });
  AddNode(graph, "BatchNormalization", {"conv", "scale", "bias", "mean", "var"}, "bn");
  AddNode(graph, "HardSwish", {"bn"}, "act");
  AddNode(graph, "MaxPool", {"act"}, "pool", [](onnx::NodeProto* node) {
    AddInts(node, "kernel_shape", {2, 2});
    AddInts(node, "pads", {0, 1, 0, 1});
  });
  AddNode(graph, "Slice", {"pool", "starts", "ends", "axes"}, "slice");
  AddNode(graph, "Split", {"slice", "sizes"}, "part", [](onnx::NodeProto* node) {
    node->add_output("rest");
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name("axis");
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(1);
  });
  AddNode(graph, "Concat", {"rest", "part"}, "concat", [](onnx::NodeProto* node) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name("axis");
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(-3);
  });
  AddNode(graph, "Transpose", {"concat"}, "moved", [](onnx::NodeProto* node) {
    AddInts(node, "perm", {0, 2, 3, 1});
  });
  AddNode(graph, "ConstantOfShape", {"two"}, "zeros");
  AddNode(graph, "Shape", {"zeros"}, "zeros_shape");
  AddNode(graph, "Gather", {"zeros_shape", "axis"}, "first");
  AddNode(graph, "Concat", {"first", "two"}, "target", [](onnx::NodeProto* node) {
    onnx::AttributeProto* attribute = node->add_attribute();
    attribute->set_name("axis");
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(0);
  });
  AddNode(graph, "MatMul", {"moved", "m"}, "product");
  AddNode(graph, "Softmax", {"product"}, "soft");
  AddNode(graph, "Unsqueeze", {"soft", "axis"}, "more");
  AddNode(graph, "Reshape", {"more", "shape"}, "y");
  std::string bytes;
  model.SerializeToString(&bytes);
  return bytes;
}

// Flips bits, overwrites bytes with telling values, removes, repeats or inserts a range, or cuts
// the end off.
std::string Damage(std::string bytes, Rng& rng) {
  const int64_t wounds = 1 + rng.Below(3);
  for (int64_t i = 0; i < wounds && !bytes.empty(); ++i) {
    const size_t at = static_cast<size_t>(rng.Below(static_cast<int64_t>(bytes.size())));
    const size_t length =
        std::min<size_t>(bytes.size() - at, static_cast<size_t>(1 + rng.Below(12)));
    constexpr unsigned char kTelling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0xFE, 0x08, 0x40};
    switch (rng.Below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.Below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(kTelling[rng.Below(8)]);
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 4:
        bytes.insert(at, length, static_cast<char>(kTelling[rng.Below(8)]));
        break;
      default:
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

void ExpectOneSentence(const std::string& message, uint64_t seed) {
  EXPECT_FALSE(message.empty()) << "seed " << seed;
  EXPECT_EQ(message.find('\n'), std::string::npos) << "seed " << seed << ": " << message;
}

TEST(ParserFuzz, TheModelThatIsDamagedIsValid) {
  Result<Graph> graph = ImportOnnx(ValidModel(), "model");
  ASSERT_TRUE(graph) << graph.error().message;
  const Status status = RunPasses(*graph);
  ASSERT_TRUE(status) << status.error().message;
}

TEST(ParserFuzz, DamagedModelsImportOrAreRefused) {
  const std::string valid = ValidModel();
  int imported = 0;
  for (uint64_t seed = 0; seed < 6000; ++seed) {
    Rng rng(seed);
    Result<Graph> graph = ImportOnnx(Damage(valid, rng), "model");
    if (!graph) {
      ExpectOneSentence(graph.error().message, seed);
      EXPECT_NE(graph.error().code, ErrorCode::kInternal)
          << "seed " << seed << ": " << graph.error().message;
      continue;
    }
    ++imported;
    const Status status = RunPasses(*graph);
    EXPECT_TRUE(status) << "seed " << seed << ": " << status.error().message;
  }
  EXPECT_GT(imported, 100);  // otherwise the damage never gets past the first check
}

TEST(ParserFuzz, TruncatedModelsAreRefused) {
  const std::string valid = ValidModel();
  for (size_t length = 0; length < valid.size(); ++length) {
    const Result<Graph> graph = ImportOnnx(valid.substr(0, length), "model");
    if (!graph) ExpectOneSentence(graph.error().message, length);
  }
}

TEST(ParserFuzz, DamagedNumpyFilesParseOrAreRefused) {
  const std::string valid = ToNpy(Tensor::Float({2, 3, 4}, std::vector<float>(24, 1.5f)));
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    Rng rng(seed);
    const Result<Tensor> tensor = ParseNpy(Damage(valid, rng));
    if (!tensor) ExpectOneSentence(tensor.error().message, seed);
  }
}

TEST(ParserFuzz, DamagedTensorProtosParseOrAreRefused) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t extent : {2, 3}) proto.add_dims(extent);
  for (int i = 0; i < 6; ++i) proto.add_float_data(static_cast<float>(i));
  std::string typed, raw;
  proto.SerializeToString(&typed);
  proto.clear_float_data();
  proto.set_raw_data(std::string(24, '\0'));
  proto.SerializeToString(&raw);
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    Rng rng(seed);
    const Result<Tensor> tensor = ParseTensorProto(Damage(seed % 2 == 0 ? typed : raw, rng));
    if (!tensor) ExpectOneSentence(tensor.error().message, seed);
  }
}

TEST(ParserFuzz, HostileShapesAllocateNothing) {
  onnx::TensorProto proto;
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (int i = 0; i < 5; ++i) proto.add_dims(int64_t{1} << 40);
  proto.set_raw_data("abcd");
  std::string bytes;
  proto.SerializeToString(&bytes);
  EXPECT_FALSE(ParseTensorProto(bytes));
  std::string npy = ToNpy(Tensor::Float({1}, {1.0f}));
  npy.replace(npy.find("(1, )"), 5, "(9223372036854775807, 8)");
  EXPECT_FALSE(ParseNpy(npy));
}

}  // namespace
}  // namespace whet
