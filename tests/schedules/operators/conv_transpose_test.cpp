#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor Image(Shape shape, const std::vector<float>& values) {
  return Tensor::Float(std::move(shape), values);
}

TEST(ConvTranspose, SpreadsEachElementByTheFilter) {
  const Tensor x = Image({1, 1, 1, 2}, {1, 10}), w = Image({1, 1, 1, 3}, {1, 2, 3});
  EXPECT_THAT(Floats(Apply("ConvTranspose", {}, {x, w})), ElementsAre(1, 12, 23, 30));
  EXPECT_THAT(Floats(Apply("ConvTranspose", {{"strides", Ints{1, 2}}}, {x, w})),
              ElementsAre(1, 2, 13, 20, 30));
  EXPECT_THAT(Floats(Apply("ConvTranspose", {{"dilations", Ints{1, 2}}}, {x, w})),
              ElementsAre(1, 10, 2, 20, 3, 30));
}

TEST(ConvTranspose, CutsPadsAndAddsOutputPadding) {
  const Tensor x = Image({1, 1, 1, 2}, {1, 10}), w = Image({1, 1, 1, 3}, {1, 2, 3});
  const Tensor b = Image({1}, {0.5});
  const Attributes attributes = {
      {"strides", Ints{1, 2}}, {"pads", Ints{0, 1, 0, 0}}, {"output_padding", Ints{0, 1}}};
  EXPECT_THAT(Floats(Apply("ConvTranspose", attributes, {x, w, b})),
              ElementsAre(2.5, 13.5, 20.5, 30.5, 0.5));
}

TEST(ConvTranspose, KeepsGroupsApart) {
  const Tensor x = Image({1, 2, 1, 1}, {3, 5}), w = Image({2, 2, 1, 1}, {1, 2, 10, 20});
  EXPECT_THAT(Floats(Apply("ConvTranspose", {{"group", int64_t{2}}}, {x, w})),
              ElementsAre(3, 6, 50, 100));
  EXPECT_THAT(Floats(Apply("ConvTranspose", {}, {x, w})), ElementsAre(53, 106));
}

// <y, Conv(x)> = <ConvTranspose(y), x> for all x and y, with the same weights and attributes.
TEST(ConvTranspose, IsTheTransposeOfConv) {
  Rng rng(5);
  const Attributes attributes = {{"strides", Ints{2, 3}},
                                 {"pads", Ints{1, 0, 0, 2}},
                                 {"dilations", Ints{1, 2}},
                                 {"group", int64_t{2}}};
  const Tensor x = WholeNumbers({2, 4, 7, 12}, rng), w = WholeNumbers({6, 2, 3, 3}, rng);
  const Tensor forward = Apply("Conv", attributes, {x, w});
  const Tensor y = WholeNumbers(forward.shape(), rng);
  Attributes padded = attributes;
  const Tensor trial = Apply("ConvTranspose", attributes, {y, w});
  padded.Set("output_padding",
             Ints{x.shape()[2] - trial.shape()[2], x.shape()[3] - trial.shape()[3]});
  const Tensor backward = Apply("ConvTranspose", padded, {y, w});
  ASSERT_EQ(backward.shape(), x.shape());
  double left = 0, right = 0;
  for (int64_t i = 0; i < y.count(); ++i) left += y.AsDouble(i) * forward.AsDouble(i);
  for (int64_t i = 0; i < x.count(); ++i) right += backward.AsDouble(i) * x.AsDouble(i);
  EXPECT_EQ(left, right);
}

TEST(ConvTranspose, IsTheSameInEitherLayout) {
  Rng rng(6);
  const Tensor x = WholeNumbers({1, 4, 3, 5}, rng), w = WholeNumbers({4, 3, 4, 2}, rng);
  Attributes attributes = {{"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 1, 0}}};
  const Tensor first = Apply("ConvTranspose", attributes, {x, w});
  attributes.Set("layout", std::string("NHWC"));
  EXPECT_EQ(Floats(first), Floats(Nchw(Apply("ConvTranspose", attributes, {Nhwc(x), w}))));
}

TEST(ConvTranspose, NamesWhatDoesNotFit) {
  const TensorType x = F32({1, 4, 3, 3});
  EXPECT_EQ(Refusal("ConvTranspose", {}, {x, F32({3, 2, 2, 2})}),
            "w has the shape 3x2x2x2 and should have 4 in its first dimension: x's channels");
  EXPECT_THAT(Refusal("ConvTranspose", {{"group", int64_t{3}}}, {x, F32({4, 2, 2, 2})}),
              HasSubstr("group is 3 and should divide x's 4 channels"));
  EXPECT_THAT(Refusal("ConvTranspose", {}, {x, F32({4, 2, 2, 2}), F32({4})}),
              HasSubstr("b has the shape 4 and should have 2"));
  EXPECT_THAT(Refusal("ConvTranspose", {{"pads", Ints{2, 0, 2, 0}}}, {x, F32({4, 2, 2, 2})}),
              HasSubstr("takes away all rows"));
}

}  // namespace
}  // namespace whet
