#include "runtime/halide_runtime.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

// The declarations decide the visibility of the definitions below.
#pragma GCC visibility push(default)
#include <HalideRuntime.h>
extern "C" void whet_adopt_runtime(whet::HalideParFor par_for);
#pragma GCC visibility pop

#include "runtime/scratch_allocator.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

// A kernel fails on whatever thread it runs on, and is reported by the thread that called it.
struct KernelError {
  std::mutex mutex;
  std::string message;
};

KernelError& TheKernelError() {
  static KernelError error;
  return error;
}

void RecordKernelError(const char* message) {
  KernelError& error = TheKernelError();
  const std::lock_guard lock(error.mutex);
  error.message = message;
}

struct Loop {
  HalideTask task;
  void* user_context;
  uint8_t* closure;
};

int RunIteration(void* context, int index) {
  const Loop& loop = *static_cast<const Loop*>(context);
  return loop.task(loop.user_context, index, loop.closure);
}

int OwnParFor(void* user_context, HalideTask task, int min, int size, uint8_t* closure) {
  Loop loop{task, user_context, closure};
  return ParallelFor(min, size, RunIteration, &loop);
}

std::atomic<HalideParFor> par_for{OwnParFor};

}  // namespace

std::string TakeKernelError() {
  KernelError& error = TheKernelError();
  const std::lock_guard lock(error.mutex);
  return std::exchange(error.message, {});
}

HalideParFor ActiveParFor() { return par_for.load(std::memory_order_relaxed); }

}  // namespace whet

extern "C" {

void whet_adopt_runtime(whet::HalideParFor par_for) { whet::par_for = par_for; }

int halide_do_par_for(void* user_context, halide_task_t task, int min, int size, uint8_t* closure) {
  return whet::ActiveParFor()(user_context, task, min, size, closure);
}

int halide_do_task(void* user_context, halide_task_t task, int index, uint8_t* closure) {
  return task(user_context, index, closure);
}

int halide_get_num_threads() { return whet::ThreadCount(); }

void* halide_malloc(void* user_context, size_t bytes) {
  void* block = whet::AllocateScratch(bytes);
  if (block == nullptr) halide_error_out_of_memory(user_context);
  return block;
}

void halide_free(void*, void* block) { whet::FreeScratch(block); }

void halide_print(void*, const char* message) { std::fputs(message, stderr); }

void halide_error(void*, const char* message) { whet::RecordKernelError(message); }

int halide_error_out_of_memory(void* user_context) {
  halide_error(user_context, "out of memory");
  return halide_error_code_out_of_memory;
}

int halide_error_buffer_allocation_too_large(void* user_context, const char* buffer, uint64_t bytes,
                                             uint64_t most) {
  halide_error(user_context, (std::string("buffer ") + buffer + " needs " + std::to_string(bytes) +
                              " bytes and may have " + std::to_string(most))
                                 .c_str());
  return halide_error_code_buffer_allocation_too_large;
}

int halide_error_requirement_failed(void* user_context, const char* condition,
                                    const char* message) {
  halide_error(user_context, (std::string(message) + " (" + condition + ")").c_str());
  return halide_error_code_requirement_failed;
}

int halide_error_specialize_fail(void* user_context, const char* message) {
  halide_error(user_context, message);
  return halide_error_code_specialize_fail;
}

}  // extern "C"
