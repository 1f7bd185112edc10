#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "schedules/task.h"

namespace whet {
namespace {

using ::testing::HasSubstr;

constexpr char kTarget[] = "x86-64-linux-avx2-2t";

Json Entry(const char* text) {
  auto json = ParseJson(text);
  EXPECT_TRUE(json.has_value());
  return *json;
}

// The task of an entry is the task of this spelling.
void ExpectSame(const char* entry, const std::string& spelling) {
  auto named = TaskFromShapeEntry(Entry(entry), kTarget);
  ASSERT_TRUE(named.has_value()) << named.error().message;
  auto spelled = ParseTaskSpelling(spelling, kTarget);
  ASSERT_TRUE(spelled.has_value()) << spelled.error().message;
  EXPECT_EQ(named->task, *spelled) << named->task.Describe();
}

constexpr char kConv[] =
    R"({"id": "net.conv", "op": "Conv", "input": [1, 64, 56, 40], "weight": [256, 64, 1, 1],
    "output": [1, 256, 56, 40], "strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "group": 1,
    "bias": true, "epilogue": ["add", "relu"], "mmac": 51.38, "count": 4})";

TEST(ShapeList, ReadsConvolutionsWithTheirEpilogue) {
  ExpectSame(kConv, "Conv(x=1x64x56x40,w=256x64x1x1)+Add+Relu");
  ExpectSame(R"({"id": "dw", "op": "Conv", "input": [1, 96, 112, 112], "weight": [96, 1, 3, 3],
      "output": [1, 96, 56, 56], "strides": [2, 2], "pads": [1, 1, 1, 1], "dilations": [1, 1], "group": 96,
      "bias": false, "epilogue": ["relu6"]})",
             "Conv(x=1x96x112x112,w=96x1x3x3,strides=2,pads=1,group=96,bias=0)+Clip(min=0,max=6)");
}

TEST(ShapeList, ReadsProductsWithBiasScaleAndActivation) {
  ExpectSame(
      R"({"id": "m", "op": "MatMul", "input": [1, 128, 768], "weight": [768, 3072], "output": [1, 128, 3072],
      "bias": true, "epilogue": ["gelu"]})",
      "MatMul(a=1x128x768,b=768x3072)+Add(b=3072,const=1)+Gelu");
  ExpectSame(R"({"id": "b", "op": "MatMul", "input": [1, 12, 128, 64], "weight": [1, 12, 64, 128],
      "output": [1, 12, 128, 128], "bias": false, "epilogue": ["scale", "add"]})",
             "MatMul(a=1x12x128x64,b=1x12x64x128)+Mul(0.125)+Add");
  ExpectSame(
      R"({"id": "g", "op": "Gemm", "input": [1, 768], "weight": [768, 768], "output": [1, 768], "transA": 0,
      "transB": 1, "bias": true, "epilogue": ["tanh"]})",
      "Gemm(a=1x768,b=768x768,transB=1)+Tanh");
}

TEST(ShapeList, NamesTheKernelAndTheFieldThatIsWrong) {
  auto refusal = [](const char* field, Json value) {
    Json entry = Entry(kConv);
    entry[field] = std::move(value);
    auto task = TaskFromShapeEntry(entry, kTarget);
    return task ? "" : task.error().message;
  };
  EXPECT_EQ(refusal("op", "Resize"),
            "kernel 'net.conv': op is 'Resize' and should be Conv, Gemm or MatMul");
  EXPECT_THAT(refusal("epilogue", Json::array({"swish"})),
              HasSubstr("epilogue 'swish' is unknown; known are relu"));
  EXPECT_THAT(refusal("output", Json::array({1, 256, 56, 41})),
              HasSubstr("output is 1x256x56x41 and the operands make 1x256x56x40"));
  EXPECT_THAT(refusal("input", Json::array({1, 64})), HasSubstr("should have 4 dimensions each"));
  EXPECT_THAT(refusal("weight", "64"), HasSubstr("field 'weight' should be a list"));
  EXPECT_THAT(refusal("strides", Json::array({0, 1})),
              HasSubstr("kernel 'net.conv': Conv: attribute strides"));
  EXPECT_THAT(TaskFromShapeEntry(Json(3), kTarget).error().message, HasSubstr("'id'"));
}

class ShapeListFile : public ::testing::Test {
 protected:
  Result<std::vector<NamedTask>> Read(const std::string& text) {
    const std::string path = (directory_.path() / "shapes.json").string();
    EXPECT_TRUE(WriteFileAtomically(path, text).has_value());
    return ReadShapeList(path, kTarget);
  }
  TemporaryDirectory directory_ = *TemporaryDirectory::Create("shapes");
};

TEST_F(ShapeListFile, HoldsKernelsUnderTheirIds) {
  auto tasks = Read(fmt::format(R"({{"about": "some", "kernels": [{}]}})", kConv));
  ASSERT_TRUE(tasks.has_value()) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 1u);
  EXPECT_EQ(tasks->front().id, "net.conv");
}

TEST_F(ShapeListFile, IsNamedInErrors) {
  EXPECT_THAT(Read("{").error().message, HasSubstr("shapes.json: not JSON"));
  EXPECT_THAT(Read("{}").error().message, HasSubstr("shapes.json: field 'kernels' is missing"));
  EXPECT_THAT(Read(fmt::format(R"({{"kernels": [{0}, {0}]}})", kConv)).error().message,
              HasSubstr("shapes.json: the id 'net.conv' is there twice"));
  EXPECT_THAT(Read(R"({"kernels": [7]})").error().message, HasSubstr("shapes.json: entry 0"));
  EXPECT_THAT(ReadShapeList("/nowhere/shapes.json", kTarget).error().message,
              HasSubstr("/nowhere/shapes.json"));
}

}  // namespace
}  // namespace whet
