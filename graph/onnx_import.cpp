#include "graph/onnx_import.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>
#include <utility>

#include "base/file.h"
#include "graph/onnx_model.h"
#include "graph/onnx_normalize.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

// Initialisers become constants; their bytes leave the protobuf, so that they are in memory once.
Status AddInitializers(onnx::GraphProto* proto, const ImportOptions& options,
                       ImportContext* context) {
  if (proto->sparse_initializer_size() > 0) {
    return Fail(ErrorCode::kUnsupported, "sparse initialisers are not supported");
  }
  for (onnx::TensorProto& initializer : *proto->mutable_initializer()) {
    const std::string name = PrintableName(initializer.name());
    Result<Tensor> tensor = TensorFromProto(initializer, context->folder);
    if (!tensor) return Prefixed(std::move(tensor).error(), fmt::format("initialiser '{}'", name));
    initializer.clear_raw_data();
    initializer.clear_float_data();
    context->values[initializer.name()] = context->graph.AddConstant(name, *std::move(tensor));
  }
  for (const auto& [name, tensor] : options.constants) {
    context->values[name] = context->graph.AddConstant(PrintableName(name), tensor);
  }
  return {};
}

Status AddNodes(const onnx::GraphProto& proto, ImportContext* context) {
  ASSIGN_OR_RETURN(const std::vector<int> order, NodeOrder(proto));
  std::set<std::string> used;
  for (const onnx::NodeProto& node : proto.node())
    used.insert(node.input().begin(), node.input().end());
  for (const onnx::ValueInfoProto& output : proto.output()) used.insert(output.name());
  for (int i : order) {
    const onnx::NodeProto& node = proto.node(i);
    std::vector<bool> outputs_used;
    for (const std::string& output : node.output()) {
      outputs_used.push_back(!output.empty() && used.contains(output));
    }
    if (Status status = NormalizeNode(*context, node, std::move(outputs_used)); !status) {
      const std::string& name = node.name().empty() ? node.output(0) : node.name();
      return Prefixed(std::move(status).error(), fmt::format("node '{}' ({})", PrintableName(name),
                                                             PrintableName(node.op_type())));
    }
  }
  return {};
}

// Each output is a value of its own, with ONNX's name: one that is an input, a shared constant or
// another output is copied by a Reshape to its own shape.
void AddOutputs(const onnx::GraphProto& proto, ImportContext* context) {
  Graph& graph = context->graph;
  for (const onnx::ValueInfoProto& output : proto.output()) {
    const ValueId value = context->values.at(output.name());
    const std::string name = PrintableName(output.name());
    const bool is_input =
        std::find(graph.inputs.begin(), graph.inputs.end(), value) != graph.inputs.end();
    if (graph.values[value].constant != nullptr) {
      Value copy = graph.values[value];
      copy.name = name;
      graph.outputs.push_back(graph.AddValue(std::move(copy)));
    } else if (is_input || graph.IsOutput(value)) {
      const TensorType type = graph.values[value].type;
      const ValueId copy = graph.AddValue(Value{name, type, nullptr});
      graph.nodes.push_back(Node{name, "Reshape", {value}, copy, {{"shape", type.shape}}});
      graph.outputs.push_back(copy);
    } else {
      graph.values[value].name = name;
      graph.outputs.push_back(value);
    }
  }
}

Result<Graph> ImportModel(std::string_view bytes, const fs::path& folder,
                          const ImportOptions& options) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, ParseModel(bytes));
  ImportContext context;
  context.folder = folder;
  ASSIGN_OR_RETURN(context.opset, OpsetOf(model));
  onnx::GraphProto* proto = model.mutable_graph();
  if (proto->output_size() == 0) return Fail(ErrorCode::kCorrupt, "the model has no outputs");
  std::set<std::string> output_names;
  for (const onnx::ValueInfoProto& output : proto->output()) {
    if (!output_names.insert(output.name()).second) {
      return Fail(ErrorCode::kCorrupt, "two outputs are named '{}'", PrintableName(output.name()));
    }
  }
  context.graph.name = PrintableName(proto->name());
  ASSIGN_OR_RETURN(const std::vector<NamedType> inputs, InputTypes(*proto, options));
  for (const NamedType& input : inputs) {
    const ValueId value =
        context.graph.AddValue(Value{PrintableName(input.name), input.type, nullptr});
    context.values[input.name] = value;
    context.graph.inputs.push_back(value);
  }
  RETURN_IF_ERROR(AddInitializers(proto, options, &context));
  RETURN_IF_ERROR(AddNodes(*proto, &context));
  AddOutputs(*proto, &context);
  RETURN_IF_ERROR(context.graph.Compact());
  RETURN_IF_ERROR(context.graph.Verify());
  return std::move(context.graph);
}

Result<Graph> Labelled(std::string_view bytes, const std::string& label, const fs::path& folder,
                       const ImportOptions& options) {
  try {
    Result<Graph> graph = ImportModel(bytes, folder, options);
    if (!graph) return Prefixed(std::move(graph).error(), label);
    return graph;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kFailed, "{}: not enough memory to import it", label);
  }
}

}  // namespace

Result<Graph> ImportOnnxFile(const std::string& path, const ImportOptions& options) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  const fs::path folder = fs::path(path).parent_path();
  return Labelled(bytes, path, folder.empty() ? fs::path(".") : folder, options);
}

Result<Graph> ImportOnnx(std::string_view bytes, const std::string& label,
                         const ImportOptions& options) {
  return Labelled(bytes, label, {}, options);
}

}  // namespace whet
