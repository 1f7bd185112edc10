#include "graph/onnx_model.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <map>
#include <utility>

#include "graph/onnx_tensor.h"

namespace whet {
namespace {

// Which node provides each name; -1: an input or an initialiser.
Result<std::map<std::string, int>> Providers(
    const NodeScope& scope, const std::function<bool(const std::string&)>& outside) {
  std::map<std::string, int> providers;
  for (const std::string& name : scope.given) providers[name] = -1;
  for (int i = 0; i < scope.nodes->size(); ++i) {
    const onnx::NodeProto& node = scope.nodes->Get(i);
    for (const std::string& output : node.output()) {
      if (output.empty()) continue;
      if (!providers.emplace(output, i).second) {
        return Fail(ErrorCode::kCorrupt, "{} writes '{}', a name that is already taken",
                    NodeLabel(node), PrintableName(output));
      }
    }
  }
  for (const onnx::NodeProto& node : *scope.nodes) {
    for (const std::string& name : ReadNames(node)) {
      if (providers.contains(name)) continue;
      if (!outside(name)) {
        return Fail(ErrorCode::kCorrupt,
                    "{} reads '{}', which no node, input or initialiser provides", NodeLabel(node),
                    PrintableName(name));
      }
      providers[name] = -1;
    }
  }
  return providers;
}

// Appends what `graph`, a branch, reads from outside.
void AppendOutsideNames(const onnx::GraphProto& graph, std::vector<std::string>* names) {
  std::set<std::string> inside;
  for (const onnx::ValueInfoProto& input : graph.input()) inside.insert(input.name());
  for (const onnx::TensorProto& tensor : graph.initializer()) inside.insert(tensor.name());
  for (const onnx::NodeProto& node : graph.node())
    inside.insert(node.output().begin(), node.output().end());
  for (const onnx::NodeProto& node : graph.node()) {
    for (std::string& name : ReadNames(node)) {
      if (!inside.contains(name)) names->push_back(std::move(name));
    }
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    if (!inside.contains(output.name())) names->push_back(output.name());
  }
}

}  // namespace

std::string NodeLabel(const onnx::NodeProto& node) {
  const std::string& name = !node.name().empty()     ? node.name()
                            : node.output_size() > 0 ? node.output(0)
                                                     : node.op_type();
  return fmt::format("node '{}' ({})", PrintableName(name), PrintableName(node.op_type()));
}

std::vector<std::string> ReadNames(const onnx::NodeProto& node) {
  std::vector<std::string> names;
  for (const std::string& input : node.input()) {
    if (!input.empty()) names.push_back(input);
  }
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.has_g()) AppendOutsideNames(attribute.g(), &names);
    for (const onnx::GraphProto& graph : attribute.graphs()) AppendOutsideNames(graph, &names);
  }
  return names;
}

Result<std::set<std::string>> GivenNames(const onnx::GraphProto& graph) {
  std::set<std::string> inputs, initializers;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!inputs.insert(input.name()).second) {
      return Fail(ErrorCode::kCorrupt, "two inputs are named '{}'", PrintableName(input.name()));
    }
  }
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (!initializers.insert(tensor.name()).second) {
      return Fail(ErrorCode::kCorrupt, "two initialisers are named '{}'",
                  PrintableName(tensor.name()));
    }
  }
  inputs.merge(initializers);
  return inputs;
}

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

Result<int64_t> OpsetOf(const OpsetImports& imports) {
  for (const onnx::OperatorSetIdProto& opset : imports) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
    if (opset.version() < kOldestOpset || opset.version() > kNewestOpset) {
      return Fail(ErrorCode::kUnsupported, "it is written in opset {}, Whet reads {} to {}",
                  opset.version(), kOldestOpset, kNewestOpset);
    }
    return opset.version();
  }
  return 0;
}

Result<std::vector<int>> NodeOrder(const NodeScope& scope,
                                   const std::function<bool(const std::string&)>& outside) {
  ASSIGN_OR_RETURN(const auto providers, Providers(scope, outside));
  const int count = scope.nodes->size();
  std::vector<std::vector<std::string>> reads(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) reads[i] = ReadNames(scope.nodes->Get(i));
  enum class Mark : char { kNew, kOpen, kDone };
  std::vector<Mark> marks(static_cast<size_t>(count), Mark::kNew);
  std::vector<int> order;
  // Depth first from the outputs, with an explicit stack: a long chain must not exhaust the call
  // stack.
  for (const std::string& output : scope.outputs) {
    const auto root = providers.find(output);
    if (root == providers.end()) {
      if (outside(output)) continue;
      return Fail(ErrorCode::kCorrupt, "output '{}' is provided by no node, input or initialiser",
                  PrintableName(output));
    }
    if (root->second < 0 || marks[root->second] != Mark::kNew) continue;
    std::vector<std::pair<int, size_t>> stack{{root->second, 0}};
    marks[root->second] = Mark::kOpen;
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next == reads[node].size()) {
        marks[node] = Mark::kDone;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      const std::string& name = reads[node][next++];
      const int provider = providers.at(name);
      if (provider < 0 || marks[provider] == Mark::kDone) continue;
      if (marks[provider] == Mark::kOpen) {
        return Fail(ErrorCode::kCorrupt, "{} reads '{}', which depends on the node itself: a cycle",
                    NodeLabel(scope.nodes->Get(node)), PrintableName(name));
      }
      marks[provider] = Mark::kOpen;
      stack.emplace_back(provider, 0);
    }
  }
  // Keep the file's order where it is one: people read it beside the model.
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  const bool file_order_works = std::all_of(sorted.begin(), sorted.end(), [&](int node) {
    return std::all_of(reads[node].begin(), reads[node].end(),
                       [&](const std::string& name) { return providers.at(name) < node; });
  });
  return file_order_works ? sorted : order;
}

}  // namespace whet
