#include <limits>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
const Tensor kSix = Tensor::Int64({2, 3}, {1, 2, 3, 4, 5, 6});

Attributes SliceOf(Ints starts, Ints ends, Ints axes, Ints steps) {
  return {{"starts", std::move(starts)},
          {"ends", std::move(ends)},
          {"axes", std::move(axes)},
          {"steps", std::move(steps)}};
}

TEST(Transpose, PermutesDimensions) {
  const Tensor y = Apply("Transpose", {{"perm", Ints{1, 0}}}, {kSix});
  EXPECT_EQ(y.type(), (TensorType{DataType::kInt64, {3, 2}}));
  EXPECT_THAT(Integers(y), ElementsAre(1, 4, 2, 5, 3, 6));
  const Tensor x = Tensor::Float({1, 2, 1, 2}, {1, 2, 3, 4});
  EXPECT_THAT(Floats(Nhwc(x)), ElementsAre(1, 3, 2, 4));
}

TEST(Transpose, MovesElementsOfEverySize) {
  for (DataType dtype : {DataType::kBool, DataType::kUInt8, DataType::kFloat16, DataType::kInt32,
                         DataType::kFloat64}) {
    Tensor x({dtype, {2, 2}});
    for (int64_t i = 0; i < x.size_bytes(); ++i) x.bytes()[i] = static_cast<uint8_t>(i);
    const Tensor y = Transposed(x, {1, 0});
    const int64_t size = SizeOf(dtype);
    EXPECT_EQ(y.bytes()[size], 2 * size) << Name(dtype);
    EXPECT_EQ(y.bytes()[2 * size], size) << Name(dtype);
  }
}

TEST(Transpose, RefusesWhatIsNoPermutation) {
  EXPECT_THAT(Refusal("Transpose", {{"perm", Ints{0, 0}}}, {F32({2, 2})}),
              HasSubstr("names dimension 0 twice"));
  EXPECT_THAT(Refusal("Transpose", {{"perm", Ints{0, 2}}}, {F32({2, 2})}),
              HasSubstr("from 0 to 1"));
  EXPECT_THAT(Refusal("Transpose", {{"perm", Ints{0}}}, {F32({2, 2})}), HasSubstr("should have 2"));
}

TEST(Concat, PutsInputsSideBySide) {
  const Tensor more = Tensor::Int64({2, 1}, {7, 8});
  EXPECT_THAT(Integers(Apply("Concat", {{"axis", int64_t{1}}}, {kSix, more, more})),
              ElementsAre(1, 2, 3, 7, 7, 4, 5, 6, 8, 8));
  EXPECT_THAT(Integers(Apply("Concat", {{"axis", int64_t{-2}}}, {kSix, kSix})),
              ElementsAre(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Refusal("Concat", {{"axis", int64_t{0}}}, {F32({2, 3}), F32({2, 4})}),
              HasSubstr("input 1 is f32[2x4]"));
  EXPECT_THAT(Refusal("Concat", {}, {F32({2})}), HasSubstr("attribute axis is missing"));
}

TEST(Slice, TakesEveryStepFromStartToEnd) {
  EXPECT_THAT(Integers(Apply("Slice", SliceOf({0}, {3}, {1}, {2}), {kSix})),
              ElementsAre(1, 3, 4, 6));
  EXPECT_THAT(Integers(Apply("Slice", SliceOf({1, 1}, {2, kHuge}, {0, 1}, {1, 1}), {kSix})),
              ElementsAre(5, 6));
  EXPECT_THAT(Integers(Apply("Slice", SliceOf({1}, {3}, {1}, {kHuge}), {kSix})), ElementsAre(2, 5));
}

TEST(Slice, MayBeEmpty) {
  EXPECT_EQ(Apply("Slice", SliceOf({2}, {1}, {1}, {1}), {kSix}).shape(), (Shape{2, 0}));
}

TEST(Slice, RefusesWhatIsNotCanonical) {
  EXPECT_THAT(Refusal("Slice", SliceOf({-1}, {1}, {0}, {1}), {F32({2})}),
              HasSubstr("starts has the value -1"));
  EXPECT_THAT(Refusal("Slice", SliceOf({0}, {1}, {1}, {1}), {F32({2})}),
              HasSubstr("axes has the value 1"));
  EXPECT_THAT(Refusal("Slice", SliceOf({0}, {1}, {0}, {0}), {F32({2})}),
              HasSubstr("steps has the value 0"));
  EXPECT_THAT(Refusal("Slice", SliceOf({0, 0}, {1}, {0}, {1}), {F32({2})}),
              HasSubstr("ends has 1 values"));
  EXPECT_THAT(Refusal("Slice", SliceOf({0, 0}, {1, 1}, {0, 0}, {1, 1}), {F32({2})}),
              HasSubstr("twice"));
}

TEST(Gather, PicksByIndexFromEitherEnd) {
  const Tensor y = Apply("Gather", {{"axis", int64_t{1}}}, {kSix, Tensor::Int64({2, 1}, {2, -3})});
  EXPECT_EQ(y.shape(), (Shape{2, 2, 1}));
  EXPECT_THAT(Integers(y), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(Integers(Apply("Gather", {}, {kSix, Tensor::Int64({}, {1})})), ElementsAre(4, 5, 6));
}

TEST(Gather, RefusesIndicesThatAreNotThere) {
  auto result = TryApply("Gather", {}, {kSix, Tensor::Int64({1}, {2})});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "indices holds 2, and dimension 0 of x has 2 elements");
  EXPECT_THAT(Refusal("Gather", {}, {F32({2}), F32({1})}), HasSubstr("should have i64 or i32"));
}

TEST(Reshape, KeepsTheElements) {
  const Tensor y = Apply("Reshape", {{"shape", Ints{3, 1, 2}}}, {kSix});
  EXPECT_EQ(y.shape(), (Shape{3, 1, 2}));
  EXPECT_THAT(Integers(y), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(Apply("Reshape", {{"shape", Ints{}}}, {Tensor::Float({1, 1}, {4})}).shape(), Shape{});
  EXPECT_THAT(Refusal("Reshape", {{"shape", Ints{4}}}, {F32({2, 3})}),
              HasSubstr("with 4 elements"));
  EXPECT_THAT(Refusal("Reshape", {{"shape", Ints{-1, 6}}}, {F32({2, 3})}), HasSubstr("value -1"));
}

Tensor PaddedRow(const std::string& mode) {
  return Apply("Pad", {{"begins", Ints{2}}, {"ends", Ints{2}}, {"mode", mode}, {"value", 9.0}},
               {Tensor::Float({3}, {1, 2, 3})});
}

TEST(Pad, PutsWhatItsModeSays) {
  EXPECT_THAT(Floats(PaddedRow("constant")), ElementsAre(9, 9, 1, 2, 3, 9, 9));
  EXPECT_THAT(Floats(PaddedRow("edge")), ElementsAre(1, 1, 1, 2, 3, 3, 3));
  EXPECT_THAT(Floats(PaddedRow("reflect")), ElementsAre(3, 2, 1, 2, 3, 2, 1));
  EXPECT_THAT(Floats(PaddedRow("wrap")), ElementsAre(2, 3, 1, 2, 3, 1, 2));
}

TEST(Pad, MirrorsBackAndForthWhereElementsAreFew) {
  const auto reflect = [](const std::vector<float>& x, int64_t begin, int64_t end) {
    return Floats(Apply(
        "Pad", {{"begins", Ints{begin}}, {"ends", Ints{end}}, {"mode", std::string("reflect")}},
        {Tensor::Float({static_cast<int64_t>(x.size())}, x)}));
  };
  EXPECT_THAT(reflect({1, 2}, 2, 0), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(reflect({1, 2, 3}, 5, 3), ElementsAre(2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2));
  EXPECT_THAT(reflect({7}, 2, 1), ElementsAre(7, 7, 7, 7));
}

TEST(Pad, PadsEachDimension) {
  const Tensor x = Tensor::Int64({1, 2}, {1, 2});
  EXPECT_THAT(
      Integers(Apply("Pad", {{"begins", Ints{1, 0}}, {"ends", Ints{0, 1}}, {"value", -1.0}}, {x})),
      ElementsAre(-1, -1, -1, 1, 2, -1));
}

TEST(Pad, NamesWhatIsWrong) {
  const Attributes two = {{"begins", Ints{2}}, {"ends", Ints{0}}, {"mode", std::string("reflect")}};
  EXPECT_THAT(Refusal("Pad", two, {F32({0})}), HasSubstr("no elements to repeat"));
  EXPECT_THAT(Refusal("Pad", two, {F32({2, 2})}),
              HasSubstr("begins has 1 values and should have 2"));
  EXPECT_THAT(
      Refusal("Pad", {{"begins", Ints{0}}, {"ends", Ints{0}}, {"mode", std::string("bend")}},
              {F32({2})}),
      HasSubstr("constant, edge, reflect or wrap"));
}

}  // namespace
}  // namespace whet
