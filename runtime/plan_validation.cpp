// What a plan must fulfil so that running it touches no memory but its own.
#include <algorithm>
#include <cctype>
#include <limits>

#include "runtime/plan.h"
#include "runtime/whet.h"

namespace whet {
namespace {

constexpr size_t kMaxRank = WHET_MAX_RANK;
constexpr int kMaxThreads = 1024;
constexpr size_t kMaxSymbolLength = 255;
constexpr int64_t kMaxPlaceBytes = int64_t{1} << 40;  // more than memory, and far from overflow

// Sets `bytes`; kCorrupt for shapes that a kernel's 32-bit indices cannot reach.
Status MeasureType(const TensorType& type, int64_t& bytes) {
  if (type.shape.size() > kMaxRank) {
    return Fail(ErrorCode::kCorrupt, "{} dimensions where at most {} are possible",
                type.shape.size(), kMaxRank);
  }
  int64_t count = 1;
  for (int64_t extent : type.shape) {
    if (extent < 0) return Fail(ErrorCode::kCorrupt, "extent {} is negative", extent);
    if (__builtin_mul_overflow(count, extent, &count) ||
        std::max(count, extent) > std::numeric_limits<int32_t>::max()) {
      return Fail(ErrorCode::kCorrupt, "shape {} has 2^31 elements or more", ToString(type.shape));
    }
  }
  bytes = count * SizeOf(type.dtype);
  return {};
}

Status ValidateRange(const PlanValue& value, int64_t bytes, int64_t place_bytes) {
  if (value.offset < 0 || value.offset % kTensorAlignment != 0) {
    return Fail(ErrorCode::kCorrupt, "offset {} is not a multiple of {}", value.offset,
                kTensorAlignment);
  }
  if (value.offset > place_bytes || bytes > place_bytes - value.offset) {
    return Fail(ErrorCode::kCorrupt, "{} bytes at offset {} do not fit the {} bytes of the {}",
                bytes, value.offset, place_bytes,
                value.place == Place::kConstant ? "constants" : "arena");
  }
  return {};
}

Status ValidatePort(const PlanValue& value, int64_t bytes, const std::vector<PlanPort>& ports) {
  if (value.offset < 0 || value.offset >= static_cast<int64_t>(ports.size())) {
    return Fail(ErrorCode::kCorrupt, "{} {} does not exist: there are {}", Name(value.place),
                value.offset, ports.size());
  }
  const PlanPort& port = ports[static_cast<size_t>(value.offset)];
  if (bytes != port.type.bytes()) {
    return Fail(ErrorCode::kCorrupt, "{} does not fit {} '{}' of {}", ToString(value.type),
                Name(value.place), port.name, ToString(port.type));
  }
  return {};
}

Status ValidateValue(const PlanSpec& plan, const PlanValue& value) {
  int64_t bytes = 0;
  RETURN_IF_ERROR(MeasureType(value.type, bytes));
  switch (value.place) {
    case Place::kInput:
      return ValidatePort(value, bytes, plan.inputs);
    case Place::kOutput:
      return ValidatePort(value, bytes, plan.outputs);
    case Place::kConstant:
      return ValidateRange(value, bytes, plan.constant_bytes);
    case Place::kArena:
      return ValidateRange(value, bytes, plan.arena_bytes);
  }
  return Fail(ErrorCode::kCorrupt, "unknown place {}", static_cast<int>(value.place));
}

Status ValidateSymbol(const std::string& symbol) {
  const bool good = !symbol.empty() && symbol.size() <= kMaxSymbolLength &&
                    !std::isdigit(static_cast<unsigned char>(symbol[0])) &&
                    std::all_of(symbol.begin(), symbol.end(), [](unsigned char c) {
                      return c < 128 && (std::isalnum(c) || c == '_');
                    });
  if (!good) return Fail(ErrorCode::kCorrupt, "symbol '{}' is not a C identifier", symbol);
  return {};
}

Status ValidateStep(const PlanSpec& plan, const PlanStep& step) {
  if (step.kernel < -1 || step.kernel >= static_cast<int>(plan.kernels.size())) {
    return Fail(ErrorCode::kCorrupt, "kernel {} does not exist: there are {}", step.kernel,
                plan.kernels.size());
  }
  for (int arg : step.args) {
    if (arg < 0 || arg >= static_cast<int>(plan.values.size())) {
      return Fail(ErrorCode::kCorrupt, "value {} does not exist: there are {}", arg,
                  plan.values.size());
    }
  }
  if (step.args.empty() || (step.kernel == -1 && step.args.size() != 2)) {
    return Fail(ErrorCode::kCorrupt, "{} arguments where {} needs {}", step.args.size(),
                step.kernel == -1 ? "a copy" : "a kernel",
                step.kernel == -1 ? "two" : "one or more");
  }
  const PlanValue& target = plan.values[static_cast<size_t>(step.args.back())];
  if (target.place != Place::kOutput && target.place != Place::kArena) {
    return Fail(ErrorCode::kCorrupt, "the result is written to a value of place '{}'",
                Name(target.place));
  }
  const PlanValue& source = plan.values[static_cast<size_t>(step.args.front())];
  if (step.kernel == -1 && source.type.bytes() != target.type.bytes()) {
    return Fail(ErrorCode::kCorrupt, "copies {} to {}", ToString(source.type),
                ToString(target.type));
  }
  return {};
}

Status ValidateCheck(const PlanSpec& plan, const PlanCheck& check) {
  if (check.step < 0 || check.step >= static_cast<int>(plan.steps.size())) {
    return Fail(ErrorCode::kCorrupt, "step {} does not exist: there are {}", check.step,
                plan.steps.size());
  }
  if (check.value < 0 || check.value >= static_cast<int>(plan.values.size())) {
    return Fail(ErrorCode::kCorrupt, "value {} does not exist: there are {}", check.value,
                plan.values.size());
  }
  const DataType dtype = plan.values[static_cast<size_t>(check.value)].type.dtype;
  if (dtype != DataType::kInt32 && dtype != DataType::kInt64) {
    return Fail(ErrorCode::kCorrupt, "indices of type {}", Name(dtype));
  }
  if (check.extent < 0) return Fail(ErrorCode::kCorrupt, "extent {} is negative", check.extent);
  return {};
}

template <typename T, typename Validate>
Status ValidateAll(const char* what, const std::vector<T>& items, Validate validate) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (Status status = validate(items[i]); !status) {
      return Prefixed(status.error(), fmt::format("{}[{}]", what, i));
    }
  }
  return {};
}

}  // namespace

Status PlanSpec::Validate() const {
  if (threads < 1 || threads > kMaxThreads) {
    return Fail(ErrorCode::kCorrupt, "{} threads where 1 to {} are possible", threads, kMaxThreads);
  }
  for (int64_t bytes : {arena_bytes, constant_bytes}) {
    if (bytes < 0 || bytes > kMaxPlaceBytes) {
      return Fail(ErrorCode::kCorrupt, "an arena or constants of {} bytes", bytes);
    }
  }
  const auto validate_port = [](const PlanPort& port) {
    int64_t bytes = 0;
    return MeasureType(port.type, bytes);
  };
  RETURN_IF_ERROR(ValidateAll("inputs", inputs, validate_port));
  RETURN_IF_ERROR(ValidateAll("outputs", outputs, validate_port));
  RETURN_IF_ERROR(ValidateAll("values", values,
                              [&](const PlanValue& value) { return ValidateValue(*this, value); }));
  RETURN_IF_ERROR(ValidateAll(
      "kernels", kernels, [](const PlanKernel& kernel) { return ValidateSymbol(kernel.symbol); }));
  RETURN_IF_ERROR(
      ValidateAll("steps", steps, [&](const PlanStep& step) { return ValidateStep(*this, step); }));
  return ValidateAll("checks", checks,
                     [&](const PlanCheck& check) { return ValidateCheck(*this, check); });
}

}  // namespace whet
