#include "schedules/decision_values.h"

#include <algorithm>
#include <cmath>

namespace whet {
namespace {

// log2(1 + |value|), from a table where it is small: mutation asks thousands of times.
double Doublings(int64_t value) {
  static const std::vector<double> table = [] {
    std::vector<double> logs;
    for (int i = 0; i < 1024; ++i) logs.push_back(std::log2(1.0 + i));
    return logs;
  }();
  const int64_t size = std::abs(value);
  return size < 1024 ? table[static_cast<size_t>(size)]
                     : std::log2(1.0 + static_cast<double>(size));
}

}  // namespace

double Distance(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  if (a.size() != b.size()) return 1e9;
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(Doublings(a[i]) - Doublings(b[i]));
  return sum;
}

size_t Nearest(const std::vector<std::vector<int64_t>>& candidates,
               const std::vector<int64_t>& value) {
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i)
    if (Distance(candidates[i], value) < Distance(candidates[best], value)) best = i;
  return best;
}

size_t PickOther(const std::vector<std::vector<int64_t>>& candidates,
                 const std::vector<int64_t>& now, Rng& rng) {
  if (rng.Chance(0.25)) {
    const auto pick = static_cast<size_t>(rng.Below(static_cast<int64_t>(candidates.size())));
    if (candidates[pick] != now) return pick;
  }
  std::vector<double> nearness;
  nearness.reserve(candidates.size());
  for (const auto& candidate : candidates) {
    const double distance = Distance(candidate, now);
    nearness.push_back(candidate == now ? 0 : 1 / (0.1 + distance * distance));
  }
  return static_cast<size_t>(rng.Weighted(nearness));
}

}  // namespace whet
