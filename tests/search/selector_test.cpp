#include "search/selector.h"

#include <gtest/gtest.h>

#include <vector>

namespace whet {
namespace {

struct Steady {  // a kernel whose samples agree
  int64_t ns = 0;
  bool is_default = false;
};

std::optional<size_t> Winner(const std::vector<Steady>& kernels) {
  std::vector<Contender> contenders;
  for (const Steady& kernel : kernels)
    contenders.push_back({kernel.ns, kernel.ns, kernel.is_default});
  return SelectWinner(contenders);
}

TEST(Selector, PicksTheFastest) {
  EXPECT_EQ(Winner({{1000, true}, {700, false}, {600, false}}), 2u);
}

TEST(Selector, SkipsWhatFailed) { EXPECT_EQ(Winner({{1000, true}, {0, false}, {800, false}}), 2u); }

TEST(Selector, KeepsTheDefaultWhereNothingIsFaster) {
  EXPECT_EQ(Winner({{1000, true}, {1001, false}}), 0u);
  EXPECT_EQ(Winner({{1000, true}, {1000, false}}), 0u);
}

TEST(Selector, KeepsTheDefaultWhereTheGainIsNoise) {
  EXPECT_EQ(Winner({{1000, true}, {985, false}}), 0u);
  EXPECT_EQ(Winner({{1000, true}, {975, false}}), 1u);
}

TEST(Selector, TakesAnythingThatRunsWhereTheDefaultFailed) {
  EXPECT_EQ(Winner({{0, true}, {5000, false}}), 1u);
}

TEST(Selector, OfEquallyFastCandidatesTheFirstWins) {
  EXPECT_EQ(Winner({{1000, true}, {500, false}, {500, false}}), 1u);
}

TEST(Selector, ComparesGoodMomentsButNeverTakesWhatIsSlowerThanTheDefaultByMedian) {
  const auto winner = [](const std::vector<Contender>& contenders) {
    return SelectWinner(contenders);
  };
  EXPECT_EQ(winner({{1000, 1200, true}, {800, 1100, false}, {850, 1000, false}}), 1u);
  EXPECT_EQ(winner({{1000, 1200, true}, {800, 1300, false}, {850, 1100, false}}), 2u);
  EXPECT_EQ(winner({{1000, 1200, true}, {800, 1300, false}}), 0u);
}

TEST(Selector, PicksNothingWhereAllFailed) {
  EXPECT_EQ(Winner({{0, true}, {0, false}}), std::nullopt);
  EXPECT_EQ(Winner({}), std::nullopt);
}

}  // namespace
}  // namespace whet
