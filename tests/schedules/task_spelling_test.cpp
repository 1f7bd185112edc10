#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/rng.h"
#include "schedules/operators/operator.h"
#include "schedules/task.h"

namespace whet {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Ints = std::vector<int64_t>;

constexpr char kTarget[] = "x86-64-linux-avx2-2t";

TensorType F32(Shape shape) { return {DataType::kFloat32, std::move(shape)}; }

Task Parse(const std::string& spelling) {
  auto task = ParseTaskSpelling(spelling, kTarget);
  EXPECT_TRUE(task.has_value()) << spelling << ": " << (task ? "" : task.error().message);
  return task ? *task : Task();
}

std::string Refusal(const std::string& spelling) {
  auto task = ParseTaskSpelling(spelling, kTarget);
  if (!task) {
    EXPECT_EQ(task.error().code, ErrorCode::kInvalidInput);
  }
  return task ? "" : task.error().message;
}

TEST(ParseTaskSpelling, ReadsAConvolutionAsChannelsLastWithAConstantBias) {
  Task expected;
  expected.target = kTarget;
  expected.inputs = {
      {"i0", F32({1, 56, 40, 64})}, {"i1", F32({32, 64, 3, 3}), true}, {"i2", F32({32}), true}};
  expected.nodes = {{"Conv",
                     {"i0", "i1", "i2"},
                     "t0",
                     {{"strides", Ints{1, 1}},
                      {"pads", Ints{1, 1, 1, 1}},
                      {"dilations", Ints{1, 1}},
                      {"group", int64_t{1}},
                      {"layout", std::string("NHWC")}}},
                    {"Relu", {"t0"}, "t1", {}}};
  expected.output = "t1";
  EXPECT_EQ(Parse("Conv(x=1x64x56x40,w=32x64x3x3,pads=1)+Relu"), expected);
}

TEST(ParseTaskSpelling, ReadsAMatrixProductWithAConstantSecondMatrix) {
  const Task task = Parse("MatMul(a=1024x1024,b=1024x1024)");
  EXPECT_EQ(task.inputs,
            (std::vector<TaskInput>{{"i0", F32({1024, 1024})}, {"i1", F32({1024, 1024}), true}}));
  EXPECT_EQ(task.nodes.size(), 1u);
  EXPECT_EQ(task.Describe(), "MatMul 1024x1024 1024x1024");
}

TEST(ParseTaskSpelling, TakesABatchedSecondMatrixForData) {
  EXPECT_FALSE(Parse("MatMul(a=2x3x4,b=2x4x5)").inputs[1].constant);
  EXPECT_TRUE(Parse("MatMul(a=2x3x4,b=2x4x5,const=1)").inputs[1].constant);
  EXPECT_FALSE(Parse("MatMul(a=3x4,b=4x5,const=0)").inputs[1].constant);
}

TEST(ParseTaskSpelling, GivesConvAndGemmABiasUnlessToldOtherwise) {
  EXPECT_EQ(Parse("Conv(x=1x4x8x8,w=6x4x1x1,bias=0)").inputs.size(), 2u);
  EXPECT_EQ(Parse("Conv(x=1x4x8x8,w=6x4x1x1,bias=1)").inputs[2].type, F32({6}));
  EXPECT_EQ(Parse("Gemm(a=1x2048,b=1000x2048,transB=1)").inputs[2].type, F32({1000}));
  EXPECT_EQ(Parse("Gemm(a=1x2048,b=2048x1000)").inputs[2].type, F32({1000}));
  EXPECT_EQ(Parse("Gemm(a=2x8,b=8x3,c=2x1)").inputs[2].type, F32({2, 1}));
  EXPECT_TRUE(Parse("Gemm(a=2x8,b=8x3)").inputs[1].constant);
}

TEST(ParseTaskSpelling, ReadsListsInFullOrOneValueForAll) {
  const Attributes a =
      Parse("Conv(x=1x4x9x9,w=4x2x3x3,strides=2x1,pads=0x1x2x1,dilations=2,group=2)")
          .nodes[0]
          .attributes;
  EXPECT_EQ(a.Ints("strides"), (Ints{2, 1}));
  EXPECT_EQ(a.Ints("pads"), (Ints{0, 1, 2, 1}));
  EXPECT_EQ(a.Ints("dilations"), (Ints{2, 2}));
  EXPECT_EQ(a.Int("group"), 2);
  EXPECT_EQ(Parse("MaxPool(x=1x4x9x9,kernel=3x2,pads=1x0)").nodes[0].attributes.Ints("pads"),
            (Ints{1, 0, 1, 0}));
  EXPECT_EQ(Parse("MaxPool(x=1x4x9x9,kernel=3)"), Parse("MaxPool(x=1x4x9x9,kernel_shape=3x3)"));
}

TEST(ParseTaskSpelling, AddsAnotherTensorOfTheOutputsShape) {
  const Task task = Parse("Conv(x=1x4x8x8,w=6x4x1x1,strides=2)+Add+Relu");
  EXPECT_EQ(task.inputs[3], (TaskInput{"i3", F32({1, 4, 4, 6}), false}));
  EXPECT_EQ(task.nodes[1].inputs, (std::vector<std::string>{"t0", "i3"}));
  EXPECT_EQ(task.output, "t2");
}

TEST(ParseTaskSpelling, MultipliesByAScalarOrABroadcastTensor) {
  EXPECT_EQ(Parse("MatMul(a=2x3x4,b=2x4x5)+Mul(0.125)").inputs[2],
            (TaskInput{"i2", F32({}), true}));
  EXPECT_EQ(Parse("Conv(x=1x4x8x8,w=6x4x1x1)+Mul(1x6x1x1)").inputs[3],
            (TaskInput{"i3", F32({1, 1, 1, 6}), false}));
  EXPECT_EQ(Parse("Conv(x=1x4x8x8,w=6x4x1x1)+Mul(b=6x1x1,const=1)").inputs[3],
            (TaskInput{"i3", F32({1, 1, 1, 6}), true}));
  EXPECT_EQ(Parse("MatMul(a=2x4,b=4x5)+Add(b=5,const=1)").inputs[2],
            (TaskInput{"i2", F32({5}), true}));
}

TEST(ParseTaskSpelling, KeepsOnnxOrderWhenAsked) {
  const Task task = Parse("Conv(x=1x64x8x6,w=8x64x1x1,layout=NCHW)+Add");
  EXPECT_EQ(task.inputs[0].type, F32({1, 64, 8, 6}));
  EXPECT_EQ(task.inputs[3].type, F32({1, 8, 8, 6}));
}

TEST(ParseTaskSpelling, ReadsOperatorsOfEveryClass) {
  EXPECT_EQ(Parse("Add(a=1x64x56x56,b=1x64x56x56)+Relu").Describe(), "Add 1x64x56x56 +Relu");
  EXPECT_EQ(Parse("Softmax(x=1x12x128x128)").Describe(), "Softmax 1x12x128x128 axis=3");
  EXPECT_EQ(Parse("Transpose(x=1x2x3x4,perm=0x2x3x1)").Describe(),
            "Transpose 1x2x3x4 perm=0x2x3x1");
  EXPECT_EQ(Parse("Concat(x0=1x2,x1=1x3,axis=1)").Describe(), "Concat 1x2 1x3 axis=1");
  EXPECT_EQ(Parse("Slice(x=8x8,starts=1,ends=5,axes=0,steps=2)").Describe(),
            "Slice 8x8 starts=1 ends=5 axes=0 steps=2");
  EXPECT_EQ(Parse("Gather(x=30x8,indices=4)").inputs[1].type, (TensorType{DataType::kInt64, {4}}));
  EXPECT_EQ(Parse("BatchNormalization(x=1x8x4x4)+Relu").Describe(),
            "BatchNormalization 1x8x4x4 +Relu");
  EXPECT_EQ(Parse("GlobalAveragePool(x=1x8x4x6)").Describe(), "GlobalAveragePool 1x8x4x6");
  EXPECT_EQ(Parse("MaxPool(x=1x64x112x112,kernel=3,strides=2,pads=1)").Describe(),
            "MaxPool 1x64x112x112 kernel=3 strides=2 pads=1");
  EXPECT_EQ(Parse("Clip(x=8,min=0,max=6)").Describe(), "Clip 8 min=0 max=6");
  EXPECT_EQ(Parse("Gemm(a=1x2048,b=1000x2048,transB=1)+Tanh").Describe(),
            "Gemm 1x2048 1000x2048 transB=1 +Tanh");
  EXPECT_EQ(Parse("Reshape(x=2x3,shape=6)").Describe(), "Reshape 2x3 shape=6");
}

TEST(ParseTaskSpelling, IgnoresBlanks) {
  EXPECT_EQ(Parse(" MatMul( a = 4x4, b = 4x4 ) + Relu "), Parse("MatMul(a=4x4,b=4x4)+Relu"));
}

TEST(ParseTaskSpelling, NamesAnUnknownOperatorAndThoseItKnows) {
  EXPECT_THAT(Refusal("Covn(x=1)"), AllOf(HasSubstr("operator 'Covn' is unknown"),
                                          HasSubstr("Conv, ConvTranspose, Div")));
  EXPECT_THAT(Refusal("MatMul(a=4x4,b=4x4)+Rleu"), HasSubstr("operator 'Rleu' is unknown"));
}

TEST(ParseTaskSpelling, NamesAnUnknownArgumentAndWhatIsAccepted) {
  EXPECT_EQ(Refusal("Conv(x=1x4x8x8,w=6x4x1x1,stride=2)"),
            "Conv: argument 'stride' is unknown; Conv takes x, w, b, strides, pads, dilations, "
            "layout, group, bias, const");
  EXPECT_THAT(Refusal("Relu(x=4,const=1)"),
              HasSubstr("Relu: argument 'const' is unknown; Relu takes x"));
  EXPECT_THAT(Refusal("MatMul(4x4,b=4x4)"), HasSubstr("argument '4x4' is unknown"));
  EXPECT_THAT(Refusal("MatMul(a=4x4,b=4x4)+Clip(low=0)"),
              HasSubstr("+Clip: argument 'low' is unknown; +Clip takes min, max"));
  EXPECT_THAT(Refusal("MatMul(a=4x4,b=4x4)+Add(scale=2)"),
              HasSubstr("+Add: argument 'scale' is not accepted"));
}

TEST(ParseTaskSpelling, SaysWhatIsMissingOrGivenTwice) {
  EXPECT_EQ(Refusal("Conv(x=1x4x8x8)"),
            "Conv: operand w is missing; give its shape, as in w=1x64x56x56");
  EXPECT_EQ(Refusal("MaxPool(x=1x4x8x8)"), "MaxPool: attribute kernel_shape is missing");
  EXPECT_EQ(Refusal("MaxPool(x=1x4x8x8,kernel=2,kernel_shape=2)"),
            "MaxPool: argument kernel_shape is given twice");
  EXPECT_THAT(Refusal("Concat(x0=1x2,x2=1x2,axis=0)"), HasSubstr("operand x1 is missing"));
}

TEST(ParseTaskSpelling, NamesTheValueThatIsWrong) {
  EXPECT_THAT(Refusal("Conv(x=1x4x8by8,w=6x4x1x1)"),
              HasSubstr("Conv: x: '1x4x8by8' is not a shape"));
  EXPECT_THAT(Refusal("Relu(x=0x4)"), HasSubstr("Relu: x has the shape 0x4"));
  EXPECT_THAT(Refusal("Conv(x=1x4x8x8,w=6x4x1x1,bias=2)"),
              HasSubstr("Conv: bias is '2' and should be 0 or 1"));
  EXPECT_THAT(Refusal("Conv(x=1x4x8x8,w=6x4x1x1,pads=1x1x1)"),
              HasSubstr("pads is '1x1x1' and should have 1 or 4"));
  EXPECT_THAT(Refusal("Conv(x=1x4x8x8,w=6x4x1x1,group=two)"),
              HasSubstr("group is 'two' and should be an integer"));
  EXPECT_THAT(Refusal("Conv(x=1x4x8x8,w=6x3x1x1)"),
              HasSubstr("Conv: w has the shape 6x3x1x1 and should have 4"));
  EXPECT_THAT(Refusal("Clip(x=4,min=low)"), HasSubstr("min is 'low' and should be a number"));
  EXPECT_THAT(Refusal("MatMul(a=4x4,b=4x4)+Add(3x3)"),
              HasSubstr("+Add: the shapes 4x4 and 3x3 do not broadcast"));
  EXPECT_THAT(Refusal("MatMul(a=1x4,b=4x4)+Add(3x4)"), HasSubstr("+Add: its operand of shape 3x4"));
}

TEST(ParseTaskSpelling, ChainsReductionsThatReadWhatComesBeforeThem) {
  const Task task =
      Parse("Conv(x=1x16x8x6,w=96x16x1x1)+Relu+Conv(w=96x1x3x3,pads=1,group=96)+Conv(w=24x96x1x1)");
  ASSERT_EQ(task.nodes.size(), 4u);
  EXPECT_EQ(task.nodes[2].inputs[0], task.nodes[1].output);
  EXPECT_EQ(task.OutputType()->shape, (Shape{1, 8, 6, 24}));
}

TEST(ParseTaskSpelling, RefusesATailThatOnlyMovesElements) {
  EXPECT_EQ(Refusal("MatMul(a=4x4,b=4x4)+Transpose"),
            "+Transpose: it only moves elements, and only elementwise operators and reductions may "
            "follow a +");
  EXPECT_THAT(Refusal("MatMul(a=4x4,b=4x4)+MatMul(a=4x4,b=4x4)"),
              HasSubstr("a is what the operator before it computes"));
}

TEST(ParseTaskSpelling, SaysWhereTheTextStopsMakingSense) {
  EXPECT_THAT(Refusal(""), HasSubstr("an operator's name should stand at the end"));
  EXPECT_THAT(Refusal("Relu(x=4)+"), HasSubstr("an operator's name should stand at the end"));
  EXPECT_THAT(Refusal("Relu(x=4"), HasSubstr("Relu: its ')' is missing"));
  EXPECT_THAT(Refusal("Relu(x=4)Relu"), HasSubstr("'Relu' does not follow Relu"));
  EXPECT_THAT(Refusal("Relu(x=)"), HasSubstr("argument 'x=' should be name=value"));
  EXPECT_THAT(Refusal("Relu(x=4,)"), HasSubstr("argument '' should be name=value"));
  EXPECT_THAT(Refusal(std::string(5000, 'x')), HasSubstr("at most 4096 characters"));
}

const std::vector<std::string>& Spellings() {
  static const std::vector<std::string> all = {
      "Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu",
      "ConvTranspose(x=1x8x4x4,w=8x6x4x4,strides=2,pads=1)+Add+Relu",
      "ConvTranspose(x=1x8x4x4,w=8x3x3x3,strides=2,group=2,output_padding=1,bias=0)",
      "Resize(x=1x8x4x4,sizes=8,mode=linear)+Relu",
      "Resize(x=1x8x4x5,sizes=2x3,nearest_mode=floor,scale_height=0.6)",
      "LayerNormalization(x=2x5x16,scale=5x16,axis=1)+Relu",
      "LayerNormalization(x=2x16,scale=16,axis=1,epsilon=1e-06,bias=0)",
      "ReduceMean(x=2x5x16,axes=0x2)+Sqrt",
      "Conv(x=1x3x224x224,w=64x3x7x7,strides=2,pads=3)+Relu",
      "Conv(x=2x32x9x11,w=32x1x3x3,strides=2x1,pads=0x1x2x1,dilations=2,group=32,bias=0)+Clip(min="
      "0,max=6)",
      "Conv(x=1x8x8x8,w=4x8x1x1,layout=NCHW)+Add+Relu",
      "Conv(x=1x8x8x8,w=4x8x1x1)+Mul(b=1x4x1x1)+HardSigmoid(alpha=0.16666667)+Add(b=1x4x1x1,const="
      "1)",
      "MatMul(a=1024x1024,b=1024x1024)",
      "Conv(x=1x16x8x6,w=96x16x1x1)+Clip(min=0,max=6)+Conv(w=96x1x3x3,pads=1,group=96)+Relu+"
      "Conv(w=16x96x1x1)+Add",
      "MatMul(a=1x2x24x16,b=1x2x16x24)+Softmax(axis=3)+MatMul(b=1x2x24x16)",
      "MatMul(a=1x12x128x64,b=1x12x64x128)+Mul(1)+Add",
      "MatMul(a=1x128x768,b=768x768)+Add(b=768,const=1)+Gelu(approximate=tanh)",
      "MatMul(a=64x64,b=64x64,const=0)",
      "Gemm(a=1x2048,b=1000x2048,transB=1)+Tanh",
      "Gemm(a=8x16,b=16x4,alpha=0.5,bias=0)",
      "MaxPool(x=1x64x112x112,kernel=3,strides=2,pads=1,ceil_mode=1)",
      "AveragePool(x=1x64x8x8,kernel=2x3,count_include_pad=1)",
      "GlobalAveragePool(x=1x64x8x8)",
      "BatchNormalization(x=1x8x4x4,scale=8,bias=8,mean=8,variance=8,epsilon=0.001)+Relu",
      "Softmax(x=1x12x128x128,axis=3)",
      "Add(a=1x64x56x56,b=1x64x1x1)+Relu",
      "Transpose(x=1x2x3x4,perm=0x2x3x1)",
      "Concat(x0=1x2,x1=1x3,axis=1)",
      "Slice(x=8x8,starts=1,ends=5,axes=0,steps=2)",
      "Gather(x=30x8,indices=4)",
      "Reshape(x=2x3,shape=6)",
      "Cast(x=4,to=i64)",
  };
  return all;
}

TEST(SpellTask, IsTheInverseOfParsing) {
  for (const std::string& spelling : Spellings()) EXPECT_EQ(SpellTask(Parse(spelling)), spelling);
}

TEST(SpellTask, IsEmptyForATaskThatCannotBeSpelled) {
  Task task = Parse("MatMul(a=4x4,b=4x4)+Relu+Mul");
  task.nodes[2].inputs[1] = "t0";  // reads the product again
  task.inputs.pop_back();
  ASSERT_TRUE(task.Types().has_value());
  EXPECT_EQ(SpellTask(task), "");
}

RC_GTEST_PROP(ParseTaskSpellingProperty, SurvivesAnyText, (const std::string& text)) {
  auto task = ParseTaskSpelling(text, kTarget);
  if (!task) RC_ASSERT(!task.error().message.empty());
}

RC_GTEST_PROP(ParseTaskSpellingProperty, SurvivesAnyDamage, ()) {
  Rng rng(*rc::gen::arbitrary<uint64_t>());
  const auto& all = Spellings();
  auto pick = [&] { return all[rng.Below(static_cast<int64_t>(all.size()))]; };
  std::string text = pick();
  static constexpr std::string_view kBytes = "()+,=x0123456789-.e abwCR\xff";
  for (int64_t i = 1 + rng.Below(4); i > 0 && !text.empty(); --i) {
    const size_t at = static_cast<size_t>(rng.Below(static_cast<int64_t>(text.size())));
    switch (rng.Below(5)) {
      case 0:
        text.erase(at, 1 + rng.Below(3));
        break;
      case 1:
        text.insert(at, 1, kBytes[rng.Below(static_cast<int64_t>(kBytes.size()))]);
        break;
      case 2:
        text[at] = kBytes[rng.Below(static_cast<int64_t>(kBytes.size()))];
        break;
      case 3:
        text.insert(at, std::to_string(int64_t{1} << rng.Below(63)));
        break;
      default: {
        const std::string other = pick();
        const size_t from = static_cast<size_t>(rng.Below(static_cast<int64_t>(other.size())));
        text = text.substr(0, at) + other.substr(from);
        break;
      }
    }
  }
  auto task = ParseTaskSpelling(text, kTarget);
  if (task) {
    RC_ASSERT(task->Types().has_value());
    RC_ASSERT(*Task::FromJson(task->ToJson()) == *task);
    SpellTask(*task);
  } else {
    RC_ASSERT(task.error().code == ErrorCode::kInvalidInput);
    RC_ASSERT(!task.error().message.empty());
  }
}

}  // namespace
}  // namespace whet
