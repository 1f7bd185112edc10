// Names of machine code by what it is made of.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// The fingerprint of all that decides a kernel's machine code: the task (its target included), the
// trace's directives, the versions of Whet and Halide, and the bytes of this very program, so that
// a program built from changed sources never meets the kernels of the one before.
std::string KernelKey(const Task& task, const Trace& trace);

// The fingerprint of what a choice without measuring depends on besides: the machine that it is
// made for, in `machine`, any text.
std::string ChoiceKey(const Task& task, const std::string& machine);

}  // namespace whet
