// An ONNX file parsed and checked as a document: names, order, opset. Private to graph/.
//
// Thread safety: plain values.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "onnx.pb.h"

namespace whet {

// From 25 on, no operator that Whet imports has another meaning than in 24.
inline constexpr int64_t kOldestOpset = 1, kNewestOpset = 26;

// kCorrupt where the bytes are not an ONNX model.
Result<onnx::ModelProto> ParseModel(std::string_view bytes);

// The version of ONNX's own operators that a model or a function imports; 0 where it imports none.
// kUnsupported outside [kOldestOpset, kNewestOpset].
using OpsetImports = google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto>;
Result<int64_t> OpsetOf(const OpsetImports& imports);

// The nodes of a graph, of a branch of one, or of a function.
struct NodeScope {
  const google::protobuf::RepeatedPtrField<onnx::NodeProto>* nodes = nullptr;
  std::set<std::string> given;       // names of inputs and initialisers: no node writes them
  std::vector<std::string> outputs;  // names that are wanted
};

// Indices of the nodes that the outputs need, each after those that it reads. `outside`: whether
// the scope around this one has the name. Refuses names that nothing provides, that two things
// provide, and cycles.
Result<std::vector<int>> NodeOrder(const NodeScope& scope,
                                   const std::function<bool(const std::string&)>& outside);

// Names of inputs and initialisers; kCorrupt where two share one.
Result<std::set<std::string>> GivenNames(const onnx::GraphProto& graph);

// The names that a node reads: its inputs, and what graphs in its attributes take from outside.
std::vector<std::string> ReadNames(const onnx::NodeProto& node);

// "node 'a' (Add)": a node in messages, by its name or else its first output.
std::string NodeLabel(const onnx::NodeProto& node);

}  // namespace whet
