#include "graph/onnx_scope.h"

#include <algorithm>
#include <set>
#include <utility>

#include "graph/onnx_tensor.h"

namespace whet {
namespace {

constexpr int kDeepestScope = 32;          // functions and branches in one another
constexpr int64_t kMostNodes = 1'000'000;  // a few functions that call each other make any number

// A scope of its own for names, and what is restored in the end.
class InnerScope {
 public:
  InnerScope(ImportContext* context, std::string prefix)
      : context_(context),
        values_(context->values),
        prefix_(std::exchange(context->prefix, std::move(prefix))),
        opset_(context->opset) {
    ++context->depth;
  }
  InnerScope(const InnerScope&) = delete;
  InnerScope& operator=(const InnerScope&) = delete;
  ~InnerScope() {
    context_->values = std::move(values_);
    context_->prefix = std::move(prefix_);
    context_->opset = opset_;
    --context_->depth;
  }

 private:
  ImportContext* context_;
  std::map<std::string, ValueId> values_;
  std::string prefix_;
  int64_t opset_;
};

Status CheckDepth(const ImportContext& context) {
  if (context.depth < kDeepestScope) return {};
  return Fail(ErrorCode::kUnsupported, "functions and branches are nested more than {} deep",
              kDeepestScope);
}

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using NamedAttributes = std::map<std::string, const onnx::AttributeProto*>;

// Attributes that refer to those of the function get their values; those that the call leaves out
// go.
void Substitute(const NamedAttributes& values, onnx::NodeProto* node) {
  google::protobuf::RepeatedPtrField<onnx::AttributeProto> attributes;
  attributes.Swap(node->mutable_attribute());
  for (onnx::AttributeProto& attribute : attributes) {
    if (attribute.ref_attr_name().empty()) {
      if (attribute.has_g()) {
        for (onnx::NodeProto& inner : *attribute.mutable_g()->mutable_node())
          Substitute(values, &inner);
      }
      *node->add_attribute() = std::move(attribute);
    } else if (const auto value = values.find(attribute.ref_attr_name()); value != values.end()) {
      onnx::AttributeProto* added = node->add_attribute();
      *added = *value->second;
      added->set_name(attribute.name());
    }
  }
}

Result<Nodes> BodyOf(const onnx::FunctionProto& function, const onnx::NodeProto& call) {
  NamedAttributes values;
  std::set<std::string> known(function.attribute().begin(), function.attribute().end());
  for (const onnx::AttributeProto& fallback : function.attribute_proto()) {
    known.insert(fallback.name());
    values[fallback.name()] = &fallback;
  }
  for (const onnx::AttributeProto& attribute : call.attribute()) {
    if (!known.contains(attribute.name())) {
      return Fail(ErrorCode::kInvalidInput, "the function has no attribute '{}'",
                  PrintableName(attribute.name()));
    }
    values[attribute.name()] = &attribute;
  }
  Nodes nodes = function.node();
  for (onnx::NodeProto& node : nodes) Substitute(values, &node);
  return nodes;
}

std::string OwnDomain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

}  // namespace

Status AddInitializer(const onnx::TensorProto& initializer, ImportContext* context) {
  const std::string name = PrintableName(initializer.name());
  Result<Tensor> tensor = TensorFromProto(initializer, context->folder);
  if (!tensor) return Prefixed(std::move(tensor).error(), fmt::format("initialiser '{}'", name));
  context->values[initializer.name()] = context->graph.AddConstant(name, *std::move(tensor));
  return {};
}

Status AddNodes(const NodeScope& scope, ImportContext* context) {
  ASSIGN_OR_RETURN(const std::vector<int> order, NodeOrder(scope, [&](const std::string& name) {
                     return context->values.contains(name);
                   }));
  std::set<std::string> used(scope.outputs.begin(), scope.outputs.end());
  for (const onnx::NodeProto& node : *scope.nodes) {
    for (std::string& name : ReadNames(node)) used.insert(std::move(name));
  }
  for (int i : order) {
    const onnx::NodeProto& node = scope.nodes->Get(i);
    if (++context->node_count > kMostNodes) {
      return Fail(ErrorCode::kUnsupported, "the model has more than {} nodes", kMostNodes);
    }
    std::vector<bool> outputs_used;
    for (const std::string& output : node.output()) {
      outputs_used.push_back(!output.empty() && used.contains(output));
    }
    if (Status status = NormalizeNode(*context, node, std::move(outputs_used)); !status)
      return Prefixed(std::move(status).error(), NodeLabel(node));
  }
  return {};
}

const onnx::FunctionProto* FindFunction(const ImportContext& context, const onnx::NodeProto& call) {
  if (context.functions == nullptr) return nullptr;
  for (const onnx::FunctionProto& function : *context.functions) {
    if (function.name() == call.op_type() && function.overload() == call.overload() &&
        OwnDomain(function.domain()) == OwnDomain(call.domain())) {
      return &function;
    }
  }
  return nullptr;
}

Status CallFunction(const onnx::FunctionProto& function, OnnxNode& call, ImportContext* context) {
  RETURN_IF_ERROR(CheckDepth(*context));
  const onnx::NodeProto& proto = call.proto();
  if (call.input_count() > function.input_size() || call.output_count() > function.output_size()) {
    return Fail(ErrorCode::kInvalidInput, "it has {} and {}, and the function {} and {}",
                Counted(call.input_count(), "input"), Counted(call.output_count(), "output"),
                function.input_size(), function.output_size());
  }
  ASSIGN_OR_RETURN(const Nodes nodes, BodyOf(function, proto));
  ASSIGN_OR_RETURN(const int64_t opset, OpsetOf(function.opset_import()));
  NodeScope scope{&nodes, {}, {}};
  std::map<std::string, ValueId> values;
  for (int i = 0; i < function.input_size(); ++i) {
    if (!scope.given.insert(function.input(i)).second) {
      return Fail(ErrorCode::kCorrupt, "two inputs of the function are named '{}'",
                  PrintableName(function.input(i)));
    }
    values[function.input(i)] = call.OptionalInput(i);
  }
  for (int i = 0; i < call.output_count(); ++i) {
    if (call.OutputUsed(i)) scope.outputs.push_back(function.output(i));
  }
  std::map<int, ValueId> outputs;
  {
    const InnerScope inner(context, call.name() + "/");
    context->values = std::move(values);
    if (opset != 0) context->opset = opset;
    RETURN_IF_ERROR(AddNodes(scope, context));
    for (int i = 0; i < call.output_count(); ++i) {
      if (call.OutputUsed(i)) outputs[i] = context->values.at(function.output(i));
    }
  }
  for (const auto& [i, value] : outputs) {
    if (value == kNoValue) {
      return Fail(ErrorCode::kInvalidInput, "output {} is an input of the function that is missing",
                  i);
    }
    call.Return(value, i);
  }
  for (const onnx::AttributeProto& attribute : proto.attribute()) call.Ignore({attribute.name()});
  return {};
}

Result<std::vector<ValueId>> ImportBranch(const onnx::GraphProto& branch, const std::string& prefix,
                                          ImportContext* context) {
  RETURN_IF_ERROR(CheckDepth(*context));
  if (branch.input_size() > 0 || branch.sparse_initializer_size() > 0) {
    return Fail(ErrorCode::kUnsupported, "its branch '{}' has inputs or sparse initialisers",
                PrintableName(branch.name()));
  }
  NodeScope scope{&branch.node(), {}, {}};
  ASSIGN_OR_RETURN(scope.given, GivenNames(branch));
  for (const onnx::ValueInfoProto& output : branch.output()) scope.outputs.push_back(output.name());
  const InnerScope inner(context, prefix);
  for (const onnx::TensorProto& initializer : branch.initializer())
    RETURN_IF_ERROR(AddInitializer(initializer, context));
  RETURN_IF_ERROR(AddNodes(scope, context));
  std::vector<ValueId> outputs;
  for (const std::string& name : scope.outputs) outputs.push_back(context->values.at(name));
  return outputs;
}

}  // namespace whet
