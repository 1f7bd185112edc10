// What distinguishes the Halide algorithms of one task: the layouts of its inputs, and which of its
// operators are computed by other arithmetic than their definition's (operators/winograd.h). The
// kPack and kAlgorithm directives of a trace say it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// By input name; inputs that are not in it have their natural layout.
using PackedLayouts = std::map<std::string, std::vector<PackLevel>>;

// A reduction loop cut into blocks of `factor` iterations. The inner or the outer one of the two
// loops becomes the innermost dimension of a stage of partial results, which the reduction then
// combines: vectors along a reduction, or threads that share one.
struct Rfactor {
  std::string loop, outer, inner;  // outer and inner: the names of the two
  int64_t factor = 1;
  bool keeps_inner = false;
  bool operator==(const Rfactor&) const = default;
  bool IsChosenBy(const Directive& d) const;  // a kRfactor
};

struct AlgorithmOptions {
  PackedLayouts packed;
  // By a node's output; a node that is not in it is computed directly.
  std::map<std::string, std::string> algorithms;
  std::map<std::string, Rfactor> rfactored;  // by stage
  bool operator==(const AlgorithmOptions&) const = default;
};

AlgorithmOptions AlgorithmOptionsOf(const std::vector<Directive>& directives);

// Algorithms that `node` of `task` has beside the direct one.
std::vector<std::string> AlternativeAlgorithms(const Task& task, const TaskNode& node);

// The type that input `index` has for the algorithms: another than the task's where an algorithm
// transforms a constant (the weights of a Winograd convolution). kInvalidInput for an algorithm
// that does not exist or does not fit its node.
Result<TensorType> PreparedType(const Task& task, const AlgorithmOptions& options, size_t index);
// The same with the bytes: `natural` as the task has it.
Result<Tensor> PrepareConstant(const Task& task, const AlgorithmOptions& options, size_t index,
                               const Tensor& natural);

}  // namespace whet
