// What tests of kernels share: schedules measured against the reference in one worker.
#pragma once

#include <span>

#include "schedules/sketch.h"
#include "schedules/task.h"

namespace whet {

// Expects of each schedule that it computes what the reference computes, between guard zones. False
// where one does not.
bool ExpectReference(const Task& task, std::span<const Trace> traces);

}  // namespace whet
