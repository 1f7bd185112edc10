#include "base/rng.h"

#include <gtest/gtest.h>

#include <map>

namespace whet {
namespace {

TEST(Rng, TheSameSeedGivesTheSameNumbersOnEveryMachine) {
  // xoshiro256** after splitmix64 from seed 42, as the authors' C code gives them.
  Rng rng(42);
  EXPECT_EQ(rng.Next(), 1546998764402558742u);
  EXPECT_EQ(rng.Next(), 6990951692964543102u);
}

TEST(Rng, BelowStaysInRangeAndReachesEveryValue) {
  Rng rng(1);
  std::map<int64_t, int> seen;
  for (int i = 0; i < 7000; ++i) ++seen[rng.Below(7)];
  EXPECT_EQ(seen.size(), 7u);
  for (const auto& [value, count] : seen) {
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 7);
    EXPECT_NEAR(count, 1000, 200);
  }
}

TEST(Rng, UniformIsInTheUnitInterval) {
  Rng rng(2);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double x = rng.Uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(Rng, WeightedFollowsTheWeights) {
  Rng rng(3);
  std::vector<int> seen(4);
  for (int i = 0; i < 8000; ++i) ++seen[static_cast<size_t>(rng.Weighted({1, 0, 3, 0}))];
  EXPECT_EQ(seen[1], 0);
  EXPECT_EQ(seen[3], 0);
  EXPECT_NEAR(seen[2], 6000, 300);
}

TEST(Rng, AForkGoesItsOwnWay) {
  Rng a(4);
  Rng b = a.Fork();
  EXPECT_NE(a.Next(), b.Next());
}

}  // namespace
}  // namespace whet
