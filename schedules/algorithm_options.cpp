#include "schedules/algorithm_options.h"

#include <algorithm>
#include <optional>

#include "schedules/operators/copies.h"
#include "schedules/operators/winograd.h"

namespace whet {
namespace {

// The Winograd algorithm that the options choose for the node that has input `index` as its
// weights.
Result<std::optional<Winograd>> WinogradOfWeights(const Task& task, const AlgorithmOptions& options,
                                                  size_t index) {
  for (const auto& [output, algorithm] : options.algorithms) {
    const auto node = std::find_if(task.nodes.begin(), task.nodes.end(),
                                   [&](const TaskNode& n) { return n.output == output; });
    if (node == task.nodes.end())
      return Fail(ErrorCode::kInvalidInput, "algorithm: there is no node '{}'", output);
    const std::vector<std::string> known = AlternativeAlgorithms(task, *node);
    if (std::find(known.begin(), known.end(), algorithm) == known.end())
      return Fail(ErrorCode::kInvalidInput, "algorithm '{}' is not one that {} '{}' has here",
                  algorithm, node->op, output);
    if (node->inputs[1] == task.inputs[index].name) return Winograd::Parse(algorithm);
  }
  return std::optional<Winograd>();
}

}  // namespace

bool Rfactor::IsChosenBy(const Directive& d) const {
  return d.names.size() == 2 && d.names[0] == outer && d.names[1] == inner && d.loop == loop &&
         d.factor == factor && (d.at == d.names[1]) == keeps_inner;
}

AlgorithmOptions AlgorithmOptionsOf(const std::vector<Directive>& directives) {
  AlgorithmOptions options;
  for (const Directive& d : directives) {
    if (d.kind == DirectiveKind::kPack) options.packed[d.stage] = d.layout;
    if (d.kind == DirectiveKind::kAlgorithm) options.algorithms[d.stage] = d.algorithm;
    if (d.kind == DirectiveKind::kRfactor && d.names.size() == 2)
      options.rfactored[d.stage] = {d.loop, d.names[0], d.names[1], d.factor, d.at == d.names[1]};
  }
  return options;
}

std::vector<std::string> AlternativeAlgorithms(const Task& task, const TaskNode& node) {
  std::vector<std::string> names;
  for (const Winograd& winograd : WinogradsFor(task, node)) names.push_back(winograd.Name());
  if (names.empty()) names = CopiesFor(task, node);
  return names;
}

Result<TensorType> PreparedType(const Task& task, const AlgorithmOptions& options, size_t index) {
  ASSIGN_OR_RETURN(const std::optional<Winograd> winograd, WinogradOfWeights(task, options, index));
  const TensorType& type = task.inputs[index].type;
  return winograd ? winograd->WeightsType(type) : type;
}

Result<Tensor> PrepareConstant(const Task& task, const AlgorithmOptions& options, size_t index,
                               const Tensor& natural) {
  ASSIGN_OR_RETURN(const std::optional<Winograd> winograd, WinogradOfWeights(task, options, index));
  return winograd ? winograd->TransformWeights(natural) : natural;
}

}  // namespace whet
