#include <cmath>
#include <limits>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Attributes Over(Ints axes) { return {{"axes", std::move(axes)}}; }

TEST(Reduce, KeepsTheReducedDimensionsWithOneElement) {
  EXPECT_EQ(Infer("ReduceSum", Over({1, 3}), {F32({2, 3, 4, 5})})->shape, (Shape{2, 1, 4, 1}));
  EXPECT_EQ(Infer("ReduceMax", Over({0}), {F32({7})})->shape, (Shape{1}));
}

TEST(Reduce, ComputesEachKindOverOneDimension) {
  const Tensor x = Tensor::Float({2, 3}, {1, -2, 4, 3, 0, -6});
  EXPECT_THAT(Floats(Apply("ReduceSum", Over({1}), {x})), ElementsAre(3, -3));
  EXPECT_THAT(Floats(Apply("ReduceMean", Over({1}), {x})), ElementsAre(1, -1));
  EXPECT_THAT(Floats(Apply("ReduceMax", Over({1}), {x})), ElementsAre(4, 3));
  EXPECT_THAT(Floats(Apply("ReduceMin", Over({1}), {x})), ElementsAre(-2, -6));
  EXPECT_THAT(Floats(Apply("ReduceProd", Over({0}), {x})), ElementsAre(3, 0, -24));
}

TEST(Reduce, ANanIsTheExtremeOfItsRowWhereverItStands) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = Tensor::Float({4, 3}, {nan, 2, 1, 2, nan, 1, 2, 1, nan, 1, 2, 3});
  for (const char* op : {"ReduceMax", "ReduceMin"}) {
    const std::vector<float> y = Floats(Apply(op, Over({1}), {x}));
    for (int row = 0; row < 3; ++row) EXPECT_TRUE(std::isnan(y[row])) << op << " of row " << row;
    EXPECT_FALSE(std::isnan(y[3])) << op;
  }
}

TEST(Reduce, InfinitiesAreReducedLikeNumbers) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::Float({3, 2}, {inf, 1, -inf, -inf, inf, -inf});
  EXPECT_THAT(Floats(Apply("ReduceMax", Over({1}), {x})), ElementsAre(inf, -inf, inf));
  EXPECT_THAT(Floats(Apply("ReduceMin", Over({1}), {x})), ElementsAre(1, -inf, -inf));
  for (const char* op : {"ReduceSum", "ReduceMean"}) {
    const std::vector<float> y = Floats(Apply(op, Over({1}), {x}));
    EXPECT_EQ(y[0], inf) << op;
    EXPECT_EQ(y[1], -inf) << op;
    EXPECT_TRUE(std::isnan(y[2])) << op;
  }
}

TEST(Reduce, TakesDimensionsThatAreNotNeighbours) {
  const Tensor x = Tensor::Float({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_THAT(Floats(Apply("ReduceSum", Over({0, 2}), {x})), ElementsAre(10, 18));
  EXPECT_THAT(Floats(Apply("ReduceMean", Over({0, 1, 2}), {x})), ElementsAre(3.5));
}

TEST(Reduce, ComputesOnTheIntegersOfShapes) {
  const Tensor x = Tensor::Int64({3}, {2, 3, -4});
  EXPECT_THAT(Integers(Apply("ReduceProd", Over({0}), {x})), ElementsAre(-24));
  EXPECT_THAT(Integers(Apply("ReduceMax", Over({0}), {x})), ElementsAre(3));
  EXPECT_THAT(Refusal("ReduceMean", Over({0}), {x.type()}), HasSubstr("should have f32"));
}

TEST(Reduce, RefusesAxesThatAreNotThere) {
  EXPECT_THAT(Refusal("ReduceSum", {}, {F32({2})}), HasSubstr("axes is missing"));
  EXPECT_THAT(Refusal("ReduceSum", Over({}), {F32({2})}), HasSubstr("at least one dimension"));
  EXPECT_THAT(Refusal("ReduceSum", Over({1}), {F32({2})}), HasSubstr("should be"));
  EXPECT_THAT(Refusal("ReduceSum", Over({1, 0}), {F32({2, 2})}), HasSubstr("ascend"));
}

TEST(Reduce, GivesTheNeutralElementOfNothing) {
  const Tensor nothing(F32({2, 0}));
  const auto of = [&](const char* op) { return Floats(Apply(op, Over({1}), {nothing})); };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(of("ReduceSum"), ElementsAre(0, 0));
  EXPECT_THAT(of("ReduceProd"), ElementsAre(1, 1));
  EXPECT_THAT(of("ReduceMax"), ElementsAre(-kInfinity, -kInfinity));
  EXPECT_THAT(of("ReduceMin"), ElementsAre(kInfinity, kInfinity));
  EXPECT_TRUE(std::isnan(of("ReduceMean")[1]));
  EXPECT_THAT(Integers(Apply("ReduceMax", Over({0}), {Tensor::Int64({0}, {})})),
              ElementsAre(std::numeric_limits<int64_t>::min()));
}

}  // namespace
}  // namespace whet
