#include "graph/evaluate.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

// A folded constant may be this large, or twice its inputs; more is left to run time.
constexpr int64_t kFoldBytes = int64_t{64} << 20;
constexpr double kFoldFlops = 1e9;

Result<Tensor> RunNode(const Graph& graph, const Node& node,
                       std::span<const Tensor* const> inputs) {
  const OperatorDef* def = FindOperator(node.op);
  if (def == nullptr) {
    return Fail(ErrorCode::kUnsupported, "{}: Whet has no operator of this name", Describe(node));
  }
  try {
    Result<Tensor> output = def->reference(node.attributes, inputs);
    if (!output) return Prefixed(std::move(output).error(), Describe(node));
    if (output->type() != graph.values[node.output].type) {
      return Fail(ErrorCode::kInternal, "{}: the reference computed {} instead of {}",
                  Describe(node), ToString(output->type()),
                  ToString(graph.values[node.output].type));
    }
    return output;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kFailed, "{}: not enough memory for {}", Describe(node),
                ToString(graph.values[node.output].type));
  }
}

}  // namespace

Result<std::vector<Tensor>> Evaluate(const Graph& graph, std::span<const Tensor* const> inputs) {
  if (inputs.size() != graph.inputs.size()) {
    return Fail(ErrorCode::kInvalidInput, "the graph takes {} inputs, {} were given",
                graph.inputs.size(), inputs.size());
  }
  std::vector<const Tensor*> tensors(graph.values.size(), nullptr);
  for (size_t i = 0; i < graph.values.size(); ++i) tensors[i] = graph.values[i].constant.get();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.values[graph.inputs[i]];
    if (inputs[i]->type() != value.type) {
      return Fail(ErrorCode::kInvalidInput, "input '{}' is {}, the tensor given is {}", value.name,
                  ToString(value.type), ToString(inputs[i]->type()));
    }
    tensors[graph.inputs[i]] = inputs[i];
  }

  std::vector<int> last_use(graph.values.size(), -1);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    for (ValueId input : graph.nodes[i].inputs) {
      if (input != kNoValue) last_use[input] = i;
    }
  }
  for (ValueId output : graph.outputs) last_use[output] = static_cast<int>(graph.nodes.size());

  std::vector<Tensor> computed(graph.values.size());
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[i];
    std::vector<const Tensor*> operands;
    for (ValueId input : node.inputs)
      operands.push_back(input == kNoValue ? nullptr : tensors[input]);
    ASSIGN_OR_RETURN(computed[node.output], RunNode(graph, node, operands));
    tensors[node.output] = &computed[node.output];
    for (ValueId input : node.inputs) {
      if (input != kNoValue && last_use[input] == i) computed[input] = Tensor();
    }
  }
  std::vector<Tensor> outputs;
  for (ValueId output : graph.outputs) outputs.push_back(*tensors[output]);
  return outputs;
}

Result<std::optional<Tensor>> TryFold(const Graph& graph, const Node& node) {
  std::vector<const Tensor*> operands;
  std::vector<const TensorType*> types;
  int64_t input_bytes = 0;
  for (ValueId input : node.inputs) {
    const Tensor* constant = input == kNoValue ? nullptr : graph.values[input].constant.get();
    if (input != kNoValue && constant == nullptr) return std::nullopt;
    operands.push_back(constant);
    types.push_back(constant == nullptr ? nullptr : &constant->type());
    if (constant != nullptr) input_bytes += constant->size_bytes();
  }
  const OperatorDef* def = FindOperator(node.op);
  if (def == nullptr) return std::nullopt;
  if (graph.values[node.output].type.bytes() > std::max(kFoldBytes, 2 * input_bytes))
    return std::nullopt;
  if (def->flops(node.attributes, types) > kFoldFlops) return std::nullopt;
  ASSIGN_OR_RETURN(Tensor folded, RunNode(graph, node, operands));
  return std::optional<Tensor>(std::move(folded));
}

bool AllClose(const Tensor& actual, const Tensor& expected, double rtol, double atol,
              std::string* why) {
  if (actual.type() != expected.type()) {
    *why = fmt::format("{} instead of {}", ToString(actual.type()), ToString(expected.type()));
    return false;
  }
  double worst = 0;
  int64_t worst_at = -1;
  for (int64_t i = 0; i < actual.count(); ++i) {
    const double a = actual.AsDouble(i), e = expected.AsDouble(i);
    if (a == e || (std::isnan(a) && std::isnan(e))) continue;
    double excess = std::abs(a - e) - (atol + rtol * std::abs(e));
    if (!std::isfinite(excess)) excess = HUGE_VAL;
    if (excess > worst) {
      worst = excess;
      worst_at = i;
    }
  }
  if (worst_at < 0) return true;
  *why = fmt::format("element {} of {} is {:.9g} instead of {:.9g}", worst_at, actual.count(),
                     actual.AsDouble(worst_at), expected.AsDouble(worst_at));
  return false;
}

}  // namespace whet
