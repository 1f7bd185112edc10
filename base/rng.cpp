#include "base/rng.h"

#include <bit>
#include <cassert>
#include <cstddef>

namespace whet {
namespace {

uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(seed);
}

uint64_t Rng::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

int64_t Rng::Below(int64_t n) {
  assert(n > 0);
  const uint64_t range = static_cast<uint64_t>(n);
  // The lowest 2^64 mod n values would make small results likelier: they are drawn again.
  const uint64_t threshold = (0 - range) % range;
  uint64_t bits = Next();
  while (bits < threshold) bits = Next();
  return static_cast<int64_t>(bits % range);
}

double Rng::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

int64_t Rng::Weighted(const std::vector<double>& weights) {
  double sum = 0;
  for (double weight : weights) sum += weight;
  assert(sum > 0);
  double left = Uniform() * sum;
  int64_t last = 0;  // rounding may leave a rest behind the last weight
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = static_cast<int64_t>(i);
    left -= weights[i];
    if (left < 0) break;
  }
  return last;
}

Rng Rng::Fork() { return Rng(Next()); }

}  // namespace whet
