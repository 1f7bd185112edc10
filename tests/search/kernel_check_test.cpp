#include "search/kernel_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace whet {
namespace {

Task Contraction(int64_t length) {
  Task task;
  task.inputs = {{"a", {DataType::kFloat32, {4, length}}, false},
                 {"b", {DataType::kFloat32, {length, 4}}, true}};
  task.nodes = {{"MatMul", {"a", "b"}, "y", {}}};
  task.output = "y";
  task.target = "x86-64-linux-avx2-2t";
  return task;
}

TEST(CompareWithReference, AcceptsWhatIsWithinTheTolerance) {
  const Tensor expected = Tensor::Float({3}, {0, 1, -100});
  const std::vector<float> got = {5e-5f, 1.0001f, -100.005f};
  const Deviation deviation = CompareWithReference(expected, got.data(), 1e-4);
  EXPECT_TRUE(deviation.ok());
  EXPECT_NEAR(deviation.max_error, 5e-5, 1e-6);
}

TEST(CompareWithReference, NamesTheWorstElement) {
  const Tensor expected = Tensor::Float({2, 3}, {1, 1, 1, 1, 1, 1});
  const std::vector<float> got = {1, 1.5, 1, 1, 1, 3};
  const Deviation deviation = CompareWithReference(expected, got.data(), 1e-4);
  EXPECT_EQ(deviation.wrong, 2);
  EXPECT_EQ(deviation.worst_index, 5);
  EXPECT_DOUBLE_EQ(deviation.max_error, 1.0);
  EXPECT_EQ(ToString(deviation, expected.shape(), 1e-4),
            "element [1, 2] is 3 instead of 1 (2 of 6 elements wrong, tolerance 0.0001)");
}

TEST(CompareWithReference, CallsNanWrongAndKeepsTheErrorFinite) {
  const Tensor expected = Tensor::Float({3}, {1, 2, 3});
  const std::vector<float> got = {1, std::nanf(""), 4};
  const Deviation deviation = CompareWithReference(expected, got.data(), 1e-4);
  EXPECT_EQ(deviation.wrong, 2);
  EXPECT_EQ(deviation.worst_index, 1);
  EXPECT_DOUBLE_EQ(deviation.max_error, 0.25);
}

TEST(CompareWithReference, TakesNanAndInfinityWhereTheReferenceHasThem) {
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor expected = Tensor::Float({3}, {std::nanf(""), infinity, -infinity});
  EXPECT_TRUE(CompareWithReference(expected, expected.bytes(), 0).ok());
  const std::vector<float> got = {0, infinity, infinity};
  EXPECT_EQ(CompareWithReference(expected, got.data(), 0.1).wrong, 2);
}

TEST(CompareWithReference, ComparesIntegersExactly) {
  const Tensor expected = Tensor::Int64({2}, {1'000'000, -7});
  const std::vector<int64_t> got = {1'000'001, -7};
  EXPECT_FALSE(CompareWithReference(expected, got.data(), 0).ok());
  EXPECT_TRUE(CompareWithReference(expected, expected.bytes(), 0).ok());
}

TEST(ToleranceFor, GrowsWithTheLengthOfTheSumsUpToALimit) {
  EXPECT_DOUBLE_EQ(ToleranceFor(Contraction(16), DataType::kFloat32), 1e-4);
  EXPECT_NEAR(ToleranceFor(Contraction(4096), DataType::kFloat32), 2e-4, 1e-9);
  EXPECT_DOUBLE_EQ(ToleranceFor(Contraction(1 << 20), DataType::kFloat32), 1e-3);
  EXPECT_EQ(ToleranceFor(Contraction(4096), DataType::kInt64), 0);
}

}  // namespace
}  // namespace whet
