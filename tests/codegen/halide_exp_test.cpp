#include "schedules/operators/halide_exp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace whet {
namespace {

constexpr int kSteps = 20000;

using Function = std::function<Halide::Expr(Halide::Expr)>;

Halide::Buffer<float> Points(float from, float to) {
  Halide::Buffer<float> x(kSteps);
  for (int i = 0; i < kSteps; ++i)
    x(i) = from + static_cast<float>(i) * ((to - from) / (kSteps - 1));
  return x;
}

// Vectorised as kernels are.
Halide::Buffer<float> Evaluate(const Function& function, Halide::Buffer<float> x) {
  Halide::ImageParam input(Halide::Float(32), 1);
  Halide::Func f;
  Halide::Var i;
  f(i) = function(input(i));
  f.vectorize(i, 16);
  input.set(x);
  return f.realize({x.width()});
}

double LargestError(const Function& function, float from, float to) {
  const Halide::Buffer<float> x = Points(from, to), y = Evaluate(function, x);
  double largest = 0;
  for (int i = 0; i < kSteps; ++i)
    largest = std::max(largest, std::abs(y(i) / std::exp(static_cast<double>(x(i))) - 1));
  return largest;
}

TEST(BoundedExp, IsTheExponentialWithinItsBounds) {
  EXPECT_LT(LargestError(BoundedExp, -87, 88), 5e-7);
  EXPECT_LT(LargestError(BoundedExp, -1, 1), 2e-7);
}

TEST(BoundedExp, StaysANormalNumberBelowItsBoundsAndIsInfiniteAbove) {
  const Halide::Buffer<float> y = Evaluate(BoundedExp, Points(-1000, 1000));
  EXPECT_GE(y(0), std::numeric_limits<float>::min());
  EXPECT_LT(y(0), 1.3e-38f);
  EXPECT_EQ(y(kSteps - 1), std::numeric_limits<float>::infinity());
}

TEST(ExpOfNonPositive, IsTheExponentialDownToItsBound) {
  EXPECT_LT(LargestError(ExpOfNonPositive, -87, 0), 5e-7);
  EXPECT_LT(LargestError(ExpOfNonPositive, -1, 0), 2e-7);
  EXPECT_EQ(Evaluate(ExpOfNonPositive, Points(-1000, 0))(0), 0);
  EXPECT_EQ(Evaluate(ExpOfNonPositive, Points(-1000, 0))(kSteps - 1), 1);
}

TEST(ExpOf, IsTheExponentialOfAllNumbers) {
  EXPECT_LT(LargestError(ExpOf, -87, 88.7f), 5e-7);
  // Denormal results have an absolute error as well, of three of the smallest one.
  const Halide::Buffer<float> x = Points(-110, -87), y = Evaluate(ExpOf, x);
  for (int i = 0; i < kSteps; ++i) {
    const double right = std::exp(static_cast<double>(x(i)));
    ASSERT_NEAR(y(i), right, 4.3e-45 + 5e-7 * right) << x(i);
  }
  const Halide::Buffer<float> large = Evaluate(ExpOf, Points(88.8f, 3e38f));
  EXPECT_EQ(large(0), std::numeric_limits<float>::infinity());
  EXPECT_EQ(large(kSteps - 1), std::numeric_limits<float>::infinity());
}

TEST(LogOf, IsTheLogarithmOfAllNumbers) {
  for (const auto& [from, to] : std::vector<std::pair<float, float>>{
           {1e-45f, 1e-38f}, {1e-38f, 1e-30f}, {0.5f, 2}, {0.999f, 1.001f}, {1, 3.4e38f}}) {
    const Halide::Buffer<float> x = Points(from, to), y = Evaluate(LogOf, x);
    for (int i = 0; i < kSteps; ++i) {
      const double log = std::log(static_cast<double>(x(i)));
      ASSERT_LE(std::abs(y(i) - log), 3e-7 * std::abs(log)) << x(i);
    }
  }
}

}  // namespace
}  // namespace whet
