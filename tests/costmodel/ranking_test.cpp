#include <gtest/gtest.h>

#include <vector>

#include "costmodel/cost_model.h"

namespace whet {
namespace {

using Floats = std::vector<float>;

TEST(PairwiseAccuracy, IsOneForTheSameOrderAndZeroForTheReverse) {
  EXPECT_EQ(PairwiseAccuracy(Floats{1, 2, 3}, Floats{0.1F, 0.2F, 0.9F}), 1);
  EXPECT_EQ(PairwiseAccuracy(Floats{3, 2, 1}, Floats{0.1F, 0.2F, 0.9F}), 0);
}

TEST(PairwiseAccuracy, SkipsPairsThatMeasureTheSame) {
  EXPECT_EQ(PairwiseAccuracy(Floats{1, 5, 3}, Floats{0.5F, 0.5F, 0.5F}), 1);
  EXPECT_EQ(PairwiseAccuracy(Floats{1, 5, 7}, Floats{0.5F, 0.5F, 0.9F}), 1);
}

TEST(PairwiseAccuracy, CountsEqualScoresHalf) {
  EXPECT_EQ(PairwiseAccuracy(Floats{1, 1}, Floats{0.1F, 0.2F}), 0.5);
}

TEST(SpearmanRho, IsTheCorrelationOfRanks) {
  EXPECT_NEAR(SpearmanRho(Floats{1, 10, 100, 1000}, Floats{1, 2, 3, 4}), 1, 1e-12);
  EXPECT_NEAR(SpearmanRho(Floats{4, 3, 2, 1}, Floats{1, 2, 3, 4}), -1, 1e-12);
  EXPECT_NEAR(SpearmanRho(Floats{2, 1, 4, 3}, Floats{1, 2, 3, 4}), 0.6, 1e-12);
}

TEST(SpearmanRho, TiesShareTheirMeanRank) {
  EXPECT_NEAR(SpearmanRho(Floats{1, 1, 2}, Floats{1, 2, 3}), 0.8660254, 1e-6);
}

TEST(SpearmanRho, IsZeroWhereNothingVaries) {
  EXPECT_EQ(SpearmanRho(Floats{1, 1, 1}, Floats{1, 2, 3}), 0);
  EXPECT_EQ(SpearmanRho(Floats{1}, Floats{1}), 0);
  EXPECT_EQ(SpearmanRho(Floats{}, Floats{}), 0);
}

}  // namespace
}  // namespace whet
