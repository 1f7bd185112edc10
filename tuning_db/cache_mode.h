// Whether a run times kernels with warm caches or with emptied ones: part of its settings, since
// times of the two do not compare.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace whet {

struct RunInfo;

enum class CacheMode : uint8_t {
  kWarm,  // calls follow each other: a kernel finds what its last call left
  kCold,  // before every timed call the caches are emptied of the kernel's data
};
std::string_view Name(CacheMode mode);                    // "warm", "cold"
Result<CacheMode> ParseCacheMode(std::string_view name);  // kInvalidInput says what there is
inline constexpr const char* kCacheModes[] = {"warm", "cold"};

// What the run's settings say; kWarm where they say nothing, as those of earlier versions, or where
// there are none.
Result<CacheMode> CacheModeOf(const RunInfo& run);

}  // namespace whet
