#include "graph/onnx_normalize.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/evaluate.h"
#include "graph/onnx_scope.h"
#include "graph/onnx_tensor.h"
#include "schedules/operators/operator.h"

namespace whet {
namespace {

using Attr = onnx::AttributeProto;

}  // namespace

OnnxNode::OnnxNode(ImportContext& context, const onnx::NodeProto& proto,
                   std::vector<bool> outputs_used)
    : context_(context),
      proto_(proto),
      outputs_used_(std::move(outputs_used)),
      first_value_(context.graph.values.size()),
      first_node_(context.graph.nodes.size()) {
  name_ = context.prefix + PrintableName(!proto.name().empty()     ? proto.name()
                                         : proto.output_size() > 0 ? proto.output(0)
                                                                   : proto.op_type());
  for (const std::string& input : proto.input()) {
    const auto it = context.values.find(input);
    inputs_.push_back(input.empty() || it == context.values.end() ? kNoValue : it->second);
  }
}

ValueId OnnxNode::Input(int i) {
  if (HasInput(i)) return inputs_[i];
  Remember(fmt::format("input {} is missing", i));
  return kNoValue;
}

const TensorType& OnnxNode::Type(ValueId value) const {
  static const TensorType kNothing{DataType::kFloat32, {0}};
  return value == kNoValue ? kNothing : context_.graph.values[value].type;
}

const Tensor* OnnxNode::Constant(ValueId value) const {
  return value == kNoValue ? nullptr : context_.graph.values[value].constant.get();
}

const Node* OnnxNode::Producer(ValueId value) const {
  const int index = value == kNoValue ? -1 : context_.graph.Producer(value);
  return index < 0 ? nullptr : &context_.graph.nodes[static_cast<size_t>(index)];
}

Result<const Tensor*> OnnxNode::ConstantInput(int i, const char* what) {
  const ValueId input = Input(i);
  if (!problem_.empty()) return Fail(ErrorCode::kInvalidInput, "{}", problem_);
  if (const Tensor* tensor = Constant(input); tensor != nullptr) return tensor;
  const Graph& graph = context_.graph;
  std::set<ValueId> above{input};
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (above.contains(node->output)) above.insert(node->inputs.begin(), node->inputs.end());
  }
  std::vector<std::string> deciding;
  for (ValueId value : graph.inputs) {
    if (!above.contains(value)) continue;
    context_.needed.insert(graph.values[value].name);
    deciding.push_back(fmt::format("'{}'", graph.values[value].name));
  }
  if (deciding.empty()) {
    return Fail(
        ErrorCode::kUnsupported,
        "its {} must be constant, and Whet does not compute constants of this size in advance",
        what);
  }
  return Fail(ErrorCode::kUnsupported,
              "its {} must be constant, and input{} at run time: make that an initialiser "
              "(whet run also takes it from --input or --test-data)",
              what,
              deciding.size() == 1 ? fmt::format(" {} decides", deciding[0])
                                   : fmt::format("s {} decide", fmt::join(deciding, ", ")));
}

Result<std::vector<int64_t>> OnnxNode::ConstantInts(int i, const char* what) {
  ASSIGN_OR_RETURN(const Tensor* tensor, ConstantInput(i, what));
  if (tensor->dtype() != DataType::kInt64 && tensor->dtype() != DataType::kInt32) {
    return Fail(ErrorCode::kInvalidInput, "input {}, its {}, is {}, expected integers", i, what,
                ToString(tensor->type()));
  }
  if (tensor->shape().size() > 1 || tensor->count() > 4096) {
    return Fail(ErrorCode::kInvalidInput, "input {}, its {}, is {}, expected a short list", i, what,
                ToString(tensor->type()));
  }
  std::vector<int64_t> values;
  for (int64_t k = 0; k < tensor->count(); ++k) values.push_back(tensor->AsInt64(k));
  return values;
}

const onnx::AttributeProto* OnnxNode::Find(std::string_view name, int type) {
  read_.emplace(name);
  for (const Attr& attribute : proto_.attribute()) {
    if (attribute.name() != name) continue;
    if (!attribute.ref_attr_name().empty()) {
      Remember(fmt::format("attribute '{}' refers to a function's attribute", name));
      return nullptr;
    }
    if (attribute.type() == type) return &attribute;
    // Files before IR version 2 leave the type out.
    if (!attribute.has_type() || attribute.type() == Attr::UNDEFINED) {
      if ((type == Attr::INT && attribute.has_i()) || (type == Attr::FLOAT && attribute.has_f()) ||
          (type == Attr::STRING && attribute.has_s()) ||
          (type == Attr::INTS && attribute.ints_size() > 0) ||
          (type == Attr::FLOATS && attribute.floats_size() > 0)) {
        return &attribute;
      }
    }
    Remember(fmt::format("attribute '{}' is not of the kind that the operator takes", name));
    return nullptr;
  }
  return nullptr;
}

bool OnnxNode::HasAttribute(std::string_view name) {
  read_.emplace(name);
  return std::any_of(proto_.attribute().begin(), proto_.attribute().end(),
                     [&](const Attr& attribute) { return attribute.name() == name; });
}

int64_t OnnxNode::Int(std::string_view name, int64_t fallback) {
  const Attr* attribute = Find(name, Attr::INT);
  return attribute == nullptr ? fallback : attribute->i();
}

double OnnxNode::Float(std::string_view name, double fallback) {
  const Attr* attribute = Find(name, Attr::FLOAT);
  return attribute == nullptr ? fallback : attribute->f();
}

std::string OnnxNode::String(std::string_view name, std::string fallback) {
  const Attr* attribute = Find(name, Attr::STRING);
  return attribute == nullptr ? fallback : attribute->s();
}

std::vector<int64_t> OnnxNode::Ints(std::string_view name, std::vector<int64_t> fallback) {
  const Attr* attribute = Find(name, Attr::INTS);
  if (attribute == nullptr) return fallback;
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<double> OnnxNode::Floats(std::string_view name) {
  const Attr* attribute = Find(name, Attr::FLOATS);
  if (attribute == nullptr) return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

Result<std::vector<ValueId>> OnnxNode::Branch(std::string_view name) {
  const onnx::AttributeProto* attribute = Find(name, Attr::GRAPH);
  if (attribute == nullptr) {
    return Fail(ErrorCode::kInvalidInput, "attribute '{}', a graph, is missing", name);
  }
  ASSIGN_OR_RETURN(std::vector<ValueId> values,
                   ImportBranch(attribute->g(), fmt::format("{}/{}/", name_, name), &context_));
  if (static_cast<int>(values.size()) < output_count()) {
    return Fail(ErrorCode::kInvalidInput, "its {} has {}, expected {}", name,
                Counted(static_cast<int64_t>(values.size()), "output"), output_count());
  }
  return values;
}

void OnnxNode::Ignore(std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) read_.emplace(name);
}

Result<int64_t> OnnxNode::Axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank) {
    return Fail(ErrorCode::kInvalidInput, "axis {} is not one of a tensor of {}", axis,
                Counted(rank, "dimension"));
  }
  return axis < 0 ? axis + rank : axis;
}

Result<ValueId> OnnxNode::Emit(std::string op, std::vector<ValueId> inputs, Attributes attributes) {
  if (!problem_.empty()) return Fail(ErrorCode::kInvalidInput, "{}", problem_);
  const OperatorDef* def = FindOperator(op);
  if (def == nullptr) return Fail(ErrorCode::kUnsupported, "Whet has no operator {}", op);
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  if (static_cast<int>(inputs.size()) < def->min_inputs ||
      (def->max_inputs >= 0 && static_cast<int>(inputs.size()) > def->max_inputs)) {
    return Fail(ErrorCode::kInvalidInput, "has {}, which the operator does not take",
                Counted(static_cast<int64_t>(inputs.size()), "input"));
  }
  std::vector<const TensorType*> types;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == kNoValue && static_cast<int>(i) < def->min_inputs) {
      return Fail(ErrorCode::kInvalidInput, "input {} is missing", i);
    }
    types.push_back(inputs[i] == kNoValue ? nullptr : &context_.graph.values[inputs[i]].type);
  }
  ASSIGN_OR_RETURN(TensorType type, def->infer(attributes, types));
  ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(type));

  Graph& graph = context_.graph;
  // Unique until Return gives the last value the name that the file has for it.
  std::string value_name = fmt::format("{}/{}", name_, graph.values.size());
  const ValueId value = graph.AddValue(Value{value_name, std::move(type), nullptr});
  Node node{std::move(value_name), std::move(op), std::move(inputs), value, std::move(attributes)};
  // What has no elements is known, whatever it is computed from: no kernel ever meets it.
  if (bytes == 0) {
    graph.values[value].constant = std::make_shared<const Tensor>(graph.values[value].type);
    return value;
  }
  ASSIGN_OR_RETURN(std::optional<Tensor> folded, TryFold(graph, node));
  if (folded) {
    graph.values[value].constant = std::make_shared<const Tensor>(std::move(*folded));
    return value;
  }
  graph.nodes.push_back(std::move(node));
  return value;
}

Result<ValueId> OnnxNode::EmitReshape(ValueId value, Shape shape) {
  if (Type(value).shape == shape) return value;
  return Emit("Reshape", {value}, {{"shape", std::move(shape)}});
}

ValueId OnnxNode::EmitConstant(Tensor tensor) {
  return context_.graph.AddConstant(fmt::format("{}/{}", name_, context_.graph.values.size()),
                                    std::move(tensor));
}

void OnnxNode::Return(ValueId value, int i) {
  if (i >= proto_.output_size() || proto_.output(i).empty()) return;
  context_.values[proto_.output(i)] = value;
  if (value < static_cast<ValueId>(first_value_)) return;  // the value of another node, passed on
  Graph& graph = context_.graph;
  graph.values[value].name = context_.prefix + PrintableName(proto_.output(i));
  for (size_t k = first_node_; k < graph.nodes.size(); ++k) {
    if (graph.nodes[k].output == value)
      graph.nodes[k].name = i == 0 ? name_ : fmt::format("{}/{}", name_, i);
  }
}

Status OnnxNode::Finish(Status status) {
  if (!problem_.empty()) return Fail(ErrorCode::kInvalidInput, "{}", problem_);
  if (!status) return status;
  for (const Attr& attribute : proto_.attribute()) {
    // Before opset 6, a hint that an input's memory may be reused.
    if (attribute.name() == "consumed_inputs" && opset() < 6) continue;
    if (!read_.contains(attribute.name())) {
      return Fail(ErrorCode::kUnsupported,
                  "attribute '{}' is not one that Whet knows for this operator",
                  PrintableName(attribute.name()));
    }
  }
  for (int i = 0; i < output_count(); ++i) {
    if (OutputUsed(i) && !context_.values.contains(proto_.output(i))) {
      return Fail(ErrorCode::kUnsupported, "output {}, '{}', is not one that Whet computes", i,
                  PrintableName(proto_.output(i)));
    }
  }
  return {};
}

void OnnxNode::Remember(std::string message) {
  if (problem_.empty()) problem_ = std::move(message);
}

const OnnxOperator* FindOnnxOperator(std::string_view name) {
  for (const auto table :
       {ElementwiseOnnxOperators(), SpatialOnnxOperators(), ResizeOnnxOperators(),
        MatrixOnnxOperators(), ReduceOnnxOperators(), ShapeOnnxOperators(), MovementOnnxOperators(),
        ConstantOnnxOperators(), ControlOnnxOperators()}) {
    for (const OnnxOperator& op : table) {
      if (op.name == name) return &op;
    }
  }
  return nullptr;
}

Status NormalizeNode(ImportContext& context, const onnx::NodeProto& proto,
                     std::vector<bool> outputs_used) {
  if (const onnx::FunctionProto* function = FindFunction(context, proto); function != nullptr) {
    OnnxNode call(context, proto, std::move(outputs_used));
    return call.Finish(CallFunction(*function, call, &context));
  }
  if (!proto.domain().empty() && proto.domain() != "ai.onnx") {
    return Fail(ErrorCode::kUnsupported,
                "operators of the domain '{}' are not supported, only ONNX's own and functions "
                "that the model defines",
                PrintableName(proto.domain()));
  }
  if (context.opset == 0) {
    return Fail(ErrorCode::kCorrupt, "the model does not say of which opset ONNX's operators are");
  }
  const OnnxOperator* op = FindOnnxOperator(proto.op_type());
  if (op == nullptr) {
    return Fail(ErrorCode::kUnsupported, "this operator is not supported");
  }
  OnnxNode node(context, proto, std::move(outputs_used));
  return node.Finish(op->normalize(node));
}

}  // namespace whet
