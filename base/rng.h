// The seeded random generator that every choice of Whet comes from.
//
// xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. The same seed gives the same
// numbers on every machine and standard library, which std::uniform_int_distribution does not
// promise. Thread safety: none; one generator, one thread.
#pragma once

#include <cstdint>
#include <vector>

namespace whet {

class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t Next();           // 64 random bits
  int64_t Below(int64_t n);  // in [0, n), n > 0
  double Uniform();          // in [0, 1)
  bool Chance(double p) { return Uniform() < p; }
  // An index in [0, weights.size()), with probability proportional to its weight (not all zero).
  int64_t Weighted(const std::vector<double>& weights);
  Rng Fork();  // an independent generator

 private:
  uint64_t state_[4];
};

}  // namespace whet
