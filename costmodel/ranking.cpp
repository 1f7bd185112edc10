#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "costmodel/cost_model.h"

namespace whet {
namespace {

// Ranks from 0, ties at their mean.
std::vector<double> Ranks(std::span<const float> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const double mean = static_cast<double>(i + end - 1) / 2;
    for (; i < end; ++i) ranks[order[i]] = mean;
  }
  return ranks;
}

}  // namespace

double PairwiseAccuracy(std::span<const float> scores, std::span<const float> throughput) {
  assert(scores.size() == throughput.size());
  double pairs = 0;
  double agreed = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (throughput[i] == throughput[j]) continue;
      pairs += 1;
      if (scores[i] == scores[j]) {
        agreed += 0.5;
      } else if ((scores[i] < scores[j]) == (throughput[i] < throughput[j])) {
        agreed += 1;
      }
    }
  }
  return pairs > 0 ? agreed / pairs : 1.0;
}

double SpearmanRho(std::span<const float> scores, std::span<const float> throughput) {
  assert(scores.size() == throughput.size());
  const auto n = static_cast<double>(scores.size());
  if (scores.size() < 2) return 0;
  const std::vector<double> a = Ranks(scores);
  const std::vector<double> b = Ranks(throughput);
  const double mean = (n - 1) / 2;
  double covariance = 0;
  double variance_a = 0;
  double variance_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    covariance += (a[i] - mean) * (b[i] - mean);
    variance_a += (a[i] - mean) * (a[i] - mean);
    variance_b += (b[i] - mean) * (b[i] - mean);
  }
  if (variance_a == 0 || variance_b == 0) return 0;
  return covariance / std::sqrt(variance_a * variance_b);
}

}  // namespace whet
