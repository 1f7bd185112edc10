#include "search/rounding_noise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "schedules/operators/operator.h"

namespace whet {
namespace {

constexpr int kSamples = 4;
constexpr double kSlack = 8;           // of what was seen in so few
constexpr double kRelative = 0x1p-21;  // of each element, and of the largest where terms are summed

bool Rounds(const OperatorDef& def) {
  return !def.exact && def.op_class != OperatorClass::kMovement &&
         def.op_class != OperatorClass::kView;
}

// Of zeros: which one is the larger is open.
bool LosesSigns(std::string_view op) {
  static const std::set<std::string_view> kExtrema = {"Max", "Min", "ReduceMax", "ReduceMin",
                                                      "MaxPool"};
  return kExtrema.contains(op);
}

// Whether a small error of operand `i` may be a large one of the result.
bool Amplifies(const TaskNode& node, size_t i) {
  static const std::set<std::string_view> kSteep = {"Pow",  "Log",         "Sqrt", "Equal",
                                                    "Less", "LessOrEqual", "Cast", "ReduceLogSum"};
  return (node.op == "Div" && i == 1) || kSteep.contains(node.op);
}

// Whether what is rounded goes through a node that amplifies.
bool IsSteep(const Task& task) {
  std::set<std::string> rounded;
  for (const TaskNode& node : task.nodes) {
    const OperatorDef* def = FindOperator(node.op);
    if (def == nullptr) return false;
    bool carries = Rounds(*def) || LosesSigns(node.op);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!rounded.contains(node.inputs[i])) continue;
      if (Amplifies(node, i)) return true;
      carries = true;
    }
    if (carries) rounded.insert(node.output);
  }
  return false;
}

// A sum of zeros, or the larger of two, has either sign.
void ChooseSignsOfZeros(Rng* rng, Tensor* value) {
  for (float& element : std::span(value->data<float>(), static_cast<size_t>(value->count())))
    if (element == 0)
      element = std::copysign(std::numeric_limits<float>::denorm_min(), rng->Chance(0.5) ? 1 : -1);
}

void AddNoise(const OperatorDef& def, Rng* rng, Tensor* value) {
  float* elements = value->data<float>();
  double largest = 0;
  if (def.op_class == OperatorClass::kReduction) {
    for (int64_t i = 0; i < value->count(); ++i)
      if (std::isfinite(elements[i])) largest = std::max<double>(largest, std::abs(elements[i]));
    largest *= kRelative;
  }
  for (int64_t i = 0; i < value->count(); ++i) {
    const double size = kRelative * std::abs(static_cast<double>(elements[i])) + largest;
    if (std::isfinite(elements[i]))
      elements[i] = static_cast<float>(elements[i] + (rng->Chance(0.5) ? size : -size));
  }
}

Result<Tensor> RunWithNoise(const Task& task, std::span<const Tensor* const> inputs, Rng* rng) {
  std::map<std::string, const Tensor*> values;
  for (size_t i = 0; i < inputs.size(); ++i) values[task.inputs[i].name] = inputs[i];
  std::vector<Tensor> results;
  results.reserve(task.nodes.size());  // `values` points into it
  for (const TaskNode& node : task.nodes) {
    const OperatorDef* def = FindOperator(node.op);
    std::vector<const Tensor*> operands;
    for (const std::string& name : node.inputs) operands.push_back(values.at(name));
    ASSIGN_OR_RETURN(Tensor result, def->reference(node.attributes, operands));
    const bool inside = result.dtype() == DataType::kFloat32 && node.output != task.output;
    if (inside && (Rounds(*def) || LosesSigns(node.op))) ChooseSignsOfZeros(rng, &result);
    if (inside && Rounds(*def)) AddNoise(*def, rng, &result);
    results.push_back(std::move(result));
    values[node.output] = &results.back();
  }
  return std::move(results.back());
}

// What an element that is `value` with noise and `right` without allows beside the tolerance.
float Allowed(double value, double right, bool integer) {
  if (value == right || (std::isnan(value) && std::isnan(right))) return 0;
  const double moved = kSlack * std::abs(value - right);
  return integer || !std::isfinite(moved) ? std::numeric_limits<float>::infinity()
                                          : static_cast<float>(moved);
}

}  // namespace

Result<std::optional<Tensor>> NoiseBounds(const Task& task, std::span<const Tensor* const> inputs,
                                          const Tensor& output, double tolerance) {
  if (!IsSteep(task)) return std::optional<Tensor>();
  Tensor bounds({DataType::kFloat32, output.shape()});
  float* allowed = bounds.data<float>();
  const bool integer = output.dtype() != DataType::kFloat32;
  Rng rng(7);
  for (int sample = 0; sample < kSamples; ++sample) {
    ASSIGN_OR_RETURN(const Tensor noisy, RunWithNoise(task, inputs, &rng));
    for (int64_t i = 0; i < output.count(); ++i)
      allowed[i] = std::max(allowed[i], Allowed(noisy.AsDouble(i), output.AsDouble(i), integer));
  }
  for (int64_t i = 0; i < output.count(); ++i) {
    const double right = std::abs(output.AsDouble(i));
    if (std::isfinite(right)) allowed[i] += static_cast<float>(tolerance * (1 + right));
  }
  return std::optional<Tensor>(std::move(bounds));
}

}  // namespace whet
