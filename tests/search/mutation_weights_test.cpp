#include "search/mutation_weights.h"

#include <gtest/gtest.h>

namespace whet {
namespace {

TEST(MutationWeights, AreEqualAsLongAsNothingIsKnown) {
  EXPECT_EQ(MutationWeights(3).Weights(), std::vector<double>(3, 1.0));
}

TEST(MutationWeights, PreferTheKindWhoseChangesPay) {
  MutationWeights mutations(3);
  for (int i = 0; i < 100; ++i) {
    mutations.Learn(1U << 0, i % 2 == 0);
    mutations.Learn(1U << 1, i % 10 == 0);
  }
  const std::vector<double> weights = mutations.Weights();
  EXPECT_GT(weights[0], 1.2);
  EXPECT_LT(weights[1], 0.6);
  EXPECT_NEAR(weights[2], 1, 0.01);  // never tried: what is usual
}

TEST(MutationWeights, LeaveAKindThatNeverPaidAChance) {
  MutationWeights mutations(2);
  for (int i = 0; i < 1000; ++i) {
    mutations.Learn(1U << 0, true);
    mutations.Learn(1U << 1, false);
  }
  EXPECT_EQ(mutations.Weights()[1], 0.25);
}

TEST(MutationWeights, CountAChildForEachKindThatItChanged) {
  MutationWeights mutations(2);
  for (int i = 0; i < 50; ++i) mutations.Learn(0b11, i % 2 == 0);
  EXPECT_DOUBLE_EQ(mutations.Weights()[0], mutations.Weights()[1]);
}

}  // namespace
}  // namespace whet
