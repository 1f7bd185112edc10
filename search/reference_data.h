// What candidates of a task are checked with: made-up inputs (made_up_inputs.h) and what must come
// out for them. Files of one directory: in0.bin, in1.bin .. out.bin, and bounds.bin of strict tasks
// that have them, raw bytes in the type's layout. Thread safety: pure functions.
#pragma once

#include <filesystem>
#include <span>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/task.h"
#include "search/kernel_check.h"

namespace whet {

// What must come out for these inputs, one tensor a task input.
Result<Expected> ExpectedOf(const Task& task, std::span<const Tensor* const> inputs);

// Makes the inputs, runs the reference and writes both to `directory`, which it creates.
Status WriteReferenceData(const Task& task, const std::filesystem::path& directory);
// What WriteReferenceData wrote must come out.
Result<Expected> ReadExpected(const Task& task, const std::filesystem::path& directory);

std::filesystem::path InputFile(const std::filesystem::path& directory, size_t index);
std::filesystem::path OutputFile(const std::filesystem::path& directory);

// Reads a file of exactly `bytes` bytes to `into`. kIo, or kCorrupt for another size.
Status ReadBytes(const std::filesystem::path& path, void* into, size_t bytes);

}  // namespace whet
