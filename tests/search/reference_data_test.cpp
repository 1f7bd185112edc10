#include "search/reference_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

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

TEST(WriteReferenceData, WritesInputsAndTheReferencesOutput) {
  auto directory = TemporaryDirectory::Create("whet-test");
  ASSERT_TRUE(directory);
  const Task task = OneNode("Relu", {{"x", {DataType::kFloat32, {7, 9}}, false}});
  const Status written = WriteReferenceData(task, directory->path() / "data");
  ASSERT_TRUE(written) << written.error().message;
  std::vector<float> x(63), y(63);
  ASSERT_TRUE(ReadBytes(InputFile(directory->path() / "data", 0), x.data(), 63 * 4));
  ASSERT_TRUE(ReadBytes(OutputFile(directory->path() / "data"), y.data(), 63 * 4));
  for (int i = 0; i < 63; ++i) {
    if (std::isnan(x[i])) {
      EXPECT_TRUE(std::isnan(y[i]));
    } else {
      EXPECT_EQ(y[i], std::max(x[i], 0.0f));
    }
  }
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
