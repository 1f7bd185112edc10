#include "base/inline_vector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace whet {
namespace {

using testing::ElementsAre;
using Few = InlineVector<int, 3>;

TEST(InlineVector, KeepsItsElementsWhenItOutgrowsItself) {
  Few v = {1, 2, 3};
  v.push_back(4);
  v.push_back(v[0]);
  EXPECT_THAT(v, ElementsAre(1, 2, 3, 4, 1));
}

TEST(InlineVector, CopiesAndMovesShortAndLongOnes) {
  for (const Few& original : {Few{1, 2}, Few{1, 2, 3, 4, 5}}) {
    Few copy = original;
    EXPECT_EQ(copy, original);
    Few moved = std::move(copy);
    EXPECT_EQ(moved, original);
    copy = moved;
    EXPECT_EQ(copy, original);
    Few other = {7, 8, 9, 10};
    other = std::move(moved);
    EXPECT_EQ(other, original);
    moved = {6};
    EXPECT_THAT(moved, ElementsAre(6));
  }
}

TEST(InlineVector, InsertsAndErasesWhereItIsTold) {
  Few v = {1, 2, 3};
  v.insert(1, 9);
  EXPECT_THAT(v, ElementsAre(1, 9, 2, 3));
  v.insert(4, 8);
  v.erase(0);
  EXPECT_THAT(v, ElementsAre(9, 2, 3, 8));
}

TEST(InlineVector, FillsWhatItGrowsBy) {
  Few v = {5};
  v.resize(5, 2);
  EXPECT_THAT(v, ElementsAre(5, 2, 2, 2, 2));
  v.resize(1);
  v.resize(2);
  EXPECT_THAT(v, ElementsAre(5, 0));
}

}  // namespace
}  // namespace whet
