// Selects the winner among measured candidates. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "tuning_db/record.h"

namespace whet {

// Times of one schedule differ by this much between comparisons: less is no difference.
inline constexpr double kNoise = 0.02;

struct Contender {
  int64_t time_ns = 0;    // Measurement::FastQuarterNs; 0: failed
  int64_t median_ns = 0;  // 0: failed
  bool is_default = false;
};

// The fastest whose median is no larger than the default schedule's; the default where that does
// not beat it by more than kNoise. Nothing, if all failed. Contenders of one comparison, since
// times of different moments do not compare.
std::optional<size_t> SelectWinner(std::span<const Contender> contenders);

// The gain of `contender` over the default, as a part of the default's time; negative if slower.
double GainOver(int64_t default_ns, int64_t contender_ns);

}  // namespace whet
