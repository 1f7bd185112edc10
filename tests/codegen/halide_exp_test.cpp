#include "schedules/operators/halide_exp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace whet {
namespace {

constexpr int kSteps = 20000;

// `function` at kSteps points from `from` to `to`, vectorised as kernels are.
Halide::Buffer<float> Evaluate(const std::function<Halide::Expr(Halide::Expr)>& function,
                               float from, float to) {
  Halide::Func f;
  Halide::Var i;
  f(i) = function(from + Halide::cast<float>(i) * ((to - from) / (kSteps - 1)));
  f.vectorize(i, 16);
  return f.realize({kSteps});
}

double LargestError(const std::function<Halide::Expr(Halide::Expr)>& function, float from,
                    float to) {
  const Halide::Buffer<float> x = Evaluate([](Halide::Expr e) { return e; }, from, to);
  const Halide::Buffer<float> y = Evaluate(function, from, to);
  double largest = 0;
  for (int i = 0; i < kSteps; ++i)
    largest = std::max(largest, std::abs(y(i) / std::exp(static_cast<double>(x(i))) - 1));
  return largest;
}

TEST(BoundedExp, IsTheExponentialWithinItsBounds) {
  EXPECT_LT(LargestError(BoundedExp, -87, 88), 5e-7);
  EXPECT_LT(LargestError(BoundedExp, -1, 1), 2e-7);
}

TEST(BoundedExp, StaysAtTheBoundsOutside) {
  const Halide::Buffer<float> y = Evaluate(BoundedExp, -1000, 1000);
  EXPECT_NEAR(y(0) / std::exp(-87.0), 1, 5e-7);
  EXPECT_NEAR(y(kSteps - 1) / std::exp(88.0), 1, 5e-7);
}

TEST(ExpOfNonPositive, IsTheExponentialDownToItsBound) {
  EXPECT_LT(LargestError(ExpOfNonPositive, -87, 0), 5e-7);
  EXPECT_LT(LargestError(ExpOfNonPositive, -1, 0), 2e-7);
  EXPECT_NEAR(Evaluate(ExpOfNonPositive, -1000, 0)(0) / std::exp(-87.0), 1, 5e-7);
}

}  // namespace
}  // namespace whet
