// Index expressions: the values that they take over loops.
#include <gtest/gtest.h>

#include "schedules/dag.h"
#include "schedules/index_range.h"

namespace whet {
namespace {

using Op = IndexExpr::Op;

TEST(IndexExpr, IsAsWideAsTheValuesThatItsLoopsGiveIt) {
  const IndexExpr sum{{{Op::kLoop, 0}, {Op::kMul, 2}, {Op::kLoop, 1}, {Op::kAdd, 0}}};
  EXPECT_EQ(sum.Width({4, 3}), 9);  // 0 to 2 * 3 + 2
  const IndexExpr half{{{Op::kLoop, 0}, {Op::kFloorDiv, 2}}};
  EXPECT_EQ(half.Width({5}), 3);
}

TEST(IndexExpr, TakesLoopsWithoutAnExtentToStandStill) {
  const IndexExpr sum{{{Op::kLoop, 13}, {Op::kFloorDiv, 2}, {Op::kLoop, 0}, {Op::kAdd, 0}}};
  EXPECT_EQ(sum.Width({4}), 4);
  const IndexExpr alone{{{Op::kLoop, 7}}};
  EXPECT_EQ(alone.Width({4}), 1);
}

}  // namespace
}  // namespace whet
