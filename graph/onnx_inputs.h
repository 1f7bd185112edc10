// The inputs that an ONNX file declares, and the types that they get. Private to graph/.
//
// Thread safety: plain values.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "graph/onnx_import.h"
#include "onnx.pb.h"

namespace whet {

// The graph's inputs that are no initialisers, in order (before IR version 4, initialisers are
// inputs, too).
Result<std::vector<ModelInput>> DeclaredInputs(const onnx::GraphProto& graph);

// The same inputs with the shapes and constants of the options. Refuses options that name no input
// or do not fit one, and names the inputs left open.
struct ImportedInput {
  std::string onnx_name;  // as nodes refer to it
  std::string name;       // for people
  TensorType type;
  const Tensor* constant = nullptr;  // of the options
};
Result<std::vector<ImportedInput>> ImportedInputs(const onnx::GraphProto& graph,
                                                  const ImportOptions& options);

}  // namespace whet
