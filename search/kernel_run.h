// One built candidate, loaded and ready to run in this process: its library, its arguments between
// guard zones.
//
// Only for a child that may die of it (measure_job.h): the code is nobody's friend yet.
// Thread safety: none.
#pragma once

#include <HalideRuntime.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "codegen/worker_child.h"
#include "runtime/kernel_library.h"
#include "schedules/task.h"
#include "schedules/trace.h"
#include "search/guarded_buffer.h"
#include "search/kernel_check.h"
#include "tuning_db/record.h"

namespace whet {

inline constexpr const char* kCandidateKernel =
    "whet_candidate";  // the name that candidates are compiled under

class KernelRun {
 public:
  // Writes the bytes of the task's input `index` to `into`.
  using ReadInput = std::function<Status(size_t index, void* into, size_t bytes)>;

  // Loads `library`, fills the inputs with what `read` gives (constants packed as the trace says)
  // and the output with NaN. Faults around the buffers end the job with a guard_overrun.
  static Result<std::unique_ptr<KernelRun>> Prepare(const Task& task, const Trace& trace,
                                                    const std::string& library,
                                                    const std::string& symbol,
                                                    const ReadInput& read, JobContext& context);
  // The same of a candidate, with the task's reference data in the directory `data`.
  static Result<std::unique_ptr<KernelRun>> Prepare(const Task& task, const Trace& trace,
                                                    const std::string& library,
                                                    const std::filesystem::path& data,
                                                    JobContext& context);

  // Runs the kernel once. A kernel's result other than 0 is kept for Check.
  void Run() {
    const int code = function_(arguments_.data());
    if (code != 0) code_ = code;
  }

  // Fills the output with `pattern`, so that what the next run does not write shows.
  void PoisonOutput(uint8_t pattern);

  // What the last run came to, and whether any run before it failed or left its buffers: ok with
  // max_error, or run_crash, out_of_memory, guard_overrun, wrong_result.
  Measurement Check(const Expected& expected) const;

 private:
  struct Argument {
    GuardedBuffer memory;
    halide_buffer_t buffer{};
    std::vector<halide_dimension_t> dimensions;
  };

  KernelRun() = default;
  Status AddArgument(const TensorType& type, GuardedBuffer::Use use, const std::string& overrun,
                     JobContext& context);
  const GuardedBuffer& output() const { return storage_.back()->memory; }

  std::shared_ptr<KernelLibrary> library_;
  KernelFunction function_ = nullptr;
  std::vector<std::unique_ptr<Argument>> storage_;  // inputs, then the output
  std::vector<void*> arguments_;
  int code_ = 0;
};

}  // namespace whet
