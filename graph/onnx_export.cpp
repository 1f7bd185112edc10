// The graph as an ONNX model: what the importer made attributes becomes inputs again.
#include <algorithm>
#include <map>
#include <set>

#include "graph/onnx_import.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

constexpr int kIrVersion = 8, kOpset = 17, kGeluOpset = 20;

class Exporter {
 public:
  explicit Exporter(const Graph& graph) : graph_(graph) {}

  Result<std::string> Run() {
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("whet");
    const bool gelu = std::any_of(graph_.nodes.begin(), graph_.nodes.end(),
                                  [](const Node& node) { return node.op == "Gelu"; });
    opset_ = gelu ? kGeluOpset : kOpset;
    model_.add_opset_import()->set_version(opset_);
    proto().set_name(graph_.name.empty() ? "graph" : graph_.name);
    NameValues();
    for (ValueId input : graph_.inputs) Declare(input, proto().add_input());
    for (ValueId output : graph_.outputs) Declare(output, proto().add_output());
    AddConstants();
    for (const Node& node : graph_.nodes) {
      if (Status status = Add(node); !status)
        return Prefixed(std::move(status).error(), Describe(node));
    }
    std::string bytes;
    if (model_.ByteSizeLong() > INT32_MAX || !model_.SerializeToString(&bytes)) {
      return Fail(ErrorCode::kUnsupported,
                  "the model '{}' is larger than the 2 GiB of one ONNX file", graph_.name);
    }
    return bytes;
  }

 private:
  onnx::GraphProto& proto() { return *model_.mutable_graph(); }

  std::string Unique(const std::string& wanted) {
    std::string name = wanted.empty() ? "value" : wanted;
    for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}.{}", wanted, i);
    return name;
  }

  // The graph's own names first: they are what callers know.
  void NameValues() {
    names_.resize(graph_.values.size());
    for (ValueId value : graph_.inputs) names_[value] = Unique(graph_.values[value].name);
    for (ValueId value : graph_.outputs) names_[value] = Unique(graph_.values[value].name);
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty()) names_[i] = Unique(graph_.values[i].name);
    }
  }

  void Declare(ValueId value, onnx::ValueInfoProto* info) {
    info->set_name(names_[value]);
    auto* type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(OnnxFromDataType(graph_.values[value].type.dtype));
    auto* shape = type->mutable_shape();
    for (int64_t extent : graph_.values[value].type.shape) shape->add_dim()->set_dim_value(extent);
  }

  void AddConstants() {
    std::set<ValueId> used(graph_.outputs.begin(), graph_.outputs.end());
    for (const Node& node : graph_.nodes) used.insert(node.inputs.begin(), node.inputs.end());
    for (ValueId value : used) {
      if (value == kNoValue || graph_.values[value].constant == nullptr) continue;
      TensorToProto(*graph_.values[value].constant, names_[value], proto().add_initializer());
    }
  }

  std::string AddConstant(const std::string& wanted, const Tensor& tensor) {
    const std::string name = Unique(wanted);
    TensorToProto(tensor, name, proto().add_initializer());
    return name;
  }

  // An attribute list as an i64 input.
  std::string IntsInput(const Node& node, const char* attribute) {
    const std::vector<int64_t> values = node.attributes.Ints(attribute);
    Tensor tensor(TensorType{DataType::kInt64, {static_cast<int64_t>(values.size())}});
    std::copy(values.begin(), values.end(), tensor.data<int64_t>());
    return AddConstant(node.name + "/" + attribute, tensor);
  }

  static void SetAttribute(const std::string& name, const Attribute& value,
                           onnx::NodeProto* proto) {
    onnx::AttributeProto* attribute = proto->add_attribute();
    attribute->set_name(name);
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      attribute->set_type(onnx::AttributeProto::INT);
      attribute->set_i(*integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      attribute->set_type(onnx::AttributeProto::FLOAT);
      attribute->set_f(static_cast<float>(*number));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      attribute->set_type(onnx::AttributeProto::STRING);
      attribute->set_s(*text);
    } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
      attribute->set_type(onnx::AttributeProto::INTS);
      for (int64_t i : *integers) attribute->add_ints(i);
    } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
      attribute->set_type(onnx::AttributeProto::FLOATS);
      for (double f : *numbers) attribute->add_floats(static_cast<float>(f));
    }
  }

  void AddPadInputs(const Node& node, onnx::NodeProto* out) {
    std::vector<int64_t> pads = node.attributes.Ints("begins");
    const std::vector<int64_t> ends = node.attributes.Ints("ends");
    pads.insert(pads.end(), ends.begin(), ends.end());
    const auto count = static_cast<int64_t>(pads.size());
    out->add_input(AddConstant(node.name + "/pads", Tensor::Int64({count}, pads)));
    const double value = node.attributes.Float("value", 0);
    const DataType dtype = graph_.values[node.output].type.dtype;
    if (value == 0) return;
    Tensor number(TensorType{dtype, {}});
    if (dtype == DataType::kFloat32) *number.data<float>() = static_cast<float>(value);
    if (dtype == DataType::kInt32) *number.data<int32_t>() = static_cast<int32_t>(value);
    if (dtype == DataType::kInt64) *number.data<int64_t>() = static_cast<int64_t>(value);
    out->add_input(AddConstant(node.name + "/value", number));
  }

  // No roi; the sizes of all dimensions, or the scales where they are not those of the sizes.
  void AddResizeInputs(const Node& node, onnx::NodeProto* out) {
    const Shape &in = graph_.values[node.inputs[0]].type.shape,
                &sizes = graph_.values[node.output].type.shape;
    out->add_input("");
    if (!node.attributes.Has("scale_height") && !node.attributes.Has("scale_width")) {
      out->add_input("");
      out->add_input(AddConstant(node.name + "/sizes", Tensor::Int64({4}, sizes)));
      return;
    }
    std::vector<float> scales(4, 1);
    for (int d : {2, 3}) {
      const double implied = static_cast<double>(sizes[d]) / static_cast<double>(in[d]);
      scales[d] = static_cast<float>(
          node.attributes.Float(d == 2 ? "scale_height" : "scale_width", implied));
    }
    out->add_input(AddConstant(node.name + "/scales", Tensor::Float({4}, scales)));
  }

  Status Add(const Node& node) {
    if (node.attributes.String("layout", "NCHW") != "NCHW") {
      return Fail(ErrorCode::kUnsupported,
                  "ONNX has no layout {}: export before channels-last is applied",
                  node.attributes.String("layout"));
    }
    onnx::NodeProto& out = *proto().add_node();
    out.set_name(node.name);
    out.set_op_type(node.op);
    for (ValueId input : node.inputs) out.add_input(input == kNoValue ? "" : names_[input]);
    out.add_output(names_[node.output]);
    std::set<std::string> skip{"layout"};
    if (node.op == "Clip") {
      for (const char* bound : {"min", "max"}) {
        skip.insert(bound);
        const bool bounded = node.attributes.Has(bound);
        const Tensor limit = Tensor::Float({}, {static_cast<float>(node.attributes.Float(bound))});
        out.add_input(bounded ? AddConstant(node.name + "/" + bound, limit) : "");
      }
      while (out.input_size() > 1 && out.input(out.input_size() - 1).empty()) {
        out.mutable_input()->RemoveLast();
      }
    } else if (node.op == "Slice") {
      for (const char* list : {"starts", "ends", "axes", "steps"}) {
        skip.insert(list);
        out.add_input(IntsInput(node, list));
      }
    } else if (node.op == "Reshape") {
      skip.insert("shape");
      out.add_input(IntsInput(node, "shape"));
    } else if (node.op == "ReduceSum" || (node.op.starts_with("Reduce") && opset_ >= 18)) {
      skip.insert("axes");
      out.add_input(IntsInput(node, "axes"));
    } else if (node.op == "Pad") {
      AddPadInputs(node, &out);
      skip.insert({"begins", "ends", "value"});
    } else if (node.op == "Resize") {
      const std::string coordinates =
          node.attributes.String("coordinate_transformation_mode", "half_pixel");
      if (coordinates == "half_pixel_symmetric" || coordinates == "tf_half_pixel_for_nn") {
        return Fail(ErrorCode::kUnsupported, "opset {} has no coordinate_transformation_mode {}",
                    opset_, coordinates);
      }
      AddResizeInputs(node, &out);
      skip.insert({"sizes", "scale_height", "scale_width"});
    } else if (node.op == "Cast") {
      skip.insert("to");
      ASSIGN_OR_RETURN(const DataType to, ParseDataType(node.attributes.String("to")));
      SetAttribute("to", int64_t{OnnxFromDataType(to)}, &out);
    } else if (node.op == "AveragePool" && opset_ < 19) {
      const std::vector<int64_t> dilations = node.attributes.Ints("dilations");
      skip.insert("dilations");
      if (std::any_of(dilations.begin(), dilations.end(), [](int64_t d) { return d != 1; })) {
        return Fail(ErrorCode::kUnsupported, "opset {} has no average pool with dilations", opset_);
      }
    }
    for (const auto& [name, value] : node.attributes.values()) {
      if (!skip.contains(name)) SetAttribute(name, value, &out);
    }
    return {};
  }

  const Graph& graph_;
  onnx::ModelProto model_;
  int opset_ = kOpset;
  std::vector<std::string> names_;  // by value
  std::set<std::string> taken_;
};

}  // namespace

Result<std::string> ExportOnnx(const Graph& graph) { return Exporter(graph).Run(); }

}  // namespace whet
