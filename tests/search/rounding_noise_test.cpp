// What a fast task may be off by where it makes much of small errors.
#include "search/rounding_noise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "codegen/target.h"
#include "schedules/task_builder.h"

namespace whet {
namespace {

// op(1, a b) for products a b of matrices, 2x1 by 1x3.
Task OneAndProduct(const std::string& op) {
  TaskBuilder b(Target::Host(1).ToString());
  const auto input = [&](Shape shape) {
    return b.AddInput({DataType::kFloat32, std::move(shape)}, false);
  };
  const auto product = b.AddNode("MatMul", {input({2, 1}), input({1, 3})});
  EXPECT_TRUE(b.AddNode(op, {input({1}), *product}));
  return *b.Finish();
}

// The bounds for a = [0, 2], b = [1, -1, 0.5] and 1.
std::optional<Tensor> BoundsOf(const Task& task) {
  std::vector<Tensor> inputs;
  for (const auto& [shape, values] : std::vector<std::pair<Shape, std::vector<float>>>{
           {{2, 1}, {0, 2}}, {{1, 3}, {1, -1, 0.5}}, {{1}, {1}}}) {
    inputs.emplace_back(TensorType{DataType::kFloat32, shape});
    std::copy(values.begin(), values.end(), inputs.back().data<float>());
  }
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  const auto output = RunReference(task, pointers);
  return NoiseBounds(task, pointers, *output, 1e-4).value();
}

TEST(NoiseBounds, LetASumOfZerosDivideToEitherInfinity) {
  const auto bounds = BoundsOf(OneAndProduct("Div"));
  ASSERT_TRUE(bounds);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isinf(bounds->data<float>()[i]));
  for (int i = 3; i < 6; ++i) {
    EXPECT_GT(bounds->data<float>()[i], 1e-4);  // the tolerance is in it
    EXPECT_LT(bounds->data<float>()[i], 1e-3);
  }
}

TEST(NoiseBounds, LetAComparisonGoEitherWayWhereBothAreNearlyEqual) {
  const auto bounds = BoundsOf(OneAndProduct("Equal"));
  ASSERT_TRUE(bounds);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(std::isinf(bounds->data<float>()[i]), i == 5) << i;  // 2 x 0.5
}

TEST(NoiseBounds, AreOfNoUseWhereSmallErrorsStaySmall) {
  EXPECT_FALSE(BoundsOf(OneAndProduct("Add")));
  EXPECT_FALSE(BoundsOf(OneAndProduct("Max")));
}

}  // namespace
}  // namespace whet
