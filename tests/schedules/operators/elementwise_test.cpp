#include <cmath>
#include <limits>
#include <tuple>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

using ::testing::Each;
using ::testing::IsNan;

constexpr float kTolerance = 1e-6f;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

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

TEST(Elementwise, PowersOfZerosInfinitiesAndNanAreThoseOfC) {
  const std::vector<std::tuple<float, float, float>> powers = {
      {0, -2, kInf},       {-0.0f, -3, -kInf}, {-0.0f, 3, -0.0f}, {-0.0f, -0.5f, kInf},
      {kInf, -1, 0},       {-kInf, 3, -kInf},  {-kInf, 2, kInf},  {-kInf, -3, -0.0f},
      {-kInf, 0.5f, kInf}, {-1, kInf, 1},      {-1, -kInf, 1},    {0.5f, kInf, 0},
      {0.5f, -kInf, kInf}, {2, kInf, kInf},    {2, -kInf, 0},     {kNan, 0, 1},
      {1, kNan, 1},        {-8, 1.5f, kNan},   {kNan, 2, kNan},   {2, kNan, kNan},
      {-2, -3, -0.125f},   {3, 4, 81}};
  for (const auto& [base, exponent, power] : powers) {
    const float y =
        Floats(Apply("Pow", {}, {Tensor::Float({1}, {base}), Tensor::Float({1}, {exponent})}))[0];
    if (std::isnan(power)) {
      EXPECT_TRUE(std::isnan(y)) << base << "^" << exponent;
    } else {
      EXPECT_EQ(y, power) << base << "^" << exponent;
      EXPECT_EQ(std::signbit(y), std::signbit(power)) << base << "^" << exponent;
    }
  }
}

TEST(Elementwise, NothingComparesWithNan) {
  const Tensor a = Tensor::Float({4}, {kNan, kNan, 1, -0.0f}),
               b = Tensor::Float({4}, {kNan, 1, kNan, 0});
  EXPECT_THAT(Integers(Apply("Equal", {}, {a, b})), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(Integers(Apply("Less", {}, {a, b})), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(Integers(Apply("LessOrEqual", {}, {a, b})), ElementsAre(0, 0, 0, 1));
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
  EXPECT_THAT(Refusal("Clip", {{"min", std::string("0")}}, {F32({2})}),
              HasSubstr("attribute min should be a number"));
}

TEST(Clip, TakesBoundsThatAreInfiniteOrNoNumber) {
  EXPECT_THAT(Map("Clip", {-9, kInf}, {{"min", double{-kInf}}, {"max", double{kInf}}}),
              ElementsAre(-9, kInf));
  EXPECT_THAT(Map("Clip", {-9, -kInf, kInf}, {{"min", double{kInf}}}), Each(kInf));
  EXPECT_THAT(Map("Clip", {-9, -kInf, kInf}, {{"max", double{-kInf}}}), Each(-kInf));
  EXPECT_THAT(Map("Clip", {-9, kNan, 3}, {{"min", double{kNan}}}), Each(IsNan()));
  EXPECT_THAT(Map("Clip", {-9, kNan, 3}, {{"min", 0.0}, {"max", double{kNan}}}), Each(IsNan()));
  EXPECT_THAT(Map("Clip", {3}, {{"min", 6.0}, {"max", 1.0}}), ElementsAre(1));
}

TEST(Elementwise, NanIsNotHiddenByMaximumOrMinimum) {
  const Tensor x = Tensor::Float({2}, {kNan, 1}), y = Tensor::Float({2}, {1, kNan});
  for (const char* op : {"Max", "Min"}) EXPECT_THAT(Floats(Apply(op, {}, {x, y})), Each(IsNan()));
}

TEST(Elementwise, NanGoesThroughEveryFunctionOfOneOperand) {
  for (const char* op : {"Relu", "Sigmoid", "Tanh", "HardSwish", "Exp", "Log", "Sqrt", "Neg", "Abs",
                         "Erf", "HardSigmoid", "LeakyRelu", "Gelu"})
    EXPECT_THAT(Map(op, {kNan}), Each(IsNan())) << op;
  EXPECT_THAT(Map("Clip", {kNan}, {{"min", 0.0}, {"max", 6.0}}), Each(IsNan()));
}

TEST(Elementwise, InfinitiesGoWhereTheLimitsAre) {
  const auto at = [](const char* op, float x) { return Map(op, {x})[0]; };
  for (const auto& [op, low, high] :
       std::vector<std::tuple<const char*, float, float>>{{"Relu", 0, kInf},
                                                          {"Sigmoid", 0, 1},
                                                          {"Tanh", -1, 1},
                                                          {"Exp", 0, kInf},
                                                          {"Neg", kInf, -kInf},
                                                          {"Abs", kInf, kInf},
                                                          {"Erf", -1, 1},
                                                          {"HardSigmoid", 0, 1},
                                                          {"LeakyRelu", -kInf, kInf}}) {
    EXPECT_EQ(at(op, -kInf), low) << op;
    EXPECT_EQ(at(op, kInf), high) << op;
  }
  // -infinity times a gate of 0, as ONNX's formulas have it.
  for (const char* op : {"HardSwish", "Gelu"}) {
    EXPECT_TRUE(std::isnan(at(op, -kInf))) << op;
    EXPECT_EQ(at(op, kInf), kInf) << op;
  }
}

TEST(Elementwise, ZerosKeepTheirSigns) {
  for (const char* op : {"Relu", "Sqrt", "LeakyRelu", "Tanh", "HardSwish"})
    EXPECT_TRUE(std::signbit(Map(op, {-0.0f})[0])) << op;
  EXPECT_TRUE(std::signbit(Map("Neg", {0})[0]));
  EXPECT_FALSE(std::signbit(Map("Neg", {-0.0f})[0]));
  EXPECT_FALSE(std::signbit(Map("Abs", {-0.0f})[0]));
}

TEST(Elementwise, RootsAndLogarithmsEndWhereTheyShould) {
  EXPECT_THAT(Map("Sqrt", {-1, -kInf}), Each(IsNan()));
  EXPECT_THAT(Map("Log", {-1, -kInf, -1e-40f}), Each(IsNan()));
  EXPECT_THAT(Map("Log", {0, -0.0f}), Each(-kInf));
  EXPECT_THAT(Map("Log", {kInf, 1e-40f}), ElementsAre(kInf, FloatNear(-92.10341f, 1e-4f)));
  EXPECT_THAT(
      Map("Exp", {88.7f, 89, -104, -88.7f}),
      ElementsAre(FloatNear(3.3259770e38f, 1e33f), kInf, 0, FloatNear(3.0066e-39f, 1e-42f)));
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

TEST(Binary, IntegersDividedByZeroAreZero) {
  const Tensor a = Tensor::Int64({3}, {1, -7, std::numeric_limits<int64_t>::min()});
  EXPECT_THAT(Integers(Apply("Div", {}, {a, Tensor::Int64({1}, {0})})), ElementsAre(0, 0, 0));
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
  const Tensor truths = Tensor::Float({6}, {0.5f, -0.25f, kNan, kInf, 1e-40f, -0.0f});
  EXPECT_THAT(Integers(Apply("Cast", {{"to", std::string("bool")}}, {truths})),
              ElementsAre(1, 1, 1, 1, 1, 0));
  EXPECT_THAT(
      Floats(Apply("Cast", {{"to", std::string("f32")}}, {Tensor::Int64({2}, {-3, 1 << 20})})),
      ElementsAre(-3, 1048576));
  EXPECT_THAT(Refusal("Cast", {{"to", std::string("f16")}}, {F32({1})}),
              HasSubstr("attribute to is f16"));
  EXPECT_THAT(Refusal("Cast", {}, {F32({1})}), HasSubstr("attribute to is missing"));
}

TEST(Cast, TakesWhatNoIntegerHoldsForTheLowestOne) {
  const Tensor x = Tensor::Float({5}, {kNan, kInf, -kInf, 3e9f, 1e19f});
  const auto to = [&](const char* type) {
    return Integers(Apply("Cast", {{"to", std::string(type)}}, {x}));
  };
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  EXPECT_THAT(to("i64"), ElementsAre(kLowest, kLowest, kLowest, 3000000000, kLowest));
  EXPECT_THAT(to("i32"), Each(std::numeric_limits<int32_t>::min()));
  EXPECT_THAT(to("u32"), ElementsAre(0, 0, 0, 3000000000, 0));
  for (const char* narrow : {"i8", "u8", "i16", "u16"}) EXPECT_THAT(to(narrow), Each(0)) << narrow;
}

}  // namespace
}  // namespace whet
