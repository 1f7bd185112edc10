// A task as a network of its own, as ONNX would have it: in ONNX's layout, with the conversions
// that its kernels want.
//
// Thread safety: plain functions.
#pragma once

#include <string>

#include "base/status.h"
#include "codegen/target.h"
#include "schedules/task.h"
#include "tools/session.h"

namespace whet {

// `id`: the network's name; its tasks are as exact as `task`. Constants are made up, from a fixed
// seed.
Result<Network> NetworkOfTask(const std::string& id, const Task& task, const Target& target);

}  // namespace whet
