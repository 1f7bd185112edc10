// ONNX's own test cases: a folder with model.onnx and test_data_set_0/{input,output}_I.pb.
//
// LoadOnnxCase imports the model with its inputs at hand: integer inputs that must be static (the
// shape of a Reshape, the bounds of a Slice) are bound to the case's tensors, and so are the scales
// and the crop of a Resize and the value of a Pad. A case is covered if
// Whet imports all of its operators, and its inputs and outputs are dense tensors
// of the types that Whet computes with.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "graph/graph.h"
#include "graph/onnx_import.h"
#include "graph/onnx_normalize.h"
#include "graph/tensor_io.h"
#include "onnx.pb.h"

namespace whet {

struct OnnxCase {
  std::string name;
  Graph graph;
  std::vector<Tensor> inputs;    // one an input of the graph
  std::vector<Tensor> expected;  // one an output of the graph
};

// Names of the case folders under `root`, sorted.
inline Result<std::vector<std::string>> ListOnnxCases(const std::filesystem::path& root) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    if (std::filesystem::exists(entry.path() / "model.onnx"))
      names.push_back(entry.path().filename().string());
  }
  if (error) return Fail(ErrorCode::kIo, "cannot list {}: {}", root.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

// Why Whet does not cover the model; empty if it does.
inline std::string WhyNotCovered(const onnx::GraphProto& graph) {
  for (const auto* values : {&graph.input(), &graph.output()}) {
    for (const onnx::ValueInfoProto& value : *values) {
      // Operators compute f32; the others carry shapes and indices.
      const int type = value.type().has_tensor_type() ? value.type().tensor_type().elem_type() : 0;
      if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::INT32 &&
          type != onnx::TensorProto::INT64 && type != onnx::TensorProto::BOOL) {
        return fmt::format("'{}' is of ONNX's element type {}", value.name(), type);
      }
    }
  }
  for (const onnx::NodeProto& node : graph.node()) {
    if (!node.domain().empty() || FindOnnxOperator(node.op_type()) == nullptr) {
      return "operator " + node.op_type();
    }
  }
  return "";
}

inline Result<std::vector<Tensor>> ReadCaseTensors(const std::filesystem::path& folder,
                                                   const std::string& kind, int count) {
  std::vector<Tensor> tensors;
  for (int i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Tensor tensor,
                     ReadTensorFile((folder / fmt::format("{}_{}.pb", kind, i)).string()));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// kNotFound where Whet does not cover the case; every other error is the importer's.
inline Result<OnnxCase> LoadOnnxCase(const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(folder / "model.onnx"));
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes))
    return Fail(ErrorCode::kCorrupt, "{} is damaged", folder.string());
  if (const std::string why = WhyNotCovered(model.graph()); !why.empty()) {
    return Fail(ErrorCode::kNotFound, "{} is not covered: {}", folder.filename().string(), why);
  }
  const std::filesystem::path data = folder / "test_data_set_0";
  OnnxCase loaded;
  loaded.name = folder.filename().string();
  ASSIGN_OR_RETURN(std::vector<Tensor> inputs,
                   ReadCaseTensors(data, "input", model.graph().input_size()));
  ASSIGN_OR_RETURN(loaded.expected, ReadCaseTensors(data, "output", model.graph().output_size()));
  ImportOptions options;
  for (int i = 0; i < model.graph().input_size(); ++i) {
    const auto& dims = model.graph().input(i).type().tensor_type().shape().dim();
    const bool open =
        std::any_of(dims.begin(), dims.end(), [](const auto& dim) { return dim.dim_value() < 1; });
    if (open) options.shapes[model.graph().input(i).name()] = inputs[i].shape();
  }
  Result<Graph> graph = ImportOnnx(bytes, loaded.name, options);
  if (!graph) {
    for (int i = 0; i < model.graph().input_size(); ++i) {
      const std::string& input = model.graph().input(i).name();
      const bool parameter = input == "scales" || input == "value" || input == "roi";
      if (inputs[i].dtype() == DataType::kFloat32 && !parameter) continue;
      options.shapes.erase(model.graph().input(i).name());
      options.constants[model.graph().input(i).name()] = inputs[i];
    }
    graph = ImportOnnx(bytes, loaded.name, options);
  }
  ASSIGN_OR_RETURN(loaded.graph, std::move(graph));
  for (ValueId value : loaded.graph.inputs) {
    for (int i = 0; i < model.graph().input_size(); ++i) {
      if (model.graph().input(i).name() == loaded.graph.values[value].name)
        loaded.inputs.push_back(inputs[i]);
    }
  }
  return loaded;
}

}  // namespace whet
