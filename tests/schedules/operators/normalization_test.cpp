#include <cmath>
#include <limits>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

std::vector<Tensor> Statistics(const Tensor& x) {
  return {x, Tensor::Float({2}, {1, 2}), Tensor::Float({2}, {0, 10}), Tensor::Float({2}, {1, 3}),
          Tensor::Float({2}, {3, 15})};
}

TEST(BatchNormalization, NormalisesEachChannel) {
  const Tensor x = Tensor::Float({1, 2, 1, 2}, {1, 3, 3, 5});
  const Attributes attributes = {{"epsilon", 1.0}};  // square roots of 4 and 16
  EXPECT_THAT(Floats(Apply("BatchNormalization", attributes, Statistics(x))),
              ElementsAre(0, 1, 10, 11));
}

TEST(BatchNormalization, FindsTheChannelsOfEitherLayout) {
  Rng rng(3);
  const Tensor x = WholeNumbers({2, 2, 3, 4}, rng);
  const Attributes last = {{"layout", std::string("NHWC")}};
  EXPECT_EQ(Floats(Apply("BatchNormalization", {}, Statistics(x))),
            Floats(Nchw(Apply("BatchNormalization", last, Statistics(Nhwc(x))))));
}

TEST(BatchNormalization, NamesTheParameterOfTheWrongShape) {
  EXPECT_EQ(
      Refusal("BatchNormalization", {}, {F32({1, 4}), F32({4}), F32({4}), F32({3}), F32({4})}),
      "mean has the shape 3 and should have 4: one value a channel");
}

TEST(LayerNormalization, NormalisesEachRow) {
  const Tensor x = Tensor::Float({2, 2}, {1, 3, 10, 10});  // variances of 1 and 0
  const Tensor scale = Tensor::Float({2}, {2, 4}), bias = Tensor::Float({2}, {1, 0});
  const Attributes attributes = {{"epsilon", 3.0}};
  EXPECT_THAT(Floats(Apply("LayerNormalization", attributes, {x, scale, bias})),
              ElementsAre(0, 2, 1, 0));
  EXPECT_THAT(Floats(Apply("LayerNormalization", attributes, {x, scale})),
              ElementsAre(-1, 2, 0, 0));
}

TEST(LayerNormalization, TakesAllDimensionsFromItsAxisOn) {
  const Tensor x = Tensor::Float({2, 1, 2}, {1, 3, 1, 3}), ones = Tensor::Float({1, 2}, {1, 1});
  const Attributes attributes = {{"axis", int64_t{1}}, {"epsilon", 3.0}};
  EXPECT_THAT(Floats(Apply("LayerNormalization", attributes, {x, ones})),
              ElementsAre(-0.5, 0.5, -0.5, 0.5));
}

TEST(LayerNormalization, KeepsItsDigitsFarFromZero) {
  const Tensor x = Tensor::Float({1, 2}, {4096, 4098}), ones = Tensor::Float({2}, {1, 1});
  EXPECT_THAT(Floats(Apply("LayerNormalization", {{"epsilon", 0.0}}, {x, ones})),
              ElementsAre(-1, 1));
}

TEST(LayerNormalization, MakesNothingOfARowOfEqualNumbers) {
  const Tensor x = Tensor::Float({1, 3}, {12345.678f, 12345.678f, 12345.678f});
  const Tensor scale = Tensor::Float({3}, {2, 2, 2}), bias = Tensor::Float({3}, {1, 0, -1});
  EXPECT_THAT(Floats(Apply("LayerNormalization", {}, {x, scale, bias})), ElementsAre(1, 0, -1));
}

TEST(LayerNormalization, NamesTheOperandOfTheWrongShape) {
  EXPECT_EQ(Refusal("LayerNormalization", {}, {F32({2, 4}), F32({4}), F32({2})}),
            "b has the shape 2 and should have 4: x's dimensions from axis 1 on");
  EXPECT_THAT(Refusal("LayerNormalization", {{"axis", int64_t{2}}}, {F32({2, 4}), F32({4})}),
              HasSubstr("from -2 to 1"));
}

TEST(Softmax, SumsToOneAlongItsAxis) {
  const Tensor x = Tensor::Float({2, 2}, {0, 1, 0, 3});
  EXPECT_THAT(
      Floats(Apply("Softmax", {}, {x})),
      Pointwise(FloatNear(1e-6f), {0.2689414214f, 0.7310585786f, 0.0474258732f, 0.9525741268f}));
  EXPECT_THAT(Floats(Apply("Softmax", {{"axis", int64_t{0}}}, {x})),
              Pointwise(FloatNear(1e-6f), {0.5f, 0.1192029220f, 0.5f, 0.8807970780f}));
}

TEST(Softmax, DoesNotOverflow) {
  EXPECT_THAT(Floats(Apply("Softmax", {}, {Tensor::Float({1, 3}, {1000, 1000, -1000})})),
              ElementsAre(0.5, 0.5, 0));
}

TEST(Softmax, IsNanForRowsThatHaveNoSoftmaxAndForNoOthers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> y = Floats(
      Apply("Softmax", {}, {Tensor::Float({5, 2}, {1, nan, inf, 1, -inf, -inf, -inf, 1, 0, 0})}));
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(std::isnan(y[i])) << i;
  EXPECT_THAT(std::vector<float>(y.begin() + 6, y.end()), ElementsAre(0, 1, 0.5, 0.5));
}

TEST(Softmax, RefusesAnAxisThatIsNotThere) {
  EXPECT_THAT(Refusal("Softmax", {{"axis", int64_t{2}}}, {F32({2, 2})}), HasSubstr("from -2 to 1"));
  EXPECT_THAT(Refusal("Softmax", {}, {F32({})}), HasSubstr("scalar"));
}

}  // namespace
}  // namespace whet
