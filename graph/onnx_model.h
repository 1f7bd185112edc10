// An ONNX file parsed and checked as a document: names, order, opset, declared types. Private to
// graph/.
//
// Thread safety: plain values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "graph/onnx_import.h"
#include "onnx.pb.h"

namespace whet {

inline constexpr int64_t kOldestOpset = 7, kNewestOpset = 24;

// kCorrupt where the bytes are not an ONNX model.
Result<onnx::ModelProto> ParseModel(std::string_view bytes);

// The version of ONNX's own operators. kUnsupported outside [kOldestOpset, kNewestOpset].
Result<int64_t> OpsetOf(const onnx::ModelProto& model);

// Indices of the nodes that the outputs need, each after those that it reads. Refuses names that
// nothing provides, that two things provide, and cycles.
Result<std::vector<int>> NodeOrder(const onnx::GraphProto& graph);

// The types of the inputs that are no initialisers and no constants of the options, in order, with
// the shapes of the options. Refuses options that name no input, shapes that do not fit, and lists
// the inputs left open.
struct NamedType {
  std::string name;
  TensorType type;
};
Result<std::vector<NamedType>> InputTypes(const onnx::GraphProto& graph,
                                          const ImportOptions& options);

}  // namespace whet
