#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor Counting(int64_t height, int64_t width) {
  Tensor x(F32({1, 1, height, width}));
  for (int64_t i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(i + 1);
  return x;
}

Attributes Kernel(Ints kernel, Ints strides = {1, 1}, Ints pads = {0, 0, 0, 0}) {
  return {{"kernel_shape", std::move(kernel)},
          {"strides", std::move(strides)},
          {"pads", std::move(pads)}};
}

TEST(MaxPool, TakesTheLargestUnderTheWindow) {
  EXPECT_THAT(Floats(Apply("MaxPool", Kernel({2, 2}, {2, 2}), {Counting(4, 4)})),
              ElementsAre(6, 8, 14, 16));
}

TEST(MaxPool, IgnoresPaddingEvenWhereAllValuesAreNegative) {
  const Tensor x = Tensor::Float({1, 1, 1, 2}, {-5, -7});
  EXPECT_THAT(Floats(Apply("MaxPool", Kernel({1, 2}, {1, 1}, {0, 1, 0, 1}), {x})),
              ElementsAre(-5, -5, -7));
}

TEST(MaxPool, IsNanWhereOneIsUnderTheWindowAndInfiniteWhereAllAre) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::Float({1, 1, 1, 8}, {1, nan, 2, -inf, -inf, -inf, inf, 3});
  const std::vector<float> y = Floats(Apply("MaxPool", Kernel({1, 2}, {1, 1}, {0, 1, 0, 1}), {x}));
  EXPECT_EQ(y[0], 1);
  EXPECT_TRUE(std::isnan(y[1]) && std::isnan(y[2]));
  EXPECT_THAT(std::vector<float>(y.begin() + 3, y.end()), ElementsAre(2, -inf, -inf, inf, inf, 3));
}

TEST(MaxPool, SpreadsItsWindowByDilation) {
  Attributes attributes = Kernel({2, 2});
  attributes.Set("dilations", Ints{2, 2});
  EXPECT_THAT(Floats(Apply("MaxPool", attributes, {Counting(4, 4)})), ElementsAre(11, 12, 15, 16));
}

TEST(MaxPool, WithCeilModeLetsTheLastWindowHangOver) {
  Attributes attributes = Kernel({3, 3}, {2, 2});
  EXPECT_THAT(Floats(Apply("MaxPool", attributes, {Counting(4, 4)})), ElementsAre(11));
  attributes.Set("ceil_mode", int64_t{1});
  EXPECT_THAT(Floats(Apply("MaxPool", attributes, {Counting(4, 4)})), ElementsAre(11, 12, 15, 16));
}

TEST(MaxPool, WithCeilModeStartsNoWindowInThePaddingAtTheEnd) {
  // 2 inputs, 1 pad on either side, kernel 1, stride 2: a third of ceil((2 + 2 - 1) / 2) + 1 = 3
  // windows would start at 4 - 1 = 3, beyond the inputs 0 and 1.
  Attributes attributes = Kernel({2, 2}, {3, 3}, {0, 0, 1, 1});
  attributes.Set("ceil_mode", int64_t{1});
  EXPECT_EQ(Apply("MaxPool", attributes, {Counting(3, 3)}).shape(), (Shape{1, 1, 1, 1}));
}

TEST(AveragePool, DividesByWhatIsInsideTheInput) {
  const Tensor x = Tensor::Float({1, 1, 1, 3}, {3, 6, 9});
  EXPECT_THAT(Floats(Apply("AveragePool", Kernel({1, 2}, {1, 1}, {0, 1, 0, 1}), {x})),
              ElementsAre(3, 4.5, 7.5, 9));
}

TEST(AveragePool, CountsPaddingAsZerosWhenAsked) {
  Attributes attributes = Kernel({1, 2}, {1, 1}, {0, 1, 0, 1});
  attributes.Set("count_include_pad", int64_t{1});
  const Tensor x = Tensor::Float({1, 1, 1, 3}, {3, 6, 9});
  EXPECT_THAT(Floats(Apply("AveragePool", attributes, {x})), ElementsAre(1.5, 4.5, 7.5, 4.5));
}

TEST(AveragePool, DoesNotCountWhatHangsOverThePaddedEnd) {
  // Windows {1, 2, 3}, {3, 4, nothing}: the last has two elements, one input and one pad counted.
  Attributes attributes = Kernel({1, 3}, {1, 2}, {0, 0, 0, 1});
  attributes.Set("ceil_mode", int64_t{1});
  attributes.Set("count_include_pad", int64_t{1});
  const Tensor x = Tensor::Float({1, 1, 1, 5}, {1, 2, 3, 4, 5});
  EXPECT_THAT(Floats(Apply("AveragePool", attributes, {x})), ElementsAre(2, 4, 2.5));
}

TEST(GlobalAveragePool, AveragesEachPlane) {
  const Tensor x = Tensor::Float({1, 2, 2, 2}, {1, 2, 3, 4, 10, 20, 30, 40});
  const Tensor y = Apply("GlobalAveragePool", {}, {x});
  EXPECT_EQ(y.shape(), (Shape{1, 2, 1, 1}));
  EXPECT_THAT(Floats(y), ElementsAre(2.5, 25));
}

TEST(Pools, RefusePadsAsWideAsTheWindow) {
  EXPECT_THAT(Refusal("MaxPool", Kernel({2, 2}, {1, 1}, {2, 0, 0, 0}), {F32({1, 1, 4, 4})}),
              HasSubstr("smaller than the window's extent of 2"));
  EXPECT_THAT(Refusal("AveragePool", {}, {F32({1, 1, 4, 4})}),
              HasSubstr("attribute kernel_shape is missing"));
}

RC_GTEST_PROP(PoolProperty, InChannelsLastIsTheTransposeOfChannelsFirst, ()) {
  Rng rng(*rc::gen::arbitrary<uint64_t>());
  const char* op = rng.Chance(0.5) ? "MaxPool" : "AveragePool";
  const Ints kernel = {1 + rng.Below(3), 1 + rng.Below(3)};
  Attributes attributes = Kernel(
      kernel, {1 + rng.Below(3), 1 + rng.Below(3)},
      {rng.Below(kernel[0]), rng.Below(kernel[1]), rng.Below(kernel[0]), rng.Below(kernel[1])});
  attributes.Set("ceil_mode", rng.Below(2));
  if (op == std::string("AveragePool")) attributes.Set("count_include_pad", rng.Below(2));
  const Tensor x =
      WholeNumbers({1 + rng.Below(2), 1 + rng.Below(3), 4 + rng.Below(6), 4 + rng.Below(6)}, rng);
  const Tensor first = Apply(op, attributes, {x});
  attributes.Set("layout", std::string("NHWC"));
  const Tensor last = Nchw(Apply(op, attributes, {Nhwc(x)}));
  RC_ASSERT(first.shape() == last.shape());
  RC_ASSERT(Floats(first) == Floats(last));
}

}  // namespace
}  // namespace whet
