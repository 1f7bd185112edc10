// Runs a plan: owns the arena and the constants, binds the caller's tensors, calls the kernels in
// order.
//
// Thread safety: one Run at a time per executor; several executors may exist, and share the thread
// pool.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "runtime/kernel_library.h"
#include "runtime/plan.h"

namespace whet {

// What a run took, a step.
struct StepTime {
  int step = 0;
  int64_t ns = 0;
};

class Executor {
 public:
  // `constants` are plan.constant_bytes bytes; `kernels` has one function a plan kernel. Whoever
  // owns the loaded code keeps it loaded; `keep_alive` is held for that.
  static Result<std::unique_ptr<Executor>> Create(PlanSpec plan, std::string_view constants,
                                                  std::vector<KernelFunction> kernels,
                                                  std::shared_ptr<void> keep_alive);
  ~Executor();
  const PlanSpec& plan() const;

  // Requires that no output overlaps an input or another output. One pointer an input and output,
  // each of the port's type, row-major, 64-byte aligned or copied. kFailed naming the step where a
  // kernel returns non-zero. `profile`, if not null, gets one entry a step.
  Status Run(std::span<const void* const> inputs, std::span<void* const> outputs,
             std::vector<StepTime>* profile = nullptr);

 private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace whet
