#include "schedules/operators/halide_exp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

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

TEST(BoundedExp, StaysAtTheBoundsOutside) {
  const Halide::Buffer<float> y = Evaluate(BoundedExp, Points(-1000, 1000));
  EXPECT_NEAR(y(0) / std::exp(-87.0), 1, 5e-7);
  EXPECT_NEAR(y(kSteps - 1) / std::exp(88.0), 1, 5e-7);
}

TEST(ExpOfNonPositive, IsTheExponentialDownToItsBound) {
  EXPECT_LT(LargestError(ExpOfNonPositive, -87, 0), 5e-7);
  EXPECT_LT(LargestError(ExpOfNonPositive, -1, 0), 2e-7);
  EXPECT_NEAR(Evaluate(ExpOfNonPositive, Points(-1000, 0))(0) / std::exp(-87.0), 1, 5e-7);
}

}  // namespace
}  // namespace whet
