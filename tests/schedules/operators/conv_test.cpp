#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Tensor kNine = Tensor::Float({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});

TEST(Conv, SumsProductsUnderTheWindow) {
  const Tensor w = Tensor::Float({1, 1, 2, 2}, {1, 10, 100, 1000});
  const Tensor y = Apply("Conv", {}, {kNine, w});
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 2}));
  EXPECT_THAT(Floats(y), ElementsAre(5421, 6532, 8754, 9865));
}

TEST(Conv, AddsOneBiasPerOutputChannel) {
  const Tensor w =
      Tensor::Float({2, 1, 3, 3}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  EXPECT_THAT(Floats(Apply("Conv", {}, {kNine, w, Tensor::Float({2}, {100, -1})})),
              ElementsAre(145, 4));
}

TEST(Conv, TakesPadsAsTopLeftBottomRight) {
  const Tensor w = Tensor::Float({1, 1, 1, 1}, {1});
  const Tensor y = Apply("Conv", {{"pads", Ints{1, 0, 0, 2}}}, {kNine, w});
  EXPECT_EQ(y.shape(), (Shape{1, 1, 4, 5}));
  EXPECT_THAT(Floats(y), ElementsAre(0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, 0, 0));
}

TEST(Conv, SkipsElementsByStrideAndDilation) {
  Tensor x(F32({1, 1, 5, 5}));
  for (int i = 0; i < 25; ++i) x.data<float>()[i] = static_cast<float>(i);
  const Tensor w = Tensor::Float({1, 1, 2, 2}, {1, 1, 1, 1});
  // Rows {0, 2} and {2, 4}, columns {0, 3} and {1, 4}.
  EXPECT_THAT(Floats(Apply("Conv", {{"strides", Ints{2, 1}}, {"dilations", Ints{2, 3}}}, {x, w})),
              ElementsAre(0 + 3 + 10 + 13, 1 + 4 + 11 + 14, 10 + 13 + 20 + 23, 11 + 14 + 21 + 24));
}

TEST(Conv, KeepsGroupsApart) {
  const Tensor x = Tensor::Float({1, 4, 1, 1}, {1, 2, 3, 4});
  const Tensor w = Tensor::Float({2, 2, 1, 1}, {1, 10, 1, 10});
  EXPECT_THAT(Floats(Apply("Conv", {{"group", int64_t{2}}}, {x, w})), ElementsAre(21, 43));
}

TEST(Conv, WithAsManyGroupsAsChannelsIsDepthwise) {
  const Tensor x = Tensor::Float({1, 3, 1, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor w = Tensor::Float({3, 1, 1, 2}, {1, 1, 2, 2, 3, 3});
  EXPECT_THAT(Floats(Apply("Conv", {{"group", int64_t{3}}}, {x, w})), ElementsAre(3, 14, 33));
}

TEST(Conv, RefusesWeightsOfTheWrongDepthInOneSentence) {
  EXPECT_EQ(Refusal("Conv", {}, {F32({1, 64, 8, 8}), F32({8, 3, 1, 1})}),
            "w has the shape 8x3x1x1 and should have 64 in its second dimension: x's 64 channels "
            "in 1 group");
}

TEST(Conv, RefusesWindowsThatDoNotFit) {
  EXPECT_THAT(Refusal("Conv", {{"dilations", Ints{3, 3}}}, {F32({1, 1, 4, 4}), F32({1, 1, 3, 3})}),
              HasSubstr("extends over 7 rows, dilation included, and the padded input has 4"));
}

TEST(Conv, RefusesAttributesOutOfRange) {
  const std::vector<TensorType> types = {F32({1, 2, 4, 4}), F32({2, 2, 1, 1})};
  EXPECT_THAT(Refusal("Conv", {{"strides", Ints{0, 1}}}, types),
              HasSubstr("attribute strides has the value 0"));
  EXPECT_THAT(Refusal("Conv", {{"pads", Ints{-1, 0, 0, 0}}}, types),
              HasSubstr("attribute pads has the value -1"));
  EXPECT_THAT(Refusal("Conv", {{"pads", Ints{1, 1}}}, types),
              HasSubstr("has 2 values and should have 4"));
  EXPECT_THAT(Refusal("Conv", {{"group", int64_t{0}}}, types), HasSubstr("attribute group is 0"));
  EXPECT_THAT(Refusal("Conv", {{"group", int64_t{3}}}, types),
              HasSubstr("group is 3 and should divide"));
  EXPECT_THAT(Refusal("Conv", {{"layout", std::string("CHWN")}}, types), HasSubstr("NCHW or NHWC"));
  EXPECT_THAT(Refusal("Conv", {{"strides", std::string("2")}}, types),
              HasSubstr("not a list of integers"));
}

TEST(Conv, CountsTwoOperationsAMultiplyAdd) {
  const TensorType x = F32({1, 56, 56, 64}), w = F32({64, 64, 3, 3});
  const std::vector<const TensorType*> inputs = {&x, &w};
  EXPECT_EQ(FindOperator("Conv")->flops(
                {{"pads", Ints{1, 1, 1, 1}}, {"layout", std::string("NHWC")}}, inputs),
            2.0 * 56 * 56 * 64 * 64 * 9);
}

struct ConvCase {
  Attributes attributes;
  Tensor x, w, b;
};

ConvCase RandomConv() {
  Rng rng(*rc::gen::arbitrary<uint64_t>());
  auto below = [&](int64_t n) { return rng.Below(n); };
  const int64_t group = 1 + below(3), channels = 1 + below(20), features = 1 + below(20);
  const int64_t kh = 1 + below(3), kw = 1 + below(3);
  ConvCase c;
  c.attributes = {{"group", group},
                  {"strides", Ints{1 + below(3), 1 + below(3)}},
                  {"dilations", Ints{1 + below(2), 1 + below(2)}},
                  {"pads", Ints{below(3), below(3), below(3), below(3)}}};
  c.x = WholeNumbers({1 + below(2), group * channels, 5 + below(5), 5 + below(5)}, rng);
  c.w = WholeNumbers({group * features, channels, kh, kw}, rng);
  c.b = WholeNumbers({group * features}, rng);
  return c;
}

// The definition, term by term. Whole numbers make its sums exact.
std::vector<float> ByDefinition(const ConvCase& c, const Shape& out) {
  const Shape &x = c.x.shape(), &w = c.w.shape();
  const Ints strides = c.attributes.Ints("strides"), dilations = c.attributes.Ints("dilations"),
             pads = c.attributes.Ints("pads");
  std::vector<float> y;
  for (int64_t n = 0; n < out[0]; ++n)
    for (int64_t o = 0; o < out[1]; ++o)
      for (int64_t i = 0; i < out[2]; ++i)
        for (int64_t j = 0; j < out[3]; ++j) {
          float sum = c.b.data<float>()[o];
          for (int64_t ci = 0; ci < w[1]; ++ci)
            for (int64_t p = 0; p < w[2]; ++p)
              for (int64_t q = 0; q < w[3]; ++q) {
                const int64_t channel = o / (w[0] / c.attributes.Int("group")) * w[1] + ci;
                const int64_t r = i * strides[0] + p * dilations[0] - pads[0];
                const int64_t s = j * strides[1] + q * dilations[1] - pads[1];
                if (r < 0 || r >= x[2] || s < 0 || s >= x[3]) continue;
                sum += c.x.data<float>()[((n * x[1] + channel) * x[2] + r) * x[3] + s] *
                       c.w.data<float>()[((o * w[1] + ci) * w[2] + p) * w[3] + q];
              }
          y.push_back(sum);
        }
  return y;
}

RC_GTEST_PROP(ConvProperty, EqualsItsDefinition, ()) {
  const ConvCase c = RandomConv();
  const Tensor y = Apply("Conv", c.attributes, {c.x, c.w, c.b});
  RC_ASSERT(Floats(y) == ByDefinition(c, y.shape()));
}

RC_GTEST_PROP(ConvProperty, InChannelsLastIsTheTransposeOfChannelsFirst, ()) {
  ConvCase c = RandomConv();
  const Tensor first = Apply("Conv", c.attributes, {c.x, c.w, c.b});
  c.attributes.Set("layout", std::string("NHWC"));
  const Tensor last = Nchw(Apply("Conv", c.attributes, {Nhwc(c.x), c.w, c.b}));
  RC_ASSERT(first.shape() == last.shape());
  RC_ASSERT(Floats(first) == Floats(last));
}

}  // namespace
}  // namespace whet
