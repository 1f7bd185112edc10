// How exact the kernels of a task have to be: part of the task, since it decides which algorithms
// may compute it and what their results are held to (docs/accuracy.md).
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace whet {

enum class Accuracy : uint8_t {
  kFast,    // an element's error is relative to the largest magnitude of the tile it is made from
  kStrict,  // to the sum of the magnitudes of its own terms; infinities and NaN stay where they
            // belong
};
std::string_view Name(Accuracy accuracy);               // "fast", "strict"
Result<Accuracy> ParseAccuracy(std::string_view name);  // kInvalidInput says what there is

}  // namespace whet
