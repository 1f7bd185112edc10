#include "schedules/operators/resize.h"

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// A row of numbers as an image of height 1, resized to `width`.
std::vector<float> Row(const std::vector<float>& x, int64_t width, Attributes attributes) {
  attributes.Set("sizes", Ints{1, width});
  return Floats(
      Apply("Resize", attributes, {Tensor::Float({1, 1, 1, static_cast<int64_t>(x.size())}, x)}));
}

Attributes Nearest(const std::string& coordinates, const std::string& rounding) {
  return {{"coordinate_transformation_mode", coordinates}, {"nearest_mode", rounding}};
}

Attributes Linear(const std::string& coordinates) {
  return {{"mode", std::string("linear")}, {"coordinate_transformation_mode", coordinates}};
}

TEST(Resize, RepeatsElementsByWholeFactors) {
  EXPECT_THAT(Row({1, 2}, 6, {}), ElementsAre(1, 1, 1, 2, 2, 2));
  EXPECT_THAT(Row({1, 2, 3, 4}, 2, Nearest("asymmetric", "floor")), ElementsAre(1, 3));
}

TEST(Resize, RoundsHalvesAsNearestModeSays) {
  // Positions 0.5, 2.5.
  const std::vector<float> x = {0, 1, 2, 3};
  EXPECT_THAT(Row(x, 2, Nearest("half_pixel", "round_prefer_floor")), ElementsAre(0, 2));
  EXPECT_THAT(Row(x, 2, Nearest("half_pixel", "round_prefer_ceil")), ElementsAre(1, 3));
  EXPECT_THAT(Row(x, 2, Nearest("half_pixel", "floor")), ElementsAre(0, 2));
  EXPECT_THAT(Row(x, 2, Nearest("half_pixel", "ceil")), ElementsAre(1, 3));
}

TEST(Resize, KnowsTheCoordinatesOfTensorFlowAndTheSymmetricOnes) {
  // Positions (o + 0.5) / 2, not rounded down but up.
  EXPECT_THAT(Row({0, 1, 2}, 6, Nearest("tf_half_pixel_for_nn", "ceil")),
              ElementsAre(1, 1, 2, 2, 2, 2));
  EXPECT_THAT(Row({0, 1, 2}, 6, Nearest("tf_half_pixel_for_nn", "floor")),
              ElementsAre(0, 0, 1, 1, 2, 2));
  // Four elements by 0.6 are 2.4, of which 2 are left: positions 0.667 and 2.333.
  Attributes symmetric = Linear("half_pixel_symmetric");
  symmetric.Set("scale_width", 0.6);
  EXPECT_THAT(Row({0, 3, 6, 9}, 2, symmetric), Pointwise(FloatNear(1e-5f), {2.0f, 7.0f}));
}

TEST(Resize, InterpolatesBetweenNeighbours) {
  EXPECT_THAT(Row({0, 4}, 4, Linear("half_pixel")), ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(Row({0, 4}, 4, Linear("asymmetric")), ElementsAre(0, 2, 4, 4));
  EXPECT_THAT(Row({0, 3}, 4, Linear("align_corners")),
              Pointwise(FloatNear(1e-6f), {0.0f, 1.0f, 2.0f, 3.0f}));
  EXPECT_THAT(Row({2, 4, 8}, 1, Linear("pytorch_half_pixel")), ElementsAre(2));
}

TEST(Resize, TakesAScaleThatIsNotThatOfTheSizes) {
  Attributes attributes = Linear("half_pixel");
  attributes.Set("scale_width", 0.6);  // positions 1/3 and 2
  EXPECT_THAT(Row({1, 2, 3, 4}, 2, attributes), Pointwise(FloatNear(1e-6f), {1 + 1.0f / 3, 3.0f}));
}

TEST(Resize, IsTheSameInEitherLayout) {
  Rng rng(4);
  const Tensor x = WholeNumbers({2, 3, 4, 5}, rng);
  for (Attributes attributes : {Linear("half_pixel"), Nearest("align_corners", "ceil")}) {
    attributes.Set("sizes", Ints{7, 3});
    Attributes last = attributes;
    last.Set("layout", std::string("NHWC"));
    EXPECT_EQ(Floats(Apply("Resize", attributes, {x})),
              Floats(Nchw(Apply("Resize", last, {Nhwc(x)}))));
  }
}

TEST(Resize, ReadsWholeFactorsByDivisionAlone) {
  const auto shape = ReadResize({{"sizes", Ints{6, 2}}}, {1, 1, 2, 6});
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->height.position.factor, 1);
  EXPECT_EQ(shape->height.position.divisor, 3);
  EXPECT_EQ(shape->width.position.factor, 3);
  EXPECT_EQ(shape->width.position.divisor, 1);
}

TEST(Resize, NamesTheAttributeThatIsWrong) {
  const TensorType x = F32({1, 1, 4, 4});
  EXPECT_THAT(Refusal("Resize", {}, {x}), HasSubstr("attribute sizes is missing"));
  EXPECT_THAT(Refusal("Resize", {{"sizes", Ints{8, 0}}}, {x}), HasSubstr("sizes has the value 0"));
  EXPECT_THAT(Refusal("Resize", {{"sizes", Ints{8, 8}}, {"mode", std::string("cubic")}}, {x}),
              HasSubstr("attribute mode should be nearest, linear"));
  EXPECT_THAT(Refusal("Resize", {{"sizes", Ints{8, 8}}, {"scale_width", -2.0}}, {x}),
              HasSubstr("attribute scale_width is -2"));
  EXPECT_THAT(Refusal("Resize", {{"sizes", Ints{8, 8}}}, {F32({4, 4})}), HasSubstr("4 dimensions"));
}

}  // namespace
}  // namespace whet
