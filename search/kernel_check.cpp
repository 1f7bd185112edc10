#include "search/kernel_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

// Error of one element; infinity if it is no number where the reference is, or the other way round.
double ErrorOf(double got, double expected) {
  if (got == expected || (std::isnan(got) && std::isnan(expected))) return 0;
  const double error = std::abs(got - expected) / (1 + std::abs(expected));
  return std::isfinite(error) ? error : INFINITY;
}

template <typename GotAt, typename ExpectedAt>
Deviation Compare(int64_t count, double tolerance, GotAt got_at, ExpectedAt expected_at) {
  Deviation deviation;
  double worst = -1;
  for (int64_t i = 0; i < count; ++i) {
    const double got = got_at(i), expected = expected_at(i);
    const double error = ErrorOf(got, expected);
    if (std::isfinite(error)) deviation.max_error = std::max(deviation.max_error, error);
    if (error <= tolerance) continue;
    ++deviation.wrong;
    if (error <= worst) continue;
    worst = error;
    deviation.worst_index = i;
    deviation.got = got;
    deviation.expected = expected;
  }
  return deviation;
}

// The largest error of `count` floats, if all are at most `tolerance` from finite references, as
// nearly all ever are; else nothing. Without a branch, so that several go at a time.
std::optional<double> LargestError(int64_t count, const float* got, const float* expected,
                                   double tolerance) {
  constexpr int64_t kLanes = 8;
  double largest[kLanes] = {};
  int64_t beyond = 0;
  const auto look = [&](int64_t i, double& most) {
    const double reference = expected[i];
    const double error = std::abs(got[i] - reference) / (1 + std::abs(reference));
    most = error > most ? error : most;
    beyond += error <= tolerance ? 0 : 1;  // also what is no number
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) look(i + lane, largest[lane]);
  for (; i < count; ++i) look(i, largest[0]);
  if (beyond > 0) return std::nullopt;
  return *std::max_element(largest, largest + kLanes);
}

bool IsInteger(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32:
    case DataType::kFloat16:
    case DataType::kBFloat16:
    case DataType::kFloat64:
      return false;
    default:
      return true;
  }
}

// Without the sign of a NaN, which says nothing.
std::string NumberText(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.6g}", value);
}

bool RoundsNothing(const Task& task) {
  return std::all_of(task.nodes.begin(), task.nodes.end(), [](const TaskNode& node) {
    const OperatorDef* def = FindOperator(node.op);
    return def != nullptr && (def->exact || def->op_class == OperatorClass::kMovement ||
                              def->op_class == OperatorClass::kView);
  });
}

}  // namespace

Deviation CompareWithReference(const Tensor& expected, const void* got, double tolerance) {
  if (expected.dtype() == DataType::kFloat32) {
    const auto* values = static_cast<const float*>(got);
    const float* reference = expected.data<float>();
    if (const auto largest = LargestError(expected.count(), values, reference, tolerance)) {
      Deviation fine;
      fine.max_error = *largest;
      return fine;
    }
    return Compare(
        expected.count(), tolerance, [&](int64_t i) { return static_cast<double>(values[i]); },
        [&](int64_t i) { return static_cast<double>(reference[i]); });
  }
  Tensor copy(expected.type());
  std::memcpy(copy.bytes(), got, static_cast<size_t>(copy.size_bytes()));
  const bool rounded = IsInteger(expected.dtype()) && tolerance > 0;
  return Compare(
      expected.count(), tolerance,
      [&](int64_t i) {
        const double value = copy.AsDouble(i), right = expected.AsDouble(i);
        return rounded && std::abs(value - right) <= 1 ? right : value;
      },
      [&](int64_t i) { return expected.AsDouble(i); });
}

Deviation CompareWithReference(const Expected& expected, const void* got) {
  if (!expected.bounds) return CompareWithReference(expected.output, got, expected.tolerance);
  Deviation deviation;
  Tensor values(expected.output.type());
  std::memcpy(values.bytes(), got, static_cast<size_t>(values.size_bytes()));
  double worst = 0;  // how many times what is allowed
  for (int64_t i = 0; i < expected.output.count(); ++i) {
    const double value = values.AsDouble(i), right = expected.output.AsDouble(i);
    const double allowed = expected.bounds->data<float>()[i];
    const double error = ErrorOf(value, right);
    if (std::isfinite(error)) deviation.max_error = std::max(deviation.max_error, error);
    if (error == 0 || std::isinf(allowed) || std::abs(value - right) <= allowed) continue;
    ++deviation.wrong;
    const double excess = std::isfinite(error) ? std::abs(value - right) / allowed : INFINITY;
    if (excess <= worst) continue;
    worst = excess;
    deviation.worst_index = i;
    deviation.got = value;
    deviation.expected = right;
    deviation.allowed = allowed;
  }
  return deviation;
}

namespace {

std::string WorstElement(const Deviation& deviation, const Shape& shape) {
  std::string index;
  int64_t rest = deviation.worst_index;
  for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) {
    index = std::to_string(rest % *extent) + (index.empty() ? "" : ", ") + index;
    rest /= *extent;
  }
  return fmt::format("element [{}] is {} instead of {} ({} of {} elements wrong", index,
                     NumberText(deviation.got), NumberText(deviation.expected), deviation.wrong,
                     ElementCount(shape));
}

}  // namespace

std::string ToString(const Deviation& deviation, const Shape& shape, double tolerance) {
  return fmt::format("{}, tolerance {:.3g})", WorstElement(deviation, shape), tolerance);
}

std::string ToString(const Deviation& deviation, const Expected& expected) {
  const Shape& shape = expected.output.shape();
  if (!expected.bounds) return ToString(deviation, shape, expected.tolerance);
  return fmt::format("{}; {:.3g} is allowed there)", WorstElement(deviation, shape),
                     deviation.allowed);
}

double ToleranceFor(const Task& task, DataType output) {
  if (RoundsNothing(task)) return 0;
  const bool rounds = task.nodes[0].op == "Pipeline" && task.Flops() > 0;
  if (IsInteger(output) && !rounds) return 0;
  const auto type = task.OutputType();
  if (!type) return 1e-4;
  // The operations behind one output value are about twice the length of the sums they are in.
  const double outputs = static_cast<double>(std::max<int64_t>(1, ElementCount(type->shape)));
  const double length = task.Flops() / (2 * outputs);
  return std::clamp(1e-4 * std::sqrt(length / 1024), 1e-4, 1e-3);
}

}  // namespace whet
