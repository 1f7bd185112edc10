// A candidate to machine code: the object file of one kernel.
//
// The object defines `int NAME(halide_buffer_t* in0, ..., halide_buffer_t* out)`, inputs in the
// task's order, and needs the few symbols of runtime/halide_runtime.cpp. It is the very code that
// is measured, executed and shipped. Halide's exceptions and internal errors are caught here;
// crashes and endless compiles are the worker's business (worker.h). Thread safety: one call at a
// time in a process (Halide's compiler).
#pragma once

#include <string>
#include <vector>

#include "base/process.h"
#include "base/status.h"
#include "base/tensor.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

struct EmitRequest {
  std::string object_path;  // empty: not wanted
  std::string stmt_path;    // Halide's lowered statement
  std::string assembly_path;
};

// kFailed with Halide's message where the trace does not compile.
Status CompileKernel(const Task& task, const Trace& trace, const std::string& kernel_name,
                     const EmitRequest& emit);

// Links objects to a shared object that the running program can load (kernel_library.h in
// runtime/).
Status LinkSharedObject(const std::vector<std::string>& objects, const std::string& output,
                        const ProcessOptions& options = {});

// The physical form of constant input `index` under the trace: the tensor that the kernel wants in
// its place, transformed as its algorithm asks, packed and zero-padded. The same tensor where the
// trace does neither. Type only / with the bytes. kInvalidInput for an algorithm that is not there.
Result<TensorType> PackedType(const Task& task, const Trace& trace, size_t index);
Result<Tensor> PackConstant(const Task& task, const Trace& trace, size_t index,
                            const Tensor& constant);

}  // namespace whet
