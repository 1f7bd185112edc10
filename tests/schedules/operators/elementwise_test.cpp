#include <cmath>
#include <limits>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr float kTolerance = 1e-6f;

std::vector<float> Map(std::string_view op, const std::vector<float>& x,
                       const Attributes& attributes = {}) {
  return Floats(Apply(op, attributes, {Tensor::Float({static_cast<int64_t>(x.size())}, x)}));
}

TEST(Elementwise, ActivationsMeanWhatOnnxSays) {
  EXPECT_THAT(Map("Relu", {-2, 0, 3}), ElementsAre(0, 0, 3));
  EXPECT_THAT(Map("LeakyRelu", {-2, 3}, {{"alpha", 0.5}}), ElementsAre(-1, 3));
  EXPECT_THAT(Map("HardSigmoid", {-10, 0, 1, 10}, {{"alpha", 0.25}}), ElementsAre(0, 0.5, 0.75, 1));
  EXPECT_THAT(Map("HardSwish", {-4, 0, 3, 4}), ElementsAre(0, 0, 3, 4));
  EXPECT_THAT(Map("Sigmoid", {0, 2, -1000, 1000}),
              Pointwise(FloatNear(kTolerance), {0.5f, 0.8807970779f, 0.0f, 1.0f}));
  EXPECT_THAT(Map("Tanh", {0, 1, -100}),
              Pointwise(FloatNear(kTolerance), {0.0f, 0.7615941559f, -1.0f}));
  EXPECT_THAT(Map("Gelu", {-1, 0, 2}),
              Pointwise(FloatNear(kTolerance), {-0.1586552539f, 0.0f, 1.9544997361f}));
  EXPECT_THAT(Map("Gelu", {-1, 2}, {{"approximate", std::string("tanh")}}),
              Pointwise(FloatNear(kTolerance), {-0.1588080094f, 1.9545976784f}));
}

TEST(Elementwise, FunctionsMeanWhatOnnxSays) {
  EXPECT_THAT(Map("Neg", {-2, 3}), ElementsAre(2, -3));
  EXPECT_THAT(Map("Abs", {-2, 3}), ElementsAre(2, 3));
  EXPECT_THAT(Map("Sqrt", {4, 2.25}), ElementsAre(2, 1.5));
  EXPECT_THAT(Map("Log", {1, 2}), Pointwise(FloatNear(kTolerance), {0.0f, 0.6931471806f}));
  EXPECT_THAT(Map("Exp", {0, 1}), Pointwise(FloatNear(kTolerance), {1.0f, 2.7182818285f}));
  EXPECT_THAT(Map("Erf", {0, 1, -1}),
              Pointwise(FloatNear(kTolerance), {0.0f, 0.8427007929f, -0.8427007929f}));
}

TEST(Elementwise, PowersTakeNegativeBasesToWholeExponents) {
  const Tensor a = Tensor::Float({3}, {2, -2, -2}), b = Tensor::Float({3}, {0.5f, 3, 0.5f});
  const std::vector<float> y = Floats(Apply("Pow", {}, {a, b}));
  EXPECT_NEAR(y[0], M_SQRT2, kTolerance);
  EXPECT_EQ(y[1], -8);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_THAT(Refusal("Pow", {}, {Tensor::Int64({1}, {1}).type(), Tensor::Int64({1}, {1}).type()}),
              HasSubstr("should have f32"));
}

TEST(Elementwise, ComparisonsGiveTruthValues) {
  const Tensor a = Tensor::Float({3}, {1, 2, 3}), two = Tensor::Float({}, {2});
  EXPECT_THAT(Integers(Apply("Less", {}, {a, two})), ElementsAre(1, 0, 0));
  EXPECT_THAT(Integers(Apply("LessOrEqual", {}, {a, two})), ElementsAre(1, 1, 0));
  const Tensor equal = Apply("Equal", {}, {a, two});
  EXPECT_THAT(Integers(equal), ElementsAre(0, 1, 0));
  EXPECT_EQ(equal.dtype(), DataType::kBool);
  EXPECT_THAT(Integers(Apply("Equal", {}, {equal, equal})), ElementsAre(1, 1, 1));
}

TEST(Where, ChoosesElementByElement) {
  const Tensor a = Tensor::Float({2}, {1, 2}), two = Tensor::Float({}, {2});
  const Tensor condition = Apply("Less", {}, {a, two}), y = Tensor::Float({2, 1}, {7, 8});
  EXPECT_THAT(Floats(Apply("Where", {}, {condition, a, y})), ElementsAre(1, 7, 1, 8));
  EXPECT_EQ(Refusal("Where", {}, {F32({2}), F32({2}), F32({2})}),
            "condition has elements of type f32 and should have bool");
}

TEST(Clip, LeavesOutAbsentBounds) {
  EXPECT_THAT(Map("Clip", {-9, 1, 9}, {{"min", 0.0}, {"max", 6.0}}), ElementsAre(0, 1, 6));
  EXPECT_THAT(Map("Clip", {-9, 1, 9}, {{"max", int64_t{6}}}), ElementsAre(-9, 1, 6));
  EXPECT_THAT(Map("Clip", {-9, 9}), ElementsAre(-9, 9));
  EXPECT_THAT(Refusal("Clip", {{"min", std::nan("")}}, {F32({2})}),
              HasSubstr("attribute min should be a number"));
}

TEST(Elementwise, NanIsNotHiddenByMaximumOrMinimum) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Map("Relu", {nan})[0]));
  const Tensor x = Tensor::Float({2}, {nan, 1}), y = Tensor::Float({2}, {1, nan});
  for (const char* op : {"Max", "Min"})
    for (float value : Floats(Apply(op, {}, {x, y}))) EXPECT_TRUE(std::isnan(value)) << op;
}

TEST(Binary, OperatorsMeanWhatTheirNamesSay) {
  const Tensor a = Tensor::Float({2}, {6, -3}), b = Tensor::Float({2}, {4, 2});
  EXPECT_THAT(Floats(Apply("Add", {}, {a, b})), ElementsAre(10, -1));
  EXPECT_THAT(Floats(Apply("Sub", {}, {a, b})), ElementsAre(2, -5));
  EXPECT_THAT(Floats(Apply("Mul", {}, {a, b})), ElementsAre(24, -6));
  EXPECT_THAT(Floats(Apply("Div", {}, {a, b})), ElementsAre(1.5, -1.5));
  EXPECT_THAT(Floats(Apply("Max", {}, {a, b})), ElementsAre(6, 2));
  EXPECT_THAT(Floats(Apply("Min", {}, {a, b})), ElementsAre(4, -3));
}

TEST(Binary, BroadcastsLikeNumPy) {
  const Tensor column = Tensor::Float({2, 1}, {10, 20}), row = Tensor::Float({3}, {1, 2, 3});
  const Tensor sum = Apply("Add", {}, {column, row});
  EXPECT_EQ(sum.shape(), (Shape{2, 3}));
  EXPECT_THAT(Floats(sum), ElementsAre(11, 12, 13, 21, 22, 23));
  EXPECT_THAT(Floats(Apply("Sub", {}, {row, Tensor::Float({}, {1})})), ElementsAre(0, 1, 2));
  const Tensor cube = Tensor::Float({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}),
               middle = Tensor::Float({2, 1}, {0, 100});
  EXPECT_THAT(Floats(Apply("Add", {}, {middle, cube})),
              ElementsAre(1, 2, 103, 104, 5, 6, 107, 108));
  EXPECT_EQ(Refusal("Add", {}, {F32({2, 3}), F32({2})}), "the shapes 2x3 and 2 do not broadcast");
}

TEST(Binary, IntegersRoundTowardsZeroAndWrapAround) {
  const Tensor a = Tensor::Int64({3}, {7, -7, std::numeric_limits<int64_t>::min()}),
               b = Tensor::Int64({3}, {2, 2, -1});
  EXPECT_THAT(Integers(Apply("Div", {}, {a, b})),
              ElementsAre(3, -3, std::numeric_limits<int64_t>::min()));
  const Tensor big =
      Tensor::Of<int32_t>(DataType::kInt32, {1}, {std::numeric_limits<int32_t>::max()});
  EXPECT_THAT(Integers(Apply("Add", {}, {big, big})), ElementsAre(-2));
  EXPECT_THAT(Integers(Apply("Mul", {}, {big, big})), ElementsAre(1));
}

TEST(Binary, RefusesToDivideIntegersByZero) {
  auto result = TryApply("Div", {}, {Tensor::Int64({1}, {1}), Tensor::Int64({2}, {1, 0})});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "b holds a zero, and integers cannot be divided by it");
}

TEST(Binary, RefusesMixedTypes) {
  EXPECT_THAT(Refusal("Add", {}, {F32({1}), {DataType::kInt64, {1}}}),
              HasSubstr("they should agree"));
}

TEST(Cast, ConvertsTowardsZeroAndWraps) {
  const Tensor x = Tensor::Float({4}, {1.9f, -1.9f, 0, 300});
  EXPECT_THAT(Integers(Apply("Cast", {{"to", std::string("i64")}}, {x})),
              ElementsAre(1, -1, 0, 300));
  EXPECT_THAT(Integers(Apply("Cast", {{"to", std::string("u8")}}, {x})),
              ElementsAre(1, 255, 0, 44));
  EXPECT_THAT(Integers(Apply("Cast", {{"to", std::string("bool")}}, {x})), ElementsAre(1, 1, 0, 1));
  EXPECT_THAT(
      Floats(Apply("Cast", {{"to", std::string("f32")}}, {Tensor::Int64({2}, {-3, 1 << 20})})),
      ElementsAre(-3, 1048576));
  EXPECT_THAT(Refusal("Cast", {{"to", std::string("f16")}}, {F32({1})}),
              HasSubstr("attribute to is f16"));
  EXPECT_THAT(Refusal("Cast", {}, {F32({1})}), HasSubstr("attribute to is missing"));
}

}  // namespace
}  // namespace whet
