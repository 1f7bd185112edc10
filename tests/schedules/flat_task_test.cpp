#include "schedules/flat_task.h"

#include <gtest/gtest.h>

namespace whet {
namespace {

Task Parse(const std::string& spelling) {
  auto task = ParseTaskSpelling(spelling, "x86-64-linux-avx512-2t");
  EXPECT_TRUE(task) << spelling;
  return *std::move(task);
}

TEST(Flattened, MakesAListOfPositionsForPointwiseConvolutions) {
  const Task flat = Flattened(Parse("Conv(x=2x24x7x5,w=40x24x1x1)+Add+Relu"));
  EXPECT_EQ(flat.inputs[0].type.shape, (Shape{1, 1, 70, 24}));
  EXPECT_EQ(flat.inputs[1].type.shape, (Shape{40, 24, 1, 1}));
  EXPECT_EQ(flat.OutputType()->shape, (Shape{1, 1, 70, 40}));
}

TEST(Flattened, KeepsChannelsOutsideWhereTheyComeFirst) {
  const Task flat = Flattened(Parse("Conv(x=2x24x7x5,w=40x24x1x1,layout=NCHW)+Relu"));
  EXPECT_EQ(flat.inputs[0].type.shape, (Shape{2, 24, 1, 35}));
  EXPECT_EQ(flat.inputs[1].type.shape, (Shape{40, 24, 1, 1}));
  EXPECT_EQ(flat.OutputType()->shape, (Shape{2, 40, 1, 35}));
}

TEST(Flattened, KeepsTheBytesOfEveryTensor) {
  const Task task = Parse("Conv(x=1x24x7x5,w=40x24x1x1)+Add+Mul(b=1x40x1x1,const=1)+Relu");
  const Task flat = Flattened(task);
  ASSERT_EQ(task.inputs.size(), flat.inputs.size());
  for (size_t i = 0; i < task.inputs.size(); ++i)
    EXPECT_EQ(task.inputs[i].type.bytes(), flat.inputs[i].type.bytes());
  EXPECT_EQ(flat.Flops(), task.Flops());
}

TEST(Flattened, MakesOneDimensionOfElementwiseWork) {
  EXPECT_EQ(Flattened(Parse("Add(a=1x24x10x10,b=1x24x10x10)+Relu")).OutputType()->shape,
            (Shape{1, 1, 1, 2400}));
}

TEST(Flattened, MergesWhatATransposeLeavesSideBySide) {
  const auto check = [](const std::string& spelling, Shape in, Shape out) {
    const Task flat = Flattened(Parse(spelling));
    EXPECT_EQ(flat.inputs[0].type.shape, in) << spelling;
    EXPECT_EQ(flat.OutputType()->shape, out) << spelling;
  };
  check("Transpose(x=1x24x7x5,perm=0x2x3x1)", {1, 1, 24, 35}, {1, 1, 35, 24});
  check("Transpose(x=1x7x5x24,perm=0x3x1x2)", {1, 1, 35, 24}, {1, 1, 24, 35});
  check("Transpose(x=2x24x7x5,perm=0x2x3x1)", {1, 2, 24, 35}, {1, 2, 35, 24});
  check("Transpose(x=1x12x8x64,perm=0x2x1x3)", {1, 12, 8, 64}, {1, 8, 12, 64});
  check("Transpose(x=3x1x4x5,perm=1x0x2x3)", {1, 1, 1, 60}, {1, 1, 1, 60});
}

TEST(Flattened, LeavesTasksAloneWhosePositionsDependOnEachOther) {
  for (const char* spelling :
       {"Conv(x=1x24x7x5,w=40x24x3x3,pads=1)", "Conv(x=1x24x8x8,w=40x24x1x1,strides=2)",
        "Conv(x=1x24x8x8,w=40x24x1x1,pads=1)", "Conv(x=1x24x8x8,w=40x12x1x1,group=2)",
        "Conv(x=1x24x8x8,w=40x24x1x1,layout=NCHW,strides=2)",
        "MaxPool(x=1x24x15x15,kernel=3,strides=2)", "MatMul(a=33x40,b=40x56)", "Softmax(x=6x37)"}) {
    const Task task = Parse(spelling);
    EXPECT_EQ(Flattened(task), task) << spelling;
  }
}

TEST(Flattened, KeepsAValueForEachPosition) {
  const Task flat = Flattened(Parse("Conv(x=1x24x7x5,w=40x24x1x1)+Mul(b=1x1x7x5)"));
  EXPECT_EQ(flat.inputs[3].type.shape, (Shape{1, 1, 35, 1}));
}

TEST(Flattened, LeavesTasksAloneThatBroadcastOverSomePositions) {
  const Task task = Parse("Conv(x=1x24x7x5,w=40x24x1x1)+Mul(b=1x1x7x1)");
  EXPECT_EQ(Flattened(task), task);
}

}  // namespace
}  // namespace whet
