// Tasks in ONNX's own layout, for what stands between two conversions.
//
// A network runs channels last (passes/use_channels_last.cpp); where a kernel has a conversion from
// ONNX's layout before it and one back behind it, computing it channels first saves both. Whether
// that is faster is for measurements to say (blocks.h). Thread safety: plain functions.
#pragma once

#include <optional>

#include "schedules/task.h"

namespace whet {

enum class Conversion { kToChannelsLast, kToChannelsFirst };

// What a Transpose of [n, c, h, w] to [n, h, w, c] or back converts to; nothing for other nodes.
std::optional<Conversion> ConversionOf(const TaskNode& node);

// `task`, whose first node converts its image to channels last and of which a later one converts
// the result back, with neither, and everything between them channels first. Nothing where another
// operand than parameters and scalars comes in between, or the task is of another kind.
std::optional<Task> WithoutConversions(const Task& task);

}  // namespace whet
