// The layout that a trace gives a constant input. Internal to codegen/. Thread safety: pure
// functions.
#pragma once

#include <vector>

#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

// Levels of the packed layout of input `index`, innermost first; empty: not packed.
std::vector<PackLevel> PackedLayoutOf(const Task& task, const Trace& trace, size_t index);

}  // namespace whet
