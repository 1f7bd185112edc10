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

TEST(Softmax, RefusesAnAxisThatIsNotThere) {
  EXPECT_THAT(Refusal("Softmax", {{"axis", int64_t{2}}}, {F32({2, 2})}), HasSubstr("from -2 to 1"));
  EXPECT_THAT(Refusal("Softmax", {}, {F32({})}), HasSubstr("scalar"));
}

}  // namespace
}  // namespace whet
