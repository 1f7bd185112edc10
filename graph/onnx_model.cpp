#include "graph/onnx_model.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <set>
#include <utility>

#include "graph/onnx_tensor.h"

namespace whet {
namespace {

std::string NodeLabel(const onnx::NodeProto& node) {
  const std::string& name = !node.name().empty()     ? node.name()
                            : node.output_size() > 0 ? node.output(0)
                                                     : node.op_type();
  return fmt::format("node '{}' ({})", PrintableName(name), PrintableName(node.op_type()));
}

// What provides each name: a node's index, or -1 for an input or an initialiser.
Result<std::map<std::string, int>> Providers(const onnx::GraphProto& graph) {
  std::map<std::string, int> providers;
  std::set<std::string> inputs;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!inputs.insert(input.name()).second) {
      return Fail(ErrorCode::kCorrupt, "two inputs are named '{}'", PrintableName(input.name()));
    }
    providers[input.name()] = -1;
  }
  std::set<std::string> initializers;
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (!initializers.insert(tensor.name()).second) {
      return Fail(ErrorCode::kCorrupt, "two initialisers are named '{}'",
                  PrintableName(tensor.name()));
    }
    providers[tensor.name()] = -1;
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& output : graph.node(i).output()) {
      if (output.empty()) continue;
      if (!providers.emplace(output, i).second) {
        return Fail(ErrorCode::kCorrupt, "{} writes '{}', a name that is already taken",
                    NodeLabel(graph.node(i)), PrintableName(output));
      }
    }
  }
  for (const onnx::NodeProto& node : graph.node()) {
    for (const std::string& input : node.input()) {
      if (!input.empty() && !providers.contains(input)) {
        return Fail(ErrorCode::kCorrupt,
                    "{} reads '{}', which no node, input or initialiser provides", NodeLabel(node),
                    PrintableName(input));
      }
    }
  }
  return providers;
}

// An input's type as the file declares it; -1 for an open dimension.
struct DeclaredType {
  DataType dtype = DataType::kFloat32;
  bool has_shape = false;
  Shape dims;

  bool Open() const { return !has_shape || std::find(dims.begin(), dims.end(), -1) != dims.end(); }
  std::string ToString() const {
    if (!has_shape) return fmt::format("{} of unknown shape", Name(dtype));
    std::vector<std::string> extents;
    for (int64_t dim : dims) extents.push_back(dim < 0 ? "?" : fmt::format("{}", dim));
    return fmt::format("{}[{}]", Name(dtype),
                       extents.empty() ? "scalar" : fmt::format("{}", fmt::join(extents, "x")));
  }
  // A shape that could be meant: a batch of 1, an image of 224x224.
  std::string Example() const {
    if (!has_shape) return "1x3x224x224";
    Shape shape = dims;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] < 0) shape[d] = d == 0 ? 1 : shape.size() == 4 && d == 1 ? 3 : 224;
    }
    return whet::ToString(shape);
  }
};

Result<DeclaredType> ReadDeclared(const onnx::ValueInfoProto& input) {
  if (!input.type().has_tensor_type()) {
    return Fail(ErrorCode::kUnsupported, "input '{}' is not a tensor", PrintableName(input.name()));
  }
  const onnx::TypeProto::Tensor& type = input.type().tensor_type();
  DeclaredType declared;
  Result<DataType> dtype = DataTypeFromOnnx(type.elem_type());
  if (!dtype) {
    return Prefixed(std::move(dtype).error(),
                    fmt::format("input '{}'", PrintableName(input.name())));
  }
  declared.dtype = *dtype;
  declared.has_shape = type.has_shape();
  for (const auto& dim : type.shape().dim()) {
    // Exporters write 0 and negative numbers for dimensions that they leave open.
    declared.dims.push_back(dim.has_dim_value() && dim.dim_value() > 0 ? dim.dim_value() : -1);
  }
  return declared;
}

// The declared type with the shape that the user gave.
Result<TensorType> FitShape(const std::string& name, const DeclaredType& declared,
                            const Shape& shape) {
  bool fits = !declared.has_shape || declared.dims.size() == shape.size();
  for (size_t d = 0; fits && d < declared.dims.size(); ++d) {
    fits = declared.dims[d] < 0 || declared.dims[d] == shape[d];
  }
  if (!fits || std::any_of(shape.begin(), shape.end(), [](int64_t extent) { return extent < 1; })) {
    return Fail(ErrorCode::kInvalidInput, "shape {} does not fit input '{}', which is {}",
                ToString(shape), PrintableName(name), declared.ToString());
  }
  const TensorType type{declared.dtype, shape};
  RETURN_IF_ERROR(CheckedBytes(type));
  return type;
}

}  // namespace

Result<onnx::ModelProto> ParseModel(std::string_view bytes) {
  if (bytes.empty()) return Fail(ErrorCode::kCorrupt, "the file is empty, expected an ONNX model");
  if (bytes.size() > INT32_MAX) {
    return Fail(ErrorCode::kUnsupported,
                "the file is larger than 2 GiB, the most that ONNX allows without external data");
  }
  onnx::ModelProto model;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetTotalBytesLimit(INT32_MAX);
  if (!model.ParsePartialFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return Fail(ErrorCode::kCorrupt, "not an ONNX model, or only a part of one");
  }
  if (!model.has_graph() || model.opset_import_size() == 0) {
    return Fail(ErrorCode::kCorrupt, "not an ONNX model, or only a part of one: it has no {}",
                model.has_graph() ? "opset" : "graph");
  }
  return model;
}

Result<int64_t> OpsetOf(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
    if (opset.version() < kOldestOpset || opset.version() > kNewestOpset) {
      return Fail(ErrorCode::kUnsupported, "it is written in opset {}, Whet reads {} to {}",
                  opset.version(), kOldestOpset, kNewestOpset);
    }
    return opset.version();
  }
  return Fail(ErrorCode::kUnsupported,
              "it does not use ONNX's own operators: its opset is of the domain '{}'",
              PrintableName(model.opset_import(0).domain()));
}

Result<std::vector<int>> NodeOrder(const onnx::GraphProto& graph) {
  ASSIGN_OR_RETURN(const auto providers, Providers(graph));
  enum class Mark : char { kNew, kOpen, kDone };
  std::vector<Mark> marks(graph.node_size(), Mark::kNew);
  std::vector<int> order;
  // Depth first from the outputs, with an explicit stack: a long chain must not exhaust the call
  // stack.
  for (const onnx::ValueInfoProto& output : graph.output()) {
    const auto root = providers.find(output.name());
    if (root == providers.end()) {
      return Fail(ErrorCode::kCorrupt, "output '{}' is provided by no node, input or initialiser",
                  PrintableName(output.name()));
    }
    if (root->second < 0 || marks[root->second] != Mark::kNew) continue;
    std::vector<std::pair<int, int>> stack{{root->second, 0}};
    marks[root->second] = Mark::kOpen;
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next == graph.node(node).input_size()) {
        marks[node] = Mark::kDone;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      const std::string& input = graph.node(node).input(next++);
      const int provider = input.empty() ? -1 : providers.at(input);
      if (provider < 0 || marks[provider] == Mark::kDone) continue;
      if (marks[provider] == Mark::kOpen) {
        return Fail(ErrorCode::kCorrupt, "{} reads '{}', which depends on the node itself: a cycle",
                    NodeLabel(graph.node(node)), PrintableName(input));
      }
      marks[provider] = Mark::kOpen;
      stack.emplace_back(provider, 0);
    }
  }
  // Keep the file's order where it is one: people read it beside the model.
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  const bool file_order_works = std::all_of(sorted.begin(), sorted.end(), [&](int node) {
    return std::all_of(
        graph.node(node).input().begin(), graph.node(node).input().end(),
        [&](const std::string& input) { return input.empty() || providers.at(input) < node; });
  });
  return file_order_works ? sorted : order;
}

Result<std::vector<NamedType>> InputTypes(const onnx::GraphProto& graph,
                                          const ImportOptions& options) {
  std::set<std::string> fixed;
  for (const onnx::TensorProto& tensor : graph.initializer()) fixed.insert(tensor.name());
  std::vector<std::string> listing;  // of inputs, for messages
  std::vector<std::pair<std::string, DeclaredType>> open;
  std::vector<NamedType> types;
  std::set<std::string> known;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (fixed.contains(input.name())) continue;  // before IR version 4 initialisers are inputs, too
    ASSIGN_OR_RETURN(const DeclaredType declared, ReadDeclared(input));
    known.insert(input.name());
    listing.push_back(fmt::format("{}: {}", PrintableName(input.name()), declared.ToString()));
    if (const auto bound = options.constants.find(input.name()); bound != options.constants.end()) {
      if (bound->second.dtype() != declared.dtype) {
        return Fail(
            ErrorCode::kInvalidInput, "the constant {} does not fit input '{}', which is {}",
            ToString(bound->second.type()), PrintableName(input.name()), declared.ToString());
      }
    } else if (const auto given = options.shapes.find(input.name());
               given != options.shapes.end()) {
      ASSIGN_OR_RETURN(TensorType type, FitShape(input.name(), declared, given->second));
      types.push_back({input.name(), std::move(type)});
    } else if (declared.Open()) {
      open.emplace_back(input.name(), declared);
    } else {
      const TensorType type{declared.dtype, declared.dims};
      Result<int64_t> bytes = CheckedBytes(type);
      if (!bytes) {
        return Prefixed(std::move(bytes).error(),
                        fmt::format("input '{}'", PrintableName(input.name())));
      }
      types.push_back({input.name(), type});
    }
  }
  const auto check = [&](const std::string& name) -> Status {
    if (known.contains(name)) return {};
    return Fail(ErrorCode::kInvalidInput, "the model has no input '{}', its inputs are {}",
                PrintableName(name), fmt::join(listing, ", "));
  };
  for (const auto& [name, shape] : options.shapes) RETURN_IF_ERROR(check(name));
  for (const auto& [name, tensor] : options.constants) RETURN_IF_ERROR(check(name));
  if (!open.empty()) {
    const auto& [name, declared] = open.front();
    return Fail(
        ErrorCode::kInvalidInput,
        "the shape of input '{}' is open (inputs: {}): give a number for each ?, for example "
        "--shape {}={}",
        PrintableName(name), fmt::join(listing, ", "), PrintableName(name), declared.Example());
  }
  return types;
}

}  // namespace whet
