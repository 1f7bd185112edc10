#include "search/error_bound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "schedules/operators/winograd.h"
#include "search/extremes.h"
#include "search/kernel_check.h"
#include "search/made_up_inputs.h"
#include "search/reference_data.h"

namespace whet {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kUnit = 0x1p-24;

Task Strict(const std::string& spelling) {
  Task task = ParseTaskSpelling(spelling, "x86-64-linux-avx2-2t").value();
  task.accuracy = Accuracy::kStrict;
  return task;
}

std::vector<const Tensor*> Pointers(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : tensors) pointers.push_back(&tensor);
  return pointers;
}

std::vector<float> BoundsOf(const Task& task, const std::vector<Tensor>& inputs) {
  const auto bounds = ErrorBounds(task, Pointers(inputs));
  EXPECT_TRUE(bounds) << bounds.error().message;
  EXPECT_TRUE(*bounds) << "no bound";
  if (!bounds || !*bounds) return {};
  const float* values = (*bounds)->data<float>();
  return {values, values + (*bounds)->count()};
}

// Rows of `a` times one column of two terms.
Task TwoTerms(const std::string& tail = "") { return Strict("MatMul(a=3x2,b=2x1)" + tail); }

TEST(ErrorBounds, AreMultiplesOfTheSumOfTheMagnitudesOfAnElementsOwnTerms) {
  const std::vector<float> bounds =
      BoundsOf(TwoTerms(),
               {Tensor::Float({3, 2}, {1, -1, 1e6F, -1e6F, 0, 0}), Tensor::Float({2, 1}, {1, 1})});
  ASSERT_EQ(bounds.size(), 3u);
  EXPECT_GT(bounds[0], 2 * 2 * kUnit);
  EXPECT_LT(bounds[0], 20 * 2 * kUnit);
  EXPECT_NEAR(bounds[1] / bounds[0], 1e6, 1) << "though both sums are 0";
  EXPECT_LT(bounds[2], 1e-30);
}

TEST(ErrorBounds, AreZeroWhereNoFiniteNumberComesOut) {
  const std::vector<float> bounds = BoundsOf(
      TwoTerms(),
      {Tensor::Float({3, 2}, {1, 1, kInfinity, 1, kNan, 1}), Tensor::Float({2, 1}, {1, 1})});
  ASSERT_EQ(bounds.size(), 3u);
  EXPECT_GT(bounds[0], 0);
  EXPECT_EQ(bounds[1], 0);
  EXPECT_EQ(bounds[2], 0);
}

TEST(ErrorBounds, LetPassWhatMayOverflowOnTheWay) {
  const std::vector<float> bounds =
      BoundsOf(TwoTerms(),
               {Tensor::Float({3, 2}, {3e38F, -3e38F, 1, 1, 1, 1}), Tensor::Float({2, 1}, {1, 1})});
  EXPECT_EQ(bounds[0], kInfinity);
  EXPECT_LT(bounds[1], 1);
}

TEST(ErrorBounds, GoThroughEpiloguesWithTheirSlopes) {
  const Tensor b = Tensor::Float({2, 1}, {1, 1});
  const Tensor a = Tensor::Float({3, 2}, {1, 2, -1, -2, kInfinity, 1});
  const float own = BoundsOf(TwoTerms(), {a, b})[0];
  const std::vector<float> relu = BoundsOf(TwoTerms("+Relu"), {a, b});
  EXPECT_EQ(relu[0], own);
  EXPECT_EQ(relu[1], own) << "what is cut off may have been above 0";
  EXPECT_EQ(relu[2], 0);
  const Tensor hundred = Tensor::Float({3, 1}, {100, 100, 100});
  EXPECT_NEAR(BoundsOf(TwoTerms("+Mul(b=3x1)"), {a, b, hundred})[0] / own, 100, 40);
  EXPECT_GT(BoundsOf(TwoTerms("+Add"), {a, b, hundred})[0], own);
  EXPECT_GT(BoundsOf(TwoTerms("+Sigmoid"), {a, b})[0], 256 * kUnit);
}

TEST(ErrorBounds, AddUpFromOneContractionToTheNext) {
  const Task chain = Strict("Conv(x=1x16x8x8,w=16x16x3x3,pads=1)+Relu+Conv(w=16x16x1x1)");
  const auto inputs = MakeInputs(chain);
  ASSERT_TRUE(inputs);
  const auto expected = ExpectedOf(chain, Pointers(*inputs));
  ASSERT_TRUE(expected);
  ASSERT_TRUE(expected->bounds);
  EXPECT_TRUE(CompareWithReference(*expected, expected->output.bytes()).ok());
  EXPECT_GT(expected->bounds->data<float>()[0], 0);
}

TEST(ErrorBounds, AreMissingForFastTasksAndWhereNoRuleIsKnown) {
  Task fast = TwoTerms();
  fast.accuracy = Accuracy::kFast;
  for (const Task& task : {fast, Strict("Softmax(x=3x2)"), Strict("Div(a=3x2,b=3x2)")}) {
    const auto inputs = MakeInputs(task);
    ASSERT_TRUE(inputs);
    const auto bounds = ErrorBounds(task, Pointers(*inputs));
    ASSERT_TRUE(bounds) << bounds.error().message;
    EXPECT_FALSE(*bounds) << task.Describe();
  }
}

TEST(ErrorBounds, CutKernelsSomeSlackAndNoMore) {
  Expected expected{Tensor::Float({3}, {1, kInfinity, 3}), 0,
                    Tensor::Float({3}, {1e-6F, 0, 1e-6F})};
  const auto wrong = [&](std::vector<float> got) {
    return CompareWithReference(expected, got.data()).wrong;
  };
  EXPECT_EQ(wrong({1 + 5e-7F, kInfinity, 3}), 0);
  EXPECT_EQ(wrong({1 + 5e-6F, kInfinity, 3}), 1);
  EXPECT_EQ(wrong({1, 1e38F, kNan}), 2);
  const std::vector<float> got = {1, kInfinity, 4};
  const Deviation deviation = CompareWithReference(expected, got.data());
  EXPECT_EQ(ToString(deviation, expected),
            "element [2] is 4 instead of 3 (1 of 3 elements wrong; 1e-06 is allowed there)");
  expected.bounds->data<float>()[2] = kInfinity;
  EXPECT_EQ(wrong({1, kInfinity, 1e30F}), 0);
}

// y = A^T [(G g G^T) * (B^T d B)] A of every tile of m x m outputs, in single precision.
Tensor WinogradConvolution(int64_t m, const Tensor& x, const Tensor& weights,
                           const TensorType& output) {
  const Winograd w{{m, 3}, {m, 3}};
  const Matrix input = w.y.Input(), out = w.y.Output();
  const Tensor g = w.TransformWeights(weights);  // [i, j, o, c]
  const int64_t height = output.shape[1], width = output.shape[2], filters = output.shape[3];
  const int64_t channels = x.shape()[3], n = w.y.size();
  const auto pixel = [&](int64_t i, int64_t j, int64_t c) {
    return x.data<float>()[(i * x.shape()[2] + j) * channels + c];
  };
  Tensor y(output);
  for (int64_t top = 0; top + m <= height; top += m) {
    for (int64_t left = 0; left + m <= width; left += m) {
      for (int64_t o = 0; o < filters; ++o) {
        std::vector<float> products(static_cast<size_t>(n * n), 0);
        for (int64_t c = 0; c < channels; ++c) {
          for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j < n; ++j) {
              float d = 0;
              for (int64_t p = 0; p < n; ++p)
                for (int64_t q = 0; q < n; ++q)
                  if (input[i][p] != 0 && input[j][q] != 0)
                    d +=
                        static_cast<float>(input[i][p] * input[j][q]) * pixel(top + p, left + q, c);
              products[i * n + j] +=
                  d * g.data<float>()[((i * n + j) * filters + o) * channels + c];
            }
          }
        }
        for (int64_t a = 0; a < m; ++a) {
          for (int64_t b = 0; b < m; ++b) {
            float sum = 0;
            for (int64_t i = 0; i < n; ++i)
              for (int64_t j = 0; j < n; ++j)
                if (out[a][i] != 0 && out[b][j] != 0)
                  sum += static_cast<float>(out[a][i] * out[b][j]) * products[i * n + j];
            y.data<float>()[((top + a) * width + left + b) * filters + o] = sum;
          }
        }
      }
    }
  }
  return y;
}

TEST(Extremes, FindAConvolutionOutThatMixesTheElementsOfATile) {
  const Task strict = Strict("Conv(x=1x16x18x18,w=16x16x3x3,bias=0)");
  Task fast = strict;
  fast.accuracy = Accuracy::kFast;
  for (const auto& [m, least] : {std::pair{2, 1}, std::pair{4, 50}}) {
    const auto wrong = [m = m](const Task& task) {
      const auto inputs = MakeInputs(task);
      const auto expected = ExpectedOf(task, Pointers(*inputs));
      const Tensor y = WinogradConvolution(m, (*inputs)[0], (*inputs)[1], expected->output.type());
      return CompareWithReference(*expected, y.bytes()).wrong;
    };
    EXPECT_GE(wrong(strict), least) << "F(" << m << "x" << m << ",3x3)";
    EXPECT_EQ(wrong(fast), 0) << "F(" << m << "x" << m << ",3x3)";
  }
}

TEST(Extremes, LeaveMostOutputsFinite) {
  for (const char* spelling :
       {"Conv(x=1x16x16x16,w=16x16x3x3,pads=1)", "Conv(x=1x16x16x16,w=16x1x3x3,group=16,pads=1)",
        "Conv(x=1x16x9x9,w=16x16x3x3,layout=NCHW)+Relu", "MatMul(a=32x64,b=64x32)",
        "Gemm(a=32x64,b=64x32)+Relu"}) {
    const Task task = Strict(spelling);
    const auto inputs = MakeInputs(task);
    ASSERT_TRUE(inputs);
    int64_t strange = 0;
    for (int64_t i = 0; i < (*inputs)[0].count(); ++i)
      strange += std::isfinite((*inputs)[0].data<float>()[i]) ? 0 : 1;
    EXPECT_EQ(strange, 2) << spelling;
    const auto output = RunReference(task, Pointers(*inputs));
    ASSERT_TRUE(output);
    int64_t finite = 0;
    for (int64_t i = 0; i < output->count(); ++i)
      finite += std::isfinite(output->data<float>()[i]) ? 1 : 0;
    EXPECT_GT(finite, output->count() / 2) << spelling;
  }
}

TEST(Extremes, AreLeftOutWhereTheyWouldReachEverything) {
  for (const char* spelling : {"MatMul(a=1x64,b=64x32)", "Conv(x=1x16x5x5,w=16x16x3x3,pads=1)",
                               "Conv(x=1x16x16x16,w=16x16x3x3,pads=1)+Conv(w=16x16x1x1)"}) {
    const Task task = Strict(spelling);
    const auto inputs = MakeInputs(task);
    ASSERT_TRUE(inputs);
    for (int64_t i = 0; i < (*inputs)[0].count(); ++i)
      ASSERT_LE(std::abs((*inputs)[0].data<float>()[i]), 1) << spelling;
  }
}

}  // namespace
}  // namespace whet
