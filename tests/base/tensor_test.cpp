#include "base/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace whet {
namespace {

TEST(DataTypes, NamesParseBack) {
  for (DataType dtype :
       {DataType::kFloat32, DataType::kFloat16, DataType::kBFloat16, DataType::kFloat64,
        DataType::kInt8, DataType::kUInt8, DataType::kInt16, DataType::kUInt16, DataType::kInt32,
        DataType::kUInt32, DataType::kInt64, DataType::kBool}) {
    EXPECT_EQ(ParseDataType(Name(dtype)).value(), dtype);
  }
  EXPECT_EQ(SizeOf(DataType::kBFloat16), 2);
  EXPECT_EQ(SizeOf(DataType::kInt64), 8);
}

TEST(DataTypes, AnUnknownNameSaysWhichAreKnown) {
  EXPECT_THAT(ParseDataType("float").error().message, testing::HasSubstr("f32"));
}

TEST(Shapes, PrintAndParseBack) {
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{1, 64, 56, 56}, Shape{0, 3}}) {
    EXPECT_EQ(ParseShape(ToString(shape)).value(), shape);
  }
  EXPECT_EQ(ToString(Shape{1, 64, 56, 56}), "1x64x56x56");
  EXPECT_EQ(ToString(TensorType{DataType::kInt8, {2, 3}}), "i8[2x3]");
}

TEST(Shapes, RefusesWhatIsNotAShape) {
  for (const char* text : {"", "x", "1x", "x1", "1xx2", "-1x2", "1.5", "1x2 ", "two",
                           "99999999999999999999", "4294967296x4294967296"}) {
    EXPECT_FALSE(ParseShape(text).has_value()) << text;
  }
}

TEST(Tensors, StartAsZerosOnA64ByteBoundary) {
  for (int64_t extent : {0, 1, 3, 1000}) {
    const Tensor tensor(TensorType{DataType::kFloat32, {extent}});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes()) % kTensorAlignment, 0u);
    for (int64_t i = 0; i < extent; ++i) EXPECT_EQ(tensor.AsDouble(i), 0);
  }
}

TEST(Tensors, CopiesDoNotShareBytes) {
  Tensor a = Tensor::Float({2}, {1, 2});
  Tensor b = a;
  b.data<float>()[0] = 9;
  EXPECT_EQ(a.AsDouble(0), 1);
  a = b;
  EXPECT_EQ(a.AsDouble(0), 9);
  EXPECT_EQ(Tensor(Tensor()).count(), 0);
}

TEST(Tensors, ReshapedKeepsTheElements) {
  const Tensor tensor = Tensor::Int64({2, 3}, {1, 2, 3, 4, 5, 6}).Reshaped({3, 2});
  EXPECT_EQ(tensor.shape(), (Shape{3, 2}));
  EXPECT_EQ(tensor.AsInt64(5), 6);
}

TEST(Tensors, ReadEveryElementTypeAsANumber) {
  const Tensor half =
      Tensor::Of<uint16_t>(DataType::kFloat16, {5}, {0x3c00, 0xc000, 0x0001, 0xfc00, 0x7bff});
  EXPECT_EQ(half.AsDouble(0), 1.0);
  EXPECT_EQ(half.AsDouble(1), -2.0);
  EXPECT_EQ(half.AsDouble(2), 0x1p-24);
  EXPECT_EQ(half.AsDouble(3), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(half.AsDouble(4), 65504.0);
  EXPECT_EQ(Tensor::Of<uint16_t>(DataType::kBFloat16, {1}, {0xbfc0}).AsDouble(0), -1.5);
  EXPECT_EQ(Tensor::Of<double>(DataType::kFloat64, {1}, {0.1}).AsDouble(0), 0.1);
  EXPECT_EQ(Tensor::Of<int8_t>(DataType::kInt8, {1}, {-3}).AsInt64(0), -3);
  EXPECT_EQ(Tensor::Of<uint8_t>(DataType::kUInt8, {1}, {250}).AsDouble(0), 250);
  EXPECT_EQ(Tensor::Of<int32_t>(DataType::kInt32, {1}, {-70000}).AsInt64(0), -70000);
  EXPECT_EQ(Tensor::Of<uint8_t>(DataType::kBool, {1}, {1}).AsDouble(0), 1);
}

TEST(Tensors, FloatsBecomeIntegersTowardsZeroAndSaturate) {
  const Tensor tensor = Tensor::Float({4}, {-1.9F, 1e30F, -1e30F, NAN});
  EXPECT_EQ(tensor.AsInt64(0), -1);
  EXPECT_EQ(tensor.AsInt64(1), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(tensor.AsInt64(2), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(tensor.AsInt64(3), 0);
}

}  // namespace
}  // namespace whet
