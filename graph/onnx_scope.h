// Nodes of a graph, of a branch and of a model's own functions, imported where they stand: branches
// and functions leave no trace in the graph but the names of their nodes. Private to graph/.
//
// Thread safety: none; one import, one thread.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "graph/onnx_model.h"
#include "graph/onnx_normalize.h"
#include "onnx.pb.h"

namespace whet {

// Imports the nodes that the scope's outputs need; they read and write context->values.
Status AddNodes(const NodeScope& scope, ImportContext* context);

Status AddInitializer(const onnx::TensorProto& initializer, ImportContext* context);

// nullptr: the model has no such function.
const onnx::FunctionProto* FindFunction(const ImportContext& context, const onnx::NodeProto& call);

// Imports the function's nodes in the place of the node that calls it.
Status CallFunction(const onnx::FunctionProto& function, OnnxNode& call, ImportContext* context);

// The values of the branch's outputs. It reads what is around it in `context`.
Result<std::vector<ValueId>> ImportBranch(const onnx::GraphProto& branch, const std::string& prefix,
                                          ImportContext* context);

}  // namespace whet
