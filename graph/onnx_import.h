// ONNX files to graphs: parsing, opset normalisation, shape inference and folding of shape
// arithmetic.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "graph/graph.h"

namespace whet {

// An input as the file declares it.
struct ModelInput {
  std::string name;  // the file's; bytes that are not UTF-8 are '?' here and in the graph
  DataType dtype = DataType::kFloat32;
  bool has_shape = false;  // else not even the number of dimensions is known
  Shape dims;              // -1: left open; 0: left open by exporters, or meant

  bool Open() const;             // a static shape must be given
  std::string ToString() const;  // "f32[?x3x?x?]"
};

struct ImportOptions {
  // Static shapes of inputs that the file leaves open, by input name: --shape x=1x3x48x192.
  std::map<std::string, Shape> shapes;
  // Inputs whose value is known, by name: they become constants. For models that take what must be
  // static, such as the shape of a Reshape, as an input.
  std::map<std::string, Tensor> constants;
  // Values that inputs will have when the network runs, by name. Those become constants, too, that
  // a node needs to know in advance; the others stay inputs.
  std::map<std::string, Tensor> values;
};

// The inputs that are no initialisers, in the file's order: input_J.pb of test data is the J-th.
// Errors are one sentence with the file.
Result<std::vector<ModelInput>> ListInputs(const std::string& path);

// Errors are one sentence with the file, and the node and operator where there is one.
Result<Graph> ImportOnnxFile(const std::string& path, const ImportOptions& options = {});
// The same from bytes; `label` stands for the file in messages.
Result<Graph> ImportOnnx(std::string_view bytes, const std::string& label,
                         const ImportOptions& options = {});

// Writes the graph (canonical operators) as an ONNX model of opset 17 (20 where it has a Gelu), so
// that other tools can run it. kUnsupported for nodes in NHWC: export before UseChannelsLast.
Result<std::string> ExportOnnx(const Graph& graph);

}  // namespace whet
