// The network: values and nodes, as imported and rewritten.
//
// Nodes are canonical operators (schedules/operators/README.md) in topological order, each with one
// output. Values are referred to by index and never deleted while passes run (Compact drops what
// nothing uses). A constant value holds its tensor. The graph's inputs and outputs keep ONNX's
// names, shapes and layouts. Thread safety: plain values; constants are shared and immutable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/attributes.h"

namespace whet {

using ValueId = int;
inline constexpr ValueId kNoValue = -1;  // an optional input that is absent

struct Value {
  std::string name;
  TensorType type;
  std::shared_ptr<const Tensor> constant;  // null: computed or an input
};

struct Node {
  std::string name;  // ONNX's, or its output's where that is empty
  std::string op;
  std::vector<ValueId> inputs;
  ValueId output = kNoValue;
  Attributes attributes;
};

struct Graph {
  std::string name;  // the model's, for people
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs, outputs;

  ValueId AddValue(Value value);
  ValueId AddConstant(std::string name, Tensor tensor);
  // Nodes that read the value, in order; a node that reads it twice counts once.
  std::vector<int> Consumers(ValueId value) const;
  int Producer(ValueId value) const;  // node index; -1: input or constant
  bool IsOutput(ValueId value) const;
  // Replaces every read of `from`, graph outputs included, by `to`.
  void ReplaceUses(ValueId from, ValueId to);
  // Restores topological order and drops values and nodes that no output needs. kInternal on a
  // cycle.
  Status Compact();
  // Re-infers the type of every node's output and checks it against the recorded one.
  Status Verify() const;
  std::string ToString() const;  // a line a node
};

// "node 'conv1' (Conv)": how messages name a node.
std::string Describe(const Node& node);
// The type of the node's output by its operator's shape inference. Errors start with
// Describe(node).
Result<TensorType> InferOutput(const Graph& graph, const Node& node);

}  // namespace whet
