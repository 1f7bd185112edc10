// The part of Halide's runtime that our kernels call, on our thread pool and our scratch memory.
//
// Kernels are compiled with no_runtime, no_asserts and no_bounds_query: what is left are
// halide_do_par_for, halide_malloc, halide_free and a few that report errors, defined in
// halide_runtime.cpp with C linkage and default visibility, so that kernels which a program loads
// find them in the program. Thread safety: any thread.
#pragma once

#include <cstdint>
#include <string>

namespace whet {

// What the last failing kernel said since this was asked last; "" if none said anything.
std::string TakeKernelError();

// Halide's task: (user_context, index, closure) -> 0 on success. And a loop over [min, min + size)
// of it.
using HalideTask = int (*)(void* user_context, int index, uint8_t* closure);
using HalideParFor = int (*)(void* user_context, HalideTask task, int min, int size,
                             uint8_t* closure);

// The loop that this copy of the runtime runs kernels with. A bundle's shared object carries a copy
// of its own; the program that opens one hands it the program's loop (whet_adopt_runtime), so that
// a process has one pool.
HalideParFor ActiveParFor();

}  // namespace whet
