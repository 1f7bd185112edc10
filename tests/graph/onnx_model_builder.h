// ONNX models for tests of the importer, written with a call a line.
#pragma once

#include <string>
#include <vector>

#include "base/tensor.h"
#include "onnx.pb.h"

namespace whet {

class OnnxModelBuilder {
 public:
  explicit OnnxModelBuilder(int64_t opset = 17) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
  }
  onnx::ModelProto model;

  onnx::GraphProto& graph() { return *model.mutable_graph(); }
  // A dimension of -1 is open.
  OnnxModelBuilder& Input(const std::string& name, const Shape& shape,
                          int type = onnx::TensorProto::FLOAT) {
    onnx::ValueInfoProto* info = graph().add_input();
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    for (int64_t extent : shape) {
      auto* dim = tensor->mutable_shape()->add_dim();
      if (extent >= 0) dim->set_dim_value(extent);
    }
    return *this;
  }
  OnnxModelBuilder& Output(const std::string& name) {
    graph().add_output()->set_name(name);
    return *this;
  }
  OnnxModelBuilder& Floats(const std::string& name, const Shape& shape,
                           const std::vector<float>& values) {
    onnx::TensorProto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (int64_t extent : shape) tensor->add_dims(extent);
    for (float value : values) tensor->add_float_data(value);
    return *this;
  }
  OnnxModelBuilder& Floats(const std::string& name, const Shape& shape, float value = 0.5f) {
    return Floats(name, shape, std::vector<float>(static_cast<size_t>(ElementCount(shape)), value));
  }
  OnnxModelBuilder& Ints(const std::string& name, const std::vector<int64_t>& values) {
    onnx::TensorProto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::INT64);
    tensor->add_dims(static_cast<int64_t>(values.size()));
    for (int64_t value : values) tensor->add_int64_data(value);
    return *this;
  }
  OnnxModelBuilder& Node(const std::string& op, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs) {
    onnx::NodeProto* node = graph().add_node();
    node->set_name("the_" + op);
    node->set_op_type(op);
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    return *this;
  }
  // Attributes of the last node.
  OnnxModelBuilder& Int(const std::string& name, int64_t value) {
    onnx::AttributeProto* attribute = NewAttribute(name, onnx::AttributeProto::INT);
    attribute->set_i(value);
    return *this;
  }
  OnnxModelBuilder& Float(const std::string& name, float value) {
    NewAttribute(name, onnx::AttributeProto::FLOAT)->set_f(value);
    return *this;
  }
  OnnxModelBuilder& String(const std::string& name, const std::string& value) {
    NewAttribute(name, onnx::AttributeProto::STRING)->set_s(value);
    return *this;
  }
  OnnxModelBuilder& FloatList(const std::string& name, const std::vector<float>& values) {
    onnx::AttributeProto* attribute = NewAttribute(name, onnx::AttributeProto::FLOATS);
    for (float value : values) attribute->add_floats(value);
    return *this;
  }
  OnnxModelBuilder& IntList(const std::string& name, const std::vector<int64_t>& values) {
    onnx::AttributeProto* attribute = NewAttribute(name, onnx::AttributeProto::INTS);
    for (int64_t value : values) attribute->add_ints(value);
    return *this;
  }

  std::string Bytes() const {
    std::string bytes;
    model.SerializeToString(&bytes);
    return bytes;
  }

 private:
  onnx::AttributeProto* NewAttribute(const std::string& name,
                                     onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto* attribute =
        graph().mutable_node(graph().node_size() - 1)->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }
};

}  // namespace whet
