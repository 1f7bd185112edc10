#include "search/selector.h"

#include <algorithm>

namespace whet {

double GainOver(int64_t default_ns, int64_t contender_ns) {
  return 1 - static_cast<double>(contender_ns) / static_cast<double>(default_ns);
}

std::optional<size_t> SelectWinner(std::span<const Contender> contenders) {
  const auto standard = std::find_if(
      contenders.begin(), contenders.end(),
      [](const Contender& contender) { return contender.is_default && contender.time_ns > 0; });
  const bool has_standard = standard != contenders.end();
  std::optional<size_t> fastest;
  for (size_t i = 0; i < contenders.size(); ++i) {
    const Contender& contender = contenders[i];
    if (contender.time_ns <= 0) continue;
    if (has_standard && contender.median_ns > standard->median_ns) continue;
    if (!fastest || contender.time_ns < contenders[*fastest].time_ns) fastest = i;
  }
  if (!has_standard) return fastest;
  const bool beaten = GainOver(standard->time_ns, contenders[*fastest].time_ns) > kNoise;
  return beaten ? *fastest : static_cast<size_t>(standard - contenders.begin());
}

}  // namespace whet
