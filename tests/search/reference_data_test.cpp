#include "search/reference_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/file.h"

namespace whet {
namespace {

Task OneNode(std::string op, std::vector<TaskInput> inputs, Attributes attributes = {}) {
  Task task;
  TaskNode node{std::move(op), {}, "y", std::move(attributes)};
  for (const TaskInput& input : inputs) node.inputs.push_back(input.name);
  task.inputs = std::move(inputs);
  task.nodes = {std::move(node)};
  task.output = "y";
  task.target = "x86-64-linux-avx2-2t";
  return task;
}

TEST(MakeInputs, MakesTheSameDataForTheSameTaskAndOtherDataForEachInput) {
  const Task task = OneNode(
      "Add", {{"a", {DataType::kFloat32, {100}}, false}, {"b", {DataType::kFloat32, {100}}, true}});
  const auto first = MakeInputs(task), second = MakeInputs(task);
  ASSERT_TRUE(first && second) << first.error().message;
  EXPECT_EQ(std::memcmp((*first)[0].bytes(), (*second)[0].bytes(), 400), 0);
  EXPECT_NE(std::memcmp((*first)[0].bytes(), (*first)[1].bytes(), 400), 0);
  for (int i = 0; i < 100; ++i) EXPECT_LE(std::abs((*first)[0].data<float>()[i]), 1);
}

TEST(MakeInputs, ScalesWeightsSoThatOutputsHaveAboutUnitVariance) {
  const Task task = OneNode("MatMul", {{"a", {DataType::kFloat32, {4, 300}}, false},
                                       {"b", {DataType::kFloat32, {300, 8}}, true}});
  const auto inputs = MakeInputs(task);
  ASSERT_TRUE(inputs);
  float largest = 0;
  for (int i = 0; i < 2400; ++i)
    largest = std::max(largest, std::abs((*inputs)[1].data<float>()[i]));
  EXPECT_LE(largest, 0.1f);
  EXPECT_GE(largest, 0.09f);
}

TEST(MakeInputs, KeepsRootsPositiveAndDivisorsAwayFromZero) {
  const auto root = MakeInputs(OneNode("Sqrt", {{"x", {DataType::kFloat32, {100}}, false}}));
  const auto quotient = MakeInputs(OneNode("Div", {{"a", {DataType::kFloat32, {100}}, false},
                                                   {"b", {DataType::kFloat32, {100}}, false}}));
  ASSERT_TRUE(root && quotient);
  for (int i = 0; i < 100; ++i) {
    EXPECT_GT((*root)[0].data<float>()[i], 0);
    EXPECT_GE(std::abs((*quotient)[1].data<float>()[i]), 0.5f);
  }
}

TEST(MakeInputs, MakesIndicesThatExist) {
  const auto inputs = MakeInputs(
      OneNode("Gather",
              {{"x", {DataType::kFloat32, {5, 3}}, false}, {"i", {DataType::kInt64, {50}}, false}},
              Attributes{{"axis", int64_t{1}}}));
  ASSERT_TRUE(inputs) << inputs.error().message;
  for (int i = 0; i < 50; ++i) {
    EXPECT_GE((*inputs)[1].data<int64_t>()[i], 0);
    EXPECT_LT((*inputs)[1].data<int64_t>()[i], 3);
  }
}

TEST(WriteReferenceData, WritesInputsAndTheReferencesOutput) {
  auto directory = TemporaryDirectory::Create("whet-test");
  ASSERT_TRUE(directory);
  const Task task = OneNode("Relu", {{"x", {DataType::kFloat32, {7, 9}}, false}});
  const Status written = WriteReferenceData(task, directory->path() / "data");
  ASSERT_TRUE(written) << written.error().message;
  std::vector<float> x(63), y(63);
  ASSERT_TRUE(ReadBytes(InputFile(directory->path() / "data", 0), x.data(), 63 * 4));
  ASSERT_TRUE(ReadBytes(OutputFile(directory->path() / "data"), y.data(), 63 * 4));
  for (int i = 0; i < 63; ++i) EXPECT_EQ(y[i], std::max(x[i], 0.0f));
}

TEST(ReadBytes, RefusesAFileOfAnotherSize) {
  auto directory = TemporaryDirectory::Create("whet-test");
  ASSERT_TRUE(directory);
  ASSERT_TRUE(WriteFileAtomically(directory->path() / "f", "12345"));
  char bytes[8];
  EXPECT_TRUE(ReadBytes(directory->path() / "f", bytes, 5));
  EXPECT_EQ(ReadBytes(directory->path() / "f", bytes, 4).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(ReadBytes(directory->path() / "f", bytes, 6).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(ReadBytes(directory->path() / "g", bytes, 5).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace whet
