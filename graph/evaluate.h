// Evaluates a graph with the operators' reference computations: slow, plain, what kernels are
// compared with.
//
// Thread safety: pure functions.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "graph/graph.h"

namespace whet {

// The graph's outputs, in order, for one tensor an input, in order. kInvalidInput where a tensor is
// not of its input's type. Tensors in between are freed after their last use.
Result<std::vector<Tensor>> Evaluate(const Graph& graph, std::span<const Tensor* const> inputs);

// The output of one node whose inputs are all constant, or nothing where a constant would be out of
// proportion: more bytes than a weight has reason to have, or seconds of arithmetic.
Result<std::optional<Tensor>> TryFold(const Graph& graph, const Node& node);

// Whether two tensors of one shape agree: |actual - expected| <= atol + rtol * |expected| for every
// element, NaN equal to NaN. If not, `why` gets the worst element.
bool AllClose(const Tensor& actual, const Tensor& expected, double rtol, double atol,
              std::string* why);

}  // namespace whet
