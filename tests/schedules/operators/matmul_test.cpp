#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schedules/operators/operator_testing.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Tensor kA = Tensor::Float({2, 3}, {1, 2, 3, 4, 5, 6});
const Tensor kB = Tensor::Float({3, 2}, {1, 10, 100, 1000, 10000, 100000});

TEST(MatMul, MultipliesMatrices) {
  const Tensor y = Apply("MatMul", {}, {kA, kB});
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_THAT(Floats(y), ElementsAre(30201, 302010, 60504, 605040));
}

TEST(MatMul, TreatsVectorsAsNumPyDoes) {
  const Tensor v = Tensor::Float({3}, {1, 1, 2});
  const Tensor row = Apply("MatMul", {}, {v, kB}), column = Apply("MatMul", {}, {kA, v});
  EXPECT_EQ(row.shape(), (Shape{2}));
  EXPECT_THAT(Floats(row), ElementsAre(20101, 201010));
  EXPECT_EQ(column.shape(), (Shape{2}));
  EXPECT_THAT(Floats(column), ElementsAre(9, 21));
  const Tensor dot = Apply("MatMul", {}, {v, v});
  EXPECT_EQ(dot.shape(), Shape{});
  EXPECT_THAT(Floats(dot), ElementsAre(6));
}

TEST(MatMul, BroadcastsBatches) {
  const Tensor a = Tensor::Float({2, 1, 1, 1}, {2, 3});
  const Tensor b = Tensor::Float({3, 1, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor y = Apply("MatMul", {}, {a, b});
  EXPECT_EQ(y.shape(), (Shape{2, 3, 1, 2}));
  EXPECT_THAT(Floats(y), ElementsAre(2, 4, 6, 8, 10, 12, 3, 6, 9, 12, 15, 18));
}

TEST(MatMul, NamesTheExtentsThatDoNotFit) {
  EXPECT_EQ(Refusal("MatMul", {}, {F32({2, 3}), F32({4, 5})}),
            "a with the shape 2x3 has 3 columns and b with the shape 4x5 has 4 rows");
  EXPECT_THAT(Refusal("MatMul", {}, {F32({2, 2, 3}), F32({3, 3, 5})}),
              HasSubstr("do not broadcast"));
  EXPECT_THAT(Refusal("MatMul", {}, {F32({}), F32({3, 3})}), HasSubstr("a is a scalar"));
}

TEST(MatMul, AddsSmallTermsToALargeSumWithoutLosingThem) {
  // In fp32, 2^24 + 1 is 2^24 again.
  Tensor a(F32({1, 512})), ones(F32({512, 1}));
  a.data<float>()[0] = 16777216;
  for (int i = 256; i < 512; ++i) a.data<float>()[i] = 1;
  for (int i = 0; i < 512; ++i) ones.data<float>()[i] = 1;
  EXPECT_THAT(Floats(Apply("MatMul", {}, {a, ones})), ElementsAre(16777472));
}

TEST(Gemm, TransposesScalesAndAdds) {
  const Tensor at = Transposed(kA, {1, 0}), bt = Transposed(kB, {1, 0});
  const Attributes attributes = {
      {"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", 0.5}, {"beta", 2.0}};
  EXPECT_THAT(Floats(Apply("Gemm", attributes, {at, bt, Tensor::Float({2}, {1, 2})})),
              ElementsAre(15102.5, 151009, 30254, 302524));
}

TEST(Gemm, BroadcastsItsAddend) {
  const Tensor a = Tensor::Float({2, 1}, {0, 0}), b = Tensor::Float({1, 2}, {0, 0});
  EXPECT_THAT(Floats(Apply("Gemm", {}, {a, b, Tensor::Float({}, {7})})), ElementsAre(7, 7, 7, 7));
  EXPECT_THAT(Floats(Apply("Gemm", {}, {a, b, Tensor::Float({2}, {1, 2})})),
              ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(Floats(Apply("Gemm", {}, {a, b, Tensor::Float({2, 1}, {1, 2})})),
              ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(Floats(Apply("Gemm", {}, {a, b, Tensor::Float({1, 2}, {1, 2})})),
              ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(Floats(Apply("Gemm", {}, {a, b, Tensor::Float({2, 2}, {1, 2, 3, 4})})),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Refusal("Gemm", {}, {F32({2, 1}), F32({1, 2}), F32({3})}),
              HasSubstr("does not broadcast"));
}

RC_GTEST_PROP(MatMulProperty, EqualsItsDefinition, ()) {
  Rng rng(*rc::gen::arbitrary<uint64_t>());
  const int64_t m = 1 + rng.Below(12), k = 1 + rng.Below(40), n = 1 + rng.Below(40);
  const Tensor a = WholeNumbers({m, k}, rng), b = WholeNumbers({k, n}, rng);
  std::vector<float> expected;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (int64_t l = 0; l < k; ++l)
        sum += a.data<float>()[i * k + l] * b.data<float>()[l * n + j];
      expected.push_back(sum);
    }
  RC_ASSERT(Floats(Apply("MatMul", {}, {a, b})) == expected);
  RC_ASSERT(Floats(Apply("Gemm", {{"transA", int64_t{1}}}, {Transposed(a, {1, 0}), b})) ==
            expected);
  RC_ASSERT(Floats(Apply("Gemm", {{"transB", int64_t{1}}}, {a, Transposed(b, {1, 0})})) ==
            expected);
}

}  // namespace
}  // namespace whet
