#include "runtime/executor.h"

#include <HalideRuntime.h>

#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "runtime/halide_runtime.h"
#include "runtime/halide_type.h"

namespace whet {
namespace {

// Kernels may read (not write) past a buffer's end by less than a vector.
constexpr size_t kSlackBytes = 128;
constexpr size_t kArenaAlignment = 128;  // two cache lines: adjacent-line prefetch pairs them

struct FreeMemory {
  void operator()(uint8_t* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<uint8_t[], FreeMemory>;

// Null if the system has no more.
Memory AllocateMemory(int64_t bytes) {
  const size_t total =
      (static_cast<size_t>(bytes) + 2 * kSlackBytes) / kArenaAlignment * kArenaAlignment;
  return Memory(static_cast<uint8_t*>(std::aligned_alloc(kArenaAlignment, total)));
}

bool IsAligned(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % static_cast<uintptr_t>(kTensorAlignment) == 0;
}

// A value as a kernel sees it.
struct Buffer {
  halide_buffer_t halide{};
  std::vector<halide_dimension_t> dims;  // innermost first

  void Describe(const TensorType& type) {
    const size_t rank = type.shape.size();
    dims.resize(rank);
    int32_t stride = 1;
    for (size_t i = 0; i < rank; ++i) {
      const auto extent = static_cast<int32_t>(type.shape[rank - 1 - i]);
      dims[i] = halide_dimension_t(0, extent, stride);
      stride *= extent;
    }
    halide.type = HalideType(type.dtype);
    halide.dimensions = static_cast<int32_t>(rank);
    halide.dim = dims.data();
  }
};

// The caller's tensor at an input or output: the values that view it, and an aligned copy where
// needed.
struct Port {
  std::string where;  // "input 'x'", for messages
  int64_t bytes = 0;
  std::vector<Buffer*> views;
  Memory copy;

  // The pointer that kernels get: `caller` itself, or the copy if that is not aligned. Null without
  // memory.
  uint8_t* Bind(uint8_t* caller) {
    uint8_t* host = caller;
    if (!IsAligned(caller)) {
      if (copy == nullptr) copy = AllocateMemory(bytes);
      host = copy.get();
    }
    for (Buffer* view : views) view->halide.host = host;
    return host;
  }
};

struct Step {
  KernelFunction kernel = nullptr;  // null: a copy
  std::vector<Buffer*> args;
  std::vector<void*> argv;  // the halide_buffer_t of each
  std::vector<const PlanCheck*> checks;
};

// The position of the first of `count` integers outside [-extent, extent); -1: there is none.
template <typename T>
int64_t FirstOutside(const void* integers, int64_t count, int64_t extent) {
  const T* value = static_cast<const T*>(integers);
  for (int64_t i = 0; i < count; ++i) {
    if (value[i] < -extent || value[i] >= extent) return i;
  }
  return -1;
}

}  // namespace

struct Executor::Impl {
  PlanSpec plan;
  std::shared_ptr<void> keep_alive;
  Memory arena, constants;
  std::vector<Buffer> buffers;  // one a plan value
  std::vector<Port> inputs, outputs;
  std::vector<Step> steps;

  void Prepare(const std::vector<KernelFunction>& kernels);
  Status Bind(std::span<const void* const> in, std::span<void* const> out);
  Status Check(const PlanCheck& check) const;
  Status RunStep(size_t index);
};

void Executor::Impl::Prepare(const std::vector<KernelFunction>& kernels) {
  for (const PlanPort& port : plan.inputs) {
    inputs.push_back({fmt::format("input '{}'", port.name), port.type.bytes(), {}, nullptr});
  }
  for (const PlanPort& port : plan.outputs) {
    outputs.push_back({fmt::format("output '{}'", port.name), port.type.bytes(), {}, nullptr});
  }
  buffers.resize(plan.values.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    const PlanValue& value = plan.values[i];
    Buffer& buffer = buffers[i];
    buffer.Describe(value.type);
    const auto offset = static_cast<size_t>(value.offset);
    switch (value.place) {
      case Place::kInput:
        inputs[offset].views.push_back(&buffer);
        break;
      case Place::kOutput:
        outputs[offset].views.push_back(&buffer);
        break;
      case Place::kConstant:
        buffer.halide.host = constants.get() + offset;
        break;
      case Place::kArena:
        buffer.halide.host = arena.get() + offset;
        break;
    }
  }
  for (const PlanStep& plan_step : plan.steps) {
    Step& step = steps.emplace_back();
    if (plan_step.kernel >= 0) step.kernel = kernels[static_cast<size_t>(plan_step.kernel)];
    for (int arg : plan_step.args) {
      Buffer& buffer = buffers[static_cast<size_t>(arg)];
      step.args.push_back(&buffer);
      step.argv.push_back(&buffer.halide);
    }
  }
  for (const PlanCheck& check : plan.checks)
    steps[static_cast<size_t>(check.step)].checks.push_back(&check);
}

Status Executor::Impl::Bind(std::span<const void* const> in, std::span<void* const> out) {
  if (in.size() != inputs.size() || out.size() != outputs.size()) {
    return Fail(ErrorCode::kInvalidInput,
                "{} inputs and {} outputs were given where the network has {} and {}", in.size(),
                out.size(), inputs.size(), outputs.size());
  }
  const auto bind = [](Port& port, uint8_t* caller) -> Status {
    if (caller == nullptr && port.bytes > 0) {
      return Fail(ErrorCode::kInvalidInput, "the pointer for {} is null", port.where);
    }
    if (port.Bind(caller) == nullptr && port.bytes > 0) {
      return Fail(ErrorCode::kIo, "no memory for an aligned copy of {}", port.where);
    }
    return {};
  };
  for (size_t i = 0; i < in.size(); ++i) {
    // Kernels do not write to inputs; halide_buffer_t has no const.
    auto* caller = static_cast<uint8_t*>(const_cast<void*>(in[i]));
    RETURN_IF_ERROR(bind(inputs[i], caller));
    if (!IsAligned(caller)) {
      std::memcpy(inputs[i].copy.get(), caller, static_cast<size_t>(inputs[i].bytes));
    }
  }
  for (size_t i = 0; i < out.size(); ++i) {
    RETURN_IF_ERROR(bind(outputs[i], static_cast<uint8_t*>(out[i])));
  }
  return {};
}

Status Executor::Impl::Check(const PlanCheck& check) const {
  const PlanValue& value = plan.values[static_cast<size_t>(check.value)];
  const void* host = buffers[static_cast<size_t>(check.value)].halide.host;
  const int64_t count = ElementCount(value.type.shape);
  const bool wide = value.type.dtype == DataType::kInt64;
  const int64_t at = wide ? FirstOutside<int64_t>(host, count, check.extent)
                          : FirstOutside<int32_t>(host, count, check.extent);
  if (at < 0) return {};
  const int64_t index =
      wide ? static_cast<const int64_t*>(host)[at] : static_cast<const int32_t*>(host)[at];
  return Fail(ErrorCode::kInvalidInput,
              "step {} ('{}'): element {} of its indices is {}, and there are elements from {} to "
              "{}",
              check.step, plan.steps[static_cast<size_t>(check.step)].name, at, index,
              -check.extent, check.extent - 1);
}

Status Executor::Impl::RunStep(size_t index) {
  Step& step = steps[index];
  const PlanStep& plan_step = plan.steps[index];
  for (const PlanCheck* check : step.checks) RETURN_IF_ERROR(Check(*check));
  if (step.kernel == nullptr) {
    const int64_t bytes = plan.values[static_cast<size_t>(plan_step.args[0])].type.bytes();
    if (bytes > 0) {
      std::memmove(step.args[1]->halide.host, step.args[0]->halide.host,
                   static_cast<size_t>(bytes));
    }
    return {};
  }
  const int code = step.kernel(step.argv.data());
  if (code == 0) return {};
  const std::string reason = TakeKernelError();
  return Fail(ErrorCode::kFailed, "step {} ('{}'): kernel {} failed with code {}{}{}", index,
              plan_step.name, plan.kernels[static_cast<size_t>(plan_step.kernel)].symbol, code,
              reason.empty() ? "" : ": ", reason);
}

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::~Executor() = default;

const PlanSpec& Executor::plan() const { return impl_->plan; }

Result<std::unique_ptr<Executor>> Executor::Create(PlanSpec plan, std::string_view constants,
                                                   std::vector<KernelFunction> kernels,
                                                   std::shared_ptr<void> keep_alive) {
  RETURN_IF_ERROR(plan.Validate());
  if (static_cast<int64_t>(constants.size()) != plan.constant_bytes) {
    return Fail(ErrorCode::kCorrupt, "the constants have {} bytes where the plan has {}",
                constants.size(), plan.constant_bytes);
  }
  if (kernels.size() != plan.kernels.size()) {
    return Fail(ErrorCode::kInternal, "{} kernels were given where the plan has {}", kernels.size(),
                plan.kernels.size());
  }
  for (size_t i = 0; i < kernels.size(); ++i) {
    if (kernels[i] == nullptr) {
      return Fail(ErrorCode::kInternal, "kernel '{}' has no function", plan.kernels[i].symbol);
    }
  }
  auto impl = std::make_unique<Impl>();
  impl->plan = std::move(plan);
  impl->keep_alive = std::move(keep_alive);
  impl->arena = AllocateMemory(impl->plan.arena_bytes);
  impl->constants = AllocateMemory(impl->plan.constant_bytes);
  if (impl->arena == nullptr || impl->constants == nullptr) {
    return Fail(ErrorCode::kIo, "no memory for the {} bytes of the network's arena and constants",
                impl->plan.arena_bytes + impl->plan.constant_bytes);
  }
  if (!constants.empty()) std::memcpy(impl->constants.get(), constants.data(), constants.size());
  impl->Prepare(kernels);
  return std::unique_ptr<Executor>(new Executor(std::move(impl)));
}

Status Executor::Run(std::span<const void* const> inputs, std::span<void* const> outputs,
                     std::vector<StepTime>* profile) {
  RETURN_IF_ERROR(impl_->Bind(inputs, outputs));
  if (profile != nullptr) {
    profile->clear();
    profile->reserve(impl_->steps.size());
  }
  const Clock& clock = Clock::System();
  for (size_t i = 0; i < impl_->steps.size(); ++i) {
    const int64_t start_ns = profile != nullptr ? clock.MonotonicNs() : 0;
    RETURN_IF_ERROR(impl_->RunStep(i));
    if (profile != nullptr) {
      profile->push_back({static_cast<int>(i), clock.MonotonicNs() - start_ns});
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Port& port = impl_->outputs[i];
    if (!IsAligned(outputs[i])) {
      std::memcpy(outputs[i], port.copy.get(), static_cast<size_t>(port.bytes));
    }
  }
  return {};
}

}  // namespace whet
