// What the passes share: adding nodes, replacing values, reading constants. Private to graph/.
//
// A pass may leave nodes out of order and unused while it works; Graph::Compact tidies up behind
// it. Thread safety: none; one graph, one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"

namespace whet {

// Appends a node with a new output value of the inferred type, both called `name`.
Result<ValueId> AddNode(Graph& graph, std::string name, std::string op, std::vector<ValueId> inputs,
                        Attributes attributes = {});

// Makes every reader of `from` read `to`, a value of the same type. Where `from` is an output of
// the graph, `to` takes over its name; false, and nothing changes, where it cannot: an input, a
// constant or another output keeps its own.
bool ReplaceValue(Graph& graph, ValueId from, ValueId to);

// The node that computes the value; nullptr for inputs and constants.
const Node* ProducerOf(const Graph& graph, ValueId value);

// Whether exactly one node reads the value, once, and the graph does not return it.
bool HasOneUse(const Graph& graph, ValueId value);

// The number in a floating-point constant of one element.
std::optional<double> ScalarConstant(const Graph& graph, ValueId value);

// The node's operand that is no number, with the number; nothing if it has not one of each, or the
// number's dimensions make the result larger. `commutes`: the number may come first.
struct WithNumber {
  ValueId x;
  double number;
};
std::optional<WithNumber> SplitNumber(const Graph& graph, const Node& node, bool commutes);

// `value` as factor * base, with multiplications and divisions by numbers taken off.
struct Scaled {
  ValueId base;
  double factor;
};
Scaled StripNumbers(const Graph& graph, ValueId value);

// The constant `value`, broadcast to `shape`, as one number for each index of dimension `axis`;
// nothing where it is no f32 constant, varies along another dimension or has more dimensions than
// `shape`.
std::optional<std::vector<double>> ConstantAlong(const Graph& graph, ValueId value,
                                                 const Shape& shape, size_t axis);

// The dimension that holds the channels of a node with the attribute `layout`.
size_t ChannelAxis(const Node& node);

// y -> y * scale + shift, one number a channel (Conv) or a column (Gemm, MatMul), folded into the
// constant weights and bias of node `index`. False, and nothing changes, where the node's operands
// do not allow it. MatMul of matrices becomes Gemm where `shift` is not zero.
bool FoldAffine(Graph& graph, int index, const std::vector<double>& scale,
                const std::vector<double>& shift);

}  // namespace whet
