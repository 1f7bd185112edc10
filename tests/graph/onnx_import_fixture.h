// Models for tests of the import: made, imported and run.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/evaluate.h"
#include "graph/onnx_import.h"
#include "tests/graph/graph_fixture.h"
#include "tests/graph/onnx_model_builder.h"

namespace whet {

inline std::string ErrorOf(const OnnxModelBuilder& builder, const ImportOptions& options = {}) {
  const Result<Graph> graph = ImportOnnx(builder.Bytes(), "m.onnx", options);
  return graph ? "no error" : graph.error().message;
}

inline Graph Import(const OnnxModelBuilder& builder, const ImportOptions& options = {}) {
  Result<Graph> graph = ImportOnnx(builder.Bytes(), "m.onnx", options);
  EXPECT_TRUE(graph) << graph.error().message;
  return graph ? *graph : Graph{};
}

// The output for inputs 0, 1, 2, ..
inline std::vector<float> RunOnCounting(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (ValueId input : graph.inputs) {
    Tensor tensor(graph.values[input].type);
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.data<float>()[i] = static_cast<float>(i);
    inputs.push_back(std::move(tensor));
  }
  Result<std::vector<Tensor>> outputs = Evaluate(graph, Pointers(inputs));
  EXPECT_TRUE(outputs) << outputs.error().message;
  if (!outputs) return {};
  const Tensor& tensor = outputs->front();
  return std::vector<float>(tensor.data<float>(), tensor.data<float>() + tensor.count());
}

inline OnnxModelBuilder OneNode(int64_t opset, const std::string& op, const Shape& shape,
                                std::vector<std::string> more_inputs = {}) {
  OnnxModelBuilder builder(opset);
  more_inputs.insert(more_inputs.begin(), "x");
  builder.Input("x", shape).Node(op, more_inputs, {"y"}).Output("y");
  return builder;
}

}  // namespace whet
