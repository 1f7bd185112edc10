#include "schedules/operators/winograd.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "schedules/algorithm_options.h"

namespace whet {
namespace {

std::vector<double> Times(const Matrix& matrix, const std::vector<double>& vector) {
  std::vector<double> result;
  for (const auto& row : matrix) {
    EXPECT_EQ(row.size(), vector.size());
    result.push_back(0);
    for (size_t k = 0; k < row.size(); ++k) result.back() += row[k] * vector[k];
  }
  return result;
}

RC_GTEST_PROP(WinogradAxis, FiltersAsTheDefinitionDoes, ()) {
  WinogradAxis axis;
  axis.taps = *rc::gen::inRange<int64_t>(1, 6);
  axis.tile = *rc::gen::inRange<int64_t>(1, 10 - axis.taps);
  if (axis.size() > 8) axis.tile = 9 - axis.taps;
  const auto values = [](int64_t count) {
    return *rc::gen::container<std::vector<double>>(
        static_cast<size_t>(count),
        rc::gen::map(rc::gen::inRange(-9, 10), [](int v) { return static_cast<double>(v); }));
  };
  const std::vector<double> filter = values(axis.taps), data = values(axis.size());
  std::vector<double> product = Times(axis.Weights(), filter);
  const std::vector<double> input = Times(axis.Input(), data);
  for (size_t i = 0; i < product.size(); ++i) product[i] *= input[i];
  const std::vector<double> got = Times(axis.Output(), product);
  RC_ASSERT(got.size() == static_cast<size_t>(axis.tile));
  for (size_t i = 0; i < got.size(); ++i) {
    double expected = 0;
    for (size_t k = 0; k < filter.size(); ++k) expected += filter[k] * data[i + k];
    RC_ASSERT(std::abs(got[i] - expected) < 1e-8);
  }
}

TEST(WinogradAxis, HasTheMatricesOfThePaperForF2And3) {
  const WinogradAxis axis{2, 3};
  EXPECT_EQ(axis.Output(), (Matrix{{1, 1, 1, 0}, {0, 1, -1, 1}}));
  // The paper's first row has the other sign in both: it cancels.
  EXPECT_EQ(axis.Weights(), (Matrix{{-1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}}));
}

TEST(Winograd, ReadsTheNameThatItWrites) {
  const Winograd w{{4, 3}, {2, 5}};
  EXPECT_EQ(w.Name(), "winograd(4x2,3x5)");
  const auto read = Winograd::Parse(w.Name());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->Name(), w.Name());
}

TEST(Winograd, ReadsNoOtherName) {
  for (const char* name : {"", "winograd", "winograd()", "winograd(4x4)", "winograd(4x4,3x3",
                           "direct", "winograd(0x4,3x3)", "winograd(9x9,3x3)", "winograd(4x4,3x3)x",
                           "winograd(4x4,3)", "winograd(-2x2,3x3)"})
    EXPECT_FALSE(Winograd::Parse(name)) << name;
}

TEST(Winograd, GrowsTheErrorWithTheTile) {
  const Winograd small{{2, 3}, {2, 3}}, middle{{4, 3}, {4, 3}}, large{{6, 3}, {6, 3}};
  EXPECT_LT(small.ErrorGrowth(), middle.ErrorGrowth());
  EXPECT_LT(middle.ErrorGrowth(), large.ErrorGrowth());
}

TEST(Winograd, TransformsEveryFilterToBothAxes) {
  const Winograd w{{2, 3}, {1, 1}};
  const Tensor weights = Tensor::Float({2, 1, 3, 1}, {1, 2, 3, 0, 0, 4});
  const Tensor got = w.TransformWeights(weights);
  EXPECT_EQ(got.shape(), (Shape{4, 1, 2, 1}));
  const std::vector<float> values(got.data<float>(), got.data<float>() + got.count());
  EXPECT_EQ(values, (std::vector<float>{-1, 0, 3, 2, 1, 2, 3, 4}));
}

std::vector<std::string> AlgorithmsOf(const std::string& spelling) {
  const auto task = ParseTaskSpelling(spelling, "x86-64-linux-avx512-2t");
  EXPECT_TRUE(task) << spelling;
  return AlternativeAlgorithms(*task, task->nodes[0]);
}

TEST(AlternativeAlgorithms, AreWinogradForDenseConvolutionsOfStrideOne) {
  EXPECT_EQ(AlgorithmsOf("Conv(x=1x32x14x14,w=32x32x3x3,pads=1)+Relu"),
            (std::vector<std::string>{"winograd(2x2,3x3)", "winograd(4x4,3x3)"}));
  EXPECT_EQ(
      AlgorithmsOf("Conv(x=1x32x14x14,w=32x32x1x3,pads=0x1x0x1)"),
      (std::vector<std::string>{"winograd(1x2,1x3)", "winograd(1x4,1x3)", "winograd(1x6,1x3)"}));
}

TEST(AlternativeAlgorithms, AreNoneWhereWinogradDoesNotApply) {
  for (const char* spelling :
       {"Conv(x=1x32x14x14,w=32x32x1x1)", "Conv(x=1x32x14x14,w=32x32x3x3,strides=2)",
        "Conv(x=1x32x14x14,w=32x32x3x3,dilations=2)", "Conv(x=1x32x14x14,w=32x1x3x3,group=32)",
        "Conv(x=1x3x14x14,w=32x3x3x3)", "Conv(x=1x32x14x14,w=32x32x3x3,layout=NCHW)",
        "MatMul(a=64x64,b=64x64)"})
    for (const std::string& algorithm : AlgorithmsOf(spelling))
      EXPECT_FALSE(algorithm.starts_with("winograd")) << spelling << ": " << algorithm;
}

TEST(AlternativeAlgorithms, MixNoElementsOfATileWhereTheTaskIsStrict) {
  auto task = ParseTaskSpelling("Conv(x=1x32x14x14,w=32x32x3x3,pads=1)", "x86-64-linux-avx512-2t");
  ASSERT_FALSE(AlternativeAlgorithms(*task, task->nodes[0]).empty());
  task->accuracy = Accuracy::kStrict;
  for (const std::string& algorithm : AlternativeAlgorithms(*task, task->nodes[0]))
    EXPECT_FALSE(algorithm.starts_with("winograd")) << algorithm;
  // Nor does a trace bring one along.
  AlgorithmOptions options;
  options.algorithms[task->nodes[0].output] = "winograd(2x2,3x3)";
  const auto type = PreparedType(*task, options, 1);
  ASSERT_FALSE(type);
  EXPECT_NE(type.error().message.find("winograd(2x2,3x3)"), std::string::npos);
  // Copies leave each sum what it is.
  task = ParseTaskSpelling("Conv(x=1x32x14x14,w=32x32x3x3,strides=2)", "x86-64-linux-avx512-2t");
  task->accuracy = Accuracy::kStrict;
  EXPECT_EQ(AlternativeAlgorithms(*task, task->nodes[0]),
            (std::vector<std::string>{"blocked", "im2col"}));
}

TEST(AlternativeAlgorithms, AreCopiesOfTheImageWherePositionsLieFarApart) {
  EXPECT_EQ(AlgorithmsOf("Conv(x=1x32x14x14,w=32x32x3x3,strides=2)"),
            (std::vector<std::string>{"blocked", "im2col"}));
  EXPECT_EQ(AlgorithmsOf("MatMul(a=8x4096,b=4096x64)"), (std::vector<std::string>{"blocked"}));
  for (const char* spelling :
       {"Conv(x=1x256x14x14,w=32x256x1x1)", "Conv(x=1x40x14x14,w=32x40x3x3,strides=2)",
        "Conv(x=1x64x14x14,w=64x32x3x3,group=2,strides=2)",
        "Conv(x=1x32x14x14,w=32x32x3x3,strides=2,layout=NCHW)"})
    EXPECT_TRUE(AlgorithmsOf(spelling).empty()) << spelling;
}

TEST(PreparedType, RefusesAnAlgorithmThatTheNodeDoesNotHave) {
  const auto task = ParseTaskSpelling("Conv(x=1x32x14x14,w=32x32x3x3)", "x86-64-linux-avx512-2t");
  AlgorithmOptions options;
  options.algorithms[task->nodes[0].output] = "winograd(2x2,5x5)";
  const auto type = PreparedType(*task, options, 1);
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code, ErrorCode::kInvalidInput);
  options.algorithms = {{"nothing", "winograd(2x2,3x3)"}};
  EXPECT_FALSE(PreparedType(*task, options, 1));
}

}  // namespace
}  // namespace whet
