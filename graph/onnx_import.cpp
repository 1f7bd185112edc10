#include "graph/onnx_import.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>
#include <utility>

#include "base/file.h"
#include "graph/onnx_inputs.h"
#include "graph/onnx_model.h"
#include "graph/onnx_normalize.h"
#include "graph/onnx_scope.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

// Initialisers become constants; their bytes leave the protobuf, so that they are in memory once.
Status AddInitializers(onnx::GraphProto* proto, ImportContext* context) {
  if (proto->sparse_initializer_size() > 0) {
    return Fail(ErrorCode::kUnsupported, "sparse initialisers are not supported");
  }
  for (onnx::TensorProto& initializer : *proto->mutable_initializer()) {
    RETURN_IF_ERROR(AddInitializer(initializer, context));
    initializer.clear_raw_data();
    initializer.clear_float_data();
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

// `needed`: the inputs that decide what has to be known in advance, where that is the error.
Result<Graph> ImportModel(std::string_view bytes, const fs::path& folder,
                          const ImportOptions& options, std::set<std::string>* needed) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, ParseModel(bytes));
  ImportContext context;
  context.folder = folder;
  ASSIGN_OR_RETURN(context.opset, OpsetOf(model.opset_import()));
  context.functions = &model.functions();
  onnx::GraphProto* proto = model.mutable_graph();
  if (proto->output_size() == 0) return Fail(ErrorCode::kCorrupt, "the model has no outputs");
  NodeScope scope{&proto->node(), {}, {}};
  ASSIGN_OR_RETURN(scope.given, GivenNames(*proto));
  std::set<std::string> output_names;
  for (const onnx::ValueInfoProto& output : proto->output()) {
    if (!output_names.insert(output.name()).second) {
      return Fail(ErrorCode::kCorrupt, "two outputs are named '{}'", PrintableName(output.name()));
    }
    scope.outputs.push_back(output.name());
  }
  context.graph.name = PrintableName(proto->name());
  ASSIGN_OR_RETURN(const std::vector<ImportedInput> inputs, ImportedInputs(*proto, options));
  for (const ImportedInput& input : inputs) {
    ValueId& value = context.values[input.onnx_name];
    if (input.constant != nullptr) {
      value = context.graph.AddConstant(input.name, *input.constant);
    } else {
      value = context.graph.AddValue(Value{input.name, input.type, nullptr});
      context.graph.inputs.push_back(value);
      // Without elements there is nothing to wait for: nodes read a constant.
      if (input.type.bytes() == 0)
        value = context.graph.AddConstant(input.name, Tensor(input.type));
    }
  }
  RETURN_IF_ERROR(AddInitializers(proto, &context));
  if (Status status = AddNodes(scope, &context); !status) {
    *needed = std::move(context.needed);
    return tl::unexpected<Error>(std::move(status).error());
  }
  AddOutputs(*proto, &context);
  RETURN_IF_ERROR(context.graph.Compact());
  RETURN_IF_ERROR(context.graph.Verify());
  return std::move(context.graph);
}

// As ImportModel does, with those of the options' values as constants that turn out to be needed.
Result<Graph> ImportWithValues(std::string_view bytes, const fs::path& folder,
                               ImportOptions options) {
  while (true) {
    std::set<std::string> needed;
    Result<Graph> graph = ImportModel(bytes, folder, options, &needed);
    bool more = false;
    for (const std::string& name : needed) {
      const auto value = options.values.find(name);
      if (graph || value == options.values.end()) continue;
      more |= options.constants.emplace(name, value->second).second;
    }
    if (!more) return graph;
  }
}

Result<Graph> Labelled(std::string_view bytes, const std::string& label, const fs::path& folder,
                       const ImportOptions& options) {
  try {
    Result<Graph> graph = ImportWithValues(bytes, folder, options);
    if (!graph) return Prefixed(std::move(graph).error(), label);
    return graph;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kFailed, "{}: not enough memory to import it", label);
  }
}

}  // namespace

Result<std::vector<ModelInput>> ListInputs(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  try {
    Result<onnx::ModelProto> model = ParseModel(bytes);
    if (!model) return Prefixed(std::move(model).error(), path);
    Result<std::vector<ModelInput>> inputs = DeclaredInputs(model->graph());
    if (!inputs) return Prefixed(std::move(inputs).error(), path);
    return inputs;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kFailed, "{}: not enough memory to read it", path);
  }
}

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
