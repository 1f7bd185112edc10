#include "search/mutation_weights.h"

#include <algorithm>
#include <numeric>

namespace whet {
namespace {

constexpr double kAssumedTried = 16;  // of each kind
constexpr double kLeastWeight = 0.25;

}  // namespace

void MutationWeights::Learn(uint64_t changed, bool better) {
  for (size_t kind = 0; kind < tried_.size(); ++kind) {
    if ((changed >> kind & 1) == 0) continue;
    tried_[kind] += 1;
    paid_[kind] += better ? 1 : 0;
  }
}

std::vector<double> MutationWeights::Weights() const {
  const double tried = std::accumulate(tried_.begin(), tried_.end(), 1.0);
  const double paid = std::accumulate(paid_.begin(), paid_.end(), 0.5);
  const double usual = paid / tried;
  std::vector<double> weights(tried_.size());
  for (size_t kind = 0; kind < tried_.size(); ++kind) {
    const double share = (paid_[kind] + kAssumedTried * usual) / (tried_[kind] + kAssumedTried);
    weights[kind] = std::max(kLeastWeight, share / usual);
  }
  return weights;
}

}  // namespace whet
