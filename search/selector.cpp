#include "search/selector.h"

namespace whet {

double GainOver(int64_t default_ns, int64_t contender_ns) {
  return 1 - static_cast<double>(contender_ns) / static_cast<double>(default_ns);
}

std::optional<size_t> SelectWinner(std::span<const Contender> contenders) {
  std::optional<size_t> fastest;
  std::optional<size_t> standard;
  for (size_t i = 0; i < contenders.size(); ++i) {
    const Contender& contender = contenders[i];
    if (contender.median_ns <= 0) continue;
    if (contender.is_default) standard = i;
    if (!fastest || contender.median_ns < contenders[*fastest].median_ns) fastest = i;
  }
  if (!standard) return fastest;
  const bool beaten =
      GainOver(contenders[*standard].median_ns, contenders[*fastest].median_ns) > kNoise;
  return beaten ? fastest : standard;
}

}  // namespace whet
