// Which kinds of decisions pay to change: learned from children that the model scored above their
// parents.
//
// A kind's weight is its share of changes that paid over that of all kinds, both with a few changes
// of each outcome assumed beforehand. Thread safety: plain value.
#pragma once

#include <cstdint>
#include <vector>

namespace whet {

class MutationWeights {
 public:
  explicit MutationWeights(size_t kinds) : tried_(kinds, 0.0), paid_(kinds, 0.0) {}

  // A child whose changed decisions were of the kinds in `changed` (bit k: kind k).
  void Learn(uint64_t changed, bool better);
  // One a kind, 1 where nothing is known; never below a quarter, since what does not pay now may
  // pay later.
  std::vector<double> Weights() const;

 private:
  std::vector<double> tried_, paid_;
};

}  // namespace whet
