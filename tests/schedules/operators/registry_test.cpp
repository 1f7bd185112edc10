#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::HasSubstr;

TEST(OperatorRegistry, HasEveryOperatorOfItsReadme) {
  for (const char* name : {"Relu",
                           "Sigmoid",
                           "Tanh",
                           "HardSwish",
                           "Exp",
                           "Log",
                           "Sqrt",
                           "Neg",
                           "Abs",
                           "Erf",
                           "HardSigmoid",
                           "LeakyRelu",
                           "Clip",
                           "Gelu",
                           "Add",
                           "Sub",
                           "Mul",
                           "Div",
                           "Max",
                           "Min",
                           "Pow",
                           "Equal",
                           "Less",
                           "LessOrEqual",
                           "Where",
                           "Conv",
                           "ConvTranspose",
                           "Resize",
                           "MaxPool",
                           "AveragePool",
                           "GlobalAveragePool",
                           "BatchNormalization",
                           "Gemm",
                           "MatMul",
                           "LayerNormalization",
                           "Softmax",
                           "ReduceSum",
                           "ReduceMean",
                           "ReduceMax",
                           "ReduceMin",
                           "ReduceProd",
                           "Transpose",
                           "Concat",
                           "Slice",
                           "Gather",
                           "Pad",
                           "Reshape",
                           "Cast",
                           "Pipeline"})
    EXPECT_NE(FindOperator(name), nullptr) << name;
  EXPECT_EQ(AllOperators().size(), 49u);
}

TEST(OperatorRegistry, KnowsNoOtherNames) {
  EXPECT_EQ(FindOperator("Einsum"), nullptr);
  EXPECT_EQ(FindOperator(""), nullptr);
  EXPECT_EQ(FindOperator("conv"), nullptr);
}

TEST(OperatorRegistry, NamesAsManyOperandsAsItTakes) {
  for (const OperatorDef* def : AllOperators())
    EXPECT_EQ(static_cast<int>(def->operands.size()), def->max_inputs < 0 ? 1 : def->max_inputs)
        << def->name;
}

TEST(OperatorRegistry, SaysHowManyInputsAnOperatorTakes) {
  EXPECT_EQ(Refusal("Conv", {}, {F32({1})}), "it has 1 inputs and takes 2 to 3");
  EXPECT_EQ(Refusal("Relu", {}, {}), "it has 0 inputs and takes 1");
  EXPECT_EQ(Refusal("Concat", {}, {}), "it has 0 inputs and takes 1 or more");
}

TEST(OperatorRegistry, RefusesTensorsThatNoMachineHolds) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(Refusal("Relu", {}, {F32({huge, huge})}), HasSubstr("more than the"));
  EXPECT_THAT(Refusal("Relu", {}, {F32({0, huge, huge})}), HasSubstr("more than the"));
  EXPECT_THAT(Refusal("Relu", {}, {F32({-1})}), HasSubstr("not negative"));
  EXPECT_THAT(Refusal("Add", {}, {F32({1 << 20, 1}), F32({1, 1 << 20})}), HasSubstr("the output"));
}

TEST(CanonicalAttributes, MakesDefaultsExplicitAndDropsStrangers) {
  const Attributes canonical =
      CanonicalAttributes(*FindOperator("Conv"), {{"auto_pad", std::string("NOTSET")}});
  EXPECT_EQ(canonical, (Attributes{{"strides", Ints{1, 1}},
                                   {"pads", Ints{0, 0, 0, 0}},
                                   {"dilations", Ints{1, 1}},
                                   {"group", int64_t{1}},
                                   {"layout", std::string("NCHW")}}));
}

TEST(CanonicalAttributes, RoundsFloatsAsOnnxStoresThem) {
  const OperatorDef& def = *FindOperator("HardSigmoid");
  EXPECT_EQ(CanonicalAttributes(def, {{"alpha", 0.2}}),
            CanonicalAttributes(def, {{"alpha", double{0.2f}}}));
  EXPECT_EQ(CanonicalAttributes(def, {{"beta", int64_t{1}}}),
            CanonicalAttributes(def, {{"beta", 1.0}}));
}

TEST(CanonicalAttributes, TakesABoundThatBoundsNothingForNone) {
  const double infinity = std::numeric_limits<double>::infinity();
  const OperatorDef& clip = *FindOperator("Clip");
  EXPECT_EQ(CanonicalAttributes(clip, {{"min", 0.0}, {"max", infinity}}),
            (Attributes{{"min", 0.0}}));
  EXPECT_EQ(CanonicalAttributes(clip, {{"min", -infinity}, {"max", 0.0}}),
            (Attributes{{"max", 0.0}}));
  const Attributes everything{{"min", infinity}, {"max", -infinity}};
  EXPECT_EQ(CanonicalAttributes(clip, everything), everything);
}

TEST(CanonicalAttributes, CountsAxesFromTheFront) {
  const OperatorDef& def = *FindOperator("Softmax");
  EXPECT_EQ(CanonicalAttributes(def, {}, 4).Int("axis"), 3);
  EXPECT_EQ(CanonicalAttributes(def, {{"axis", int64_t{-1}}}).Int("axis"), -1);
  EXPECT_EQ(CanonicalAttributes(def, {{"axis", int64_t{-9}}}, 4).Int("axis"), -9);
}

// Integers that are often the edge of something.
int64_t EdgeInteger() {
  return *rc::gen::element<int64_t>(-2, -1, 0, 1, 2, 3, 4, 1 << 20, int64_t{1} << 31,
                                    int64_t{1} << 62, std::numeric_limits<int64_t>::min(),
                                    std::numeric_limits<int64_t>::max());
}

Ints EdgeList() {
  Ints list(*rc::gen::inRange(0, 6));
  for (int64_t& value : list) value = EdgeInteger();
  return list;
}

Attribute AnyAttribute() {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return EdgeInteger();
    case 1:
      return *rc::gen::element(0.0, -1.5, 1e300, std::nan(""),
                               std::numeric_limits<double>::infinity());
    case 2:
      return *rc::gen::element<std::string>("", "NHWC", "NCHW", "tanh", "i64", "f16");
    case 3:
      return std::vector<double>{1.5};
    default:
      return EdgeList();
  }
}

RC_GTEST_PROP(OperatorRegistryProperty, InferAcceptsOrRefusesAnything, ()) {
  const OperatorDef* def = *rc::gen::elementOf(
      std::vector<const OperatorDef*>(AllOperators().begin(), AllOperators().end()));
  Attributes attributes;
  for (const AttributeDef& attribute : def->attributes)
    if (*rc::gen::inRange(0, 3) > 0) attributes.Set(std::string(attribute.name), AnyAttribute());
  std::vector<TensorType> types(*rc::gen::inRange(0, 6));
  for (TensorType& type : types)
    type = {*rc::gen::element(DataType::kFloat32, DataType::kFloat32, DataType::kInt64,
                              DataType::kBool),
            EdgeList()};
  std::vector<const TensorType*> inputs;
  for (const TensorType& type : types)
    inputs.push_back(*rc::gen::inRange(0, 8) == 0 ? nullptr : &type);
  auto type = def->infer(attributes, inputs);
  if (type) {
    for (int64_t extent : type->shape) RC_ASSERT(extent >= 0);
  } else {
    RC_ASSERT(!type.error().message.empty());
  }
  RC_ASSERT(def->flops(attributes, inputs) >= 0);
}

}  // namespace
}  // namespace whet
