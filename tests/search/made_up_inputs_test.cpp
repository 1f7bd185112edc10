#include "search/made_up_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <set>

#include "schedules/task_builder.h"
#include "search/reach.h"

namespace whet {
namespace {

const std::string kTarget = "x86-64-linux-avx2-2t";

Task TaskOf(const std::string& spelling) {
  const Result<Task> task = ParseTaskSpelling(spelling, kTarget);
  EXPECT_TRUE(task) << spelling << ": " << (task ? "" : task.error().message);
  return task ? *task : Task{};
}

std::vector<Tensor> InputsOf(const std::string& spelling, Accuracy accuracy = Accuracy::kFast) {
  Task task = TaskOf(spelling);
  task.accuracy = accuracy;
  const auto inputs = MakeInputs(task);
  EXPECT_TRUE(inputs) << inputs.error().message;
  return inputs ? *inputs : std::vector<Tensor>{};
}

int64_t CountIf(const Tensor& tensor, const std::function<bool(float)>& holds) {
  return std::count_if(tensor.data<float>(), tensor.data<float>() + tensor.count(), holds);
}
bool IsNan(float x) { return std::isnan(x); }
bool IsInfinite(float x) { return std::isinf(x); }
bool IsNoNumber(float x) { return !std::isfinite(x); }
bool IsMinusZero(float x) { return x == 0 && std::signbit(x); }
bool IsDenormal(float x) { return std::fpclassify(x) == FP_SUBNORMAL; }

TEST(MakeInputs, MakesTheSameDataForTheSameTaskAndOtherDataForEachInput) {
  const std::vector<Tensor> first = InputsOf("Add(a=100,b=100)"),
                            second = InputsOf("Add(a=100,b=100)");
  EXPECT_EQ(std::memcmp(first[0].bytes(), second[0].bytes(), 400), 0);
  EXPECT_NE(std::memcmp(first[0].bytes(), first[1].bytes(), 400), 0);
}

TEST(MakeInputs, ScalesWeightsSoThatOutputsHaveAboutUnitVariance) {
  const std::vector<Tensor> inputs = InputsOf("MatMul(a=4x300,b=300x8)");
  float largest = 0;
  for (int i = 0; i < 2400; ++i) largest = std::max(largest, std::abs(inputs[1].data<float>()[i]));
  EXPECT_LE(largest, 0.1f);
  EXPECT_GE(largest, 0.09f);
}

TEST(MakeInputs, KeepsMostRootsPositiveAndDivisorsAwayFromZero) {
  const Tensor root = InputsOf("Sqrt(x=1000)")[0], divisor = InputsOf("Div(a=1000,b=1000)")[1];
  EXPECT_GE(CountIf(root, [](float x) { return x >= 0.1f && x < 1; }), 900);
  EXPECT_GE(CountIf(divisor, [](float x) { return std::abs(x) >= 0.5f && std::abs(x) < 1.5f; }),
            900);
}

TEST(MakeInputs, MakesIndicesThatExistAndThoseAtBothEnds) {
  TaskBuilder b(kTarget);
  const auto x = b.AddInput({DataType::kFloat32, {5, 3}}, false),
             i = b.AddInput({DataType::kInt64, {50}}, false);
  ASSERT_TRUE(b.AddNode("Gather", {x, i}, {{"axis", int64_t{1}}}));
  const auto inputs = MakeInputs(*b.Finish());
  ASSERT_TRUE(inputs) << inputs.error().message;
  const int64_t* indices = (*inputs)[1].data<int64_t>();
  EXPECT_EQ(std::set<int64_t>(indices, indices + 50), (std::set<int64_t>{0, 1, 2}));
}

TEST(MakeInputs, PutsEveryKindOfExtremeAmongTheElementsOfAnElementwiseOperator) {
  const Tensor x = InputsOf("Relu(x=4000)")[0];
  for (const auto& kind : {IsNan, IsInfinite, IsMinusZero, IsDenormal})
    EXPECT_GT(CountIf(x, kind), 0);
  EXPECT_GT(CountIf(x, [](float v) { return v == std::numeric_limits<float>::max(); }), 0);
  EXPECT_GT(CountIf(x, [](float v) { return v == 2.5f; }), 0);
  EXPECT_LE(CountIf(x, IsDenormal), 2);
  EXPECT_LE(CountIf(x, [](float v) { return !(std::abs(v) <= 1); }), 4000 / 8);
}

TEST(MakeInputs, PutsTheEndsOfIntegersAmongTheElements) {
  TaskBuilder b(kTarget);
  const auto x = b.AddInput({DataType::kInt32, {400}}, false);
  ASSERT_TRUE(b.AddNode("Div", {x, x}));
  const auto inputs = MakeInputs(*b.Finish());
  ASSERT_TRUE(inputs) << inputs.error().message;
  const int32_t* values = (*inputs)[0].data<int32_t>();
  const std::set<int32_t> all(values, values + 400);
  EXPECT_TRUE(all.contains(std::numeric_limits<int32_t>::min()));
  EXPECT_TRUE(all.contains(std::numeric_limits<int32_t>::max()));
}

TEST(MakeInputs, LeavesMostRowsOfAReductionOrdinary) {
  for (const char* spelling : {"Softmax(x=64x100)", "ReduceMax(x=64x100,axes=1)",
                               "LayerNormalization(x=64x100)", "Add(a=64x100,b=64x100)+Softmax"}) {
    const Tensor x = InputsOf(spelling)[0];
    int64_t ordinary = 0;
    for (int64_t row = 0; row < 64; ++row) {
      const float* values = x.data<float>() + row * 100;
      ordinary += std::none_of(values, values + 100, IsNoNumber);
    }
    EXPECT_GE(ordinary, 48) << spelling;
    EXPECT_LT(ordinary, 64) << spelling;
  }
}

TEST(MakeInputs, LeavesTheOnlyRowOfAReductionOrdinary) {
  EXPECT_EQ(CountIf(InputsOf("ReduceSum(x=640,axes=0)")[0], IsNoNumber), 0);
}

TEST(MakeInputs, GivesContractionsNumbersOnlyUnlessTheyAreStrict) {
  for (const char* spelling : {"Conv(x=1x8x12x12,w=8x8x3x3,pads=1)+Relu", "MatMul(a=40x40,b=40x40)",
                               "Relu(x=1x8x12x12)+Conv(w=8x8x3x3)"}) {
    for (const Tensor& x : InputsOf(spelling)) EXPECT_EQ(CountIf(x, IsNoNumber), 0) << spelling;
    EXPECT_GT(CountIf(InputsOf(spelling)[0], IsMinusZero), 0) << spelling;
  }
}

TEST(MakeInputs, GivesStrictContractionsANan) {
  for (const char* spelling :
       {"Conv(x=1x8x24x24,w=8x8x3x3,pads=1)+Relu", "MatMul(a=40x40,b=40x40)"})
    EXPECT_EQ(CountIf(InputsOf(spelling, Accuracy::kStrict)[0], IsNan), 1) << spelling;
}

TEST(MakeInputs, FillsHalfPrecisionWithBitsOfAnyKind) {
  Task task = TaskOf("Transpose(x=16x16,perm=1x0)");
  task.inputs[0].type.dtype = DataType::kFloat16;
  const auto inputs = MakeInputs(task);
  ASSERT_TRUE(inputs) << inputs.error().message;
  const auto* bits = reinterpret_cast<const uint16_t*>((*inputs)[0].bytes());
  EXPECT_GT(std::set<uint16_t>(bits, bits + 256).size(), 200u);
}

TEST(MakeInputs, AddsNoInfinityToWhatTheTaskComputes) {
  const std::vector<Tensor> inputs = InputsOf("Conv(x=1x8x12x12,w=8x8x3x3,pads=1)+Mul");
  EXPECT_EQ(CountIf(inputs.back(), IsInfinite), 0);
  EXPECT_GT(CountIf(inputs.back(), IsNan), 0);
}

TEST(ReachOf, FollowsAnInputToTheReductionItGoesInto) {
  const Task task = TaskOf("Add(a=4x6,b=6)+Softmax");
  const auto types = *task.Types();
  const Reach a = ReachOf(task, types, task.inputs[0]), b = ReachOf(task, types, task.inputs[1]);
  EXPECT_EQ(a.kind, Reach::Kind::kRow);
  EXPECT_EQ(a.dims, (std::vector<int64_t>{1}));
  EXPECT_EQ(b.dims, (std::vector<int64_t>{0}));
  EXPECT_FALSE(a.alone);
}

}  // namespace
}  // namespace whet
