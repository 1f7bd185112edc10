// What candidates of a task are checked with: inputs made up from the task's fingerprint, and the
// reference's output for them.
//
// Values lie in about [-1, 1]; the second operand of a contraction is scaled so that outputs have
// about unit variance (activations are then neither saturated nor zero); what must be positive,
// away from zero or a valid index is. Strict tasks have a few extremes among them (extremes.h). The
// same task has the same data everywhere. Files of one directory: in0.bin, in1.bin .. out.bin, and
// bounds.bin of strict tasks that have them, raw bytes in the type's layout. Thread safety: pure
// functions.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/task.h"
#include "search/kernel_check.h"

namespace whet {

// One tensor a task input, in order. kUnsupported for an element type that has no made-up values.
Result<std::vector<Tensor>> MakeInputs(const Task& task);

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
