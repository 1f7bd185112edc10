// Values of a decision and how far they are apart: what mutation and adaptation choose among.
// Internal to the sketch space. Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/rng.h"

namespace whet {

// In doublings, summed over the elements; far for values of different lengths.
double Distance(const std::vector<int64_t>& a, const std::vector<int64_t>& b);

// The candidate that is closest to `value`, the first of equals. Requires one.
size_t Nearest(const std::vector<std::vector<int64_t>>& candidates,
               const std::vector<int64_t>& value);

// A candidate other than `now`: a near one more often than a far one.
size_t PickOther(const std::vector<std::vector<int64_t>>& candidates,
                 const std::vector<int64_t>& now, Rng& rng);

}  // namespace whet
