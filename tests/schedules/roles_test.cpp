// What the rules make of each stage of a DAG.
#include <gtest/gtest.h>

#include "schedules/rules/rule.h"
#include "schedules/task_dag.h"

namespace whet {
namespace {

struct Case {
  Dag dag;
  Roles roles;
  StageRole Of(const std::string& stage) const {
    const int s = dag.Find(stage);
    EXPECT_GE(s, 0) << stage;
    return s < 0 ? StageRole::kInput : roles.of_stage[s];
  }
  std::string AccumulatorOf(const std::string& stage) const {
    const int accumulator = roles.accumulator_of[dag.Find(stage)];
    return accumulator < 0 ? "" : dag.stages[accumulator].name;
  }
};

Case Assign(const std::string& spelling, const std::string& algorithm = "") {
  const auto task = ParseTaskSpelling(spelling, "x86-64-linux-avx512-2t");
  EXPECT_TRUE(task) << spelling;
  AlgorithmOptions options;
  if (!algorithm.empty()) options.algorithms[task->nodes[0].output] = algorithm;
  auto dag = ReadTaskDag(*task, options);
  EXPECT_TRUE(dag) << spelling;
  Case result{*std::move(dag), {}};
  result.roles = AssignRoles(result.dag);
  return result;
}

TEST(AssignRoles, AccumulatesAConvolutionInTheTilesOfItsActivation) {
  const Case c = Assign("Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu");
  EXPECT_EQ(c.Of("relu"), StageRole::kOwner);
  EXPECT_EQ(c.AccumulatorOf("relu"), "conv");
  EXPECT_EQ(c.Of("pad"), StageRole::kLocated);
}

TEST(AssignRoles, InlinesElementwiseStages) {
  const Case c = Assign("Add(a=1x24x10x10,b=1x24x10x10)+Relu+Mul(2)");
  EXPECT_EQ(c.Of("add"), StageRole::kInline);
  EXPECT_EQ(c.Of("relu"), StageRole::kInline);
}

TEST(AssignRoles, StoresWhatTwoReductionsOfASoftmaxRead) {
  const Case c = Assign("Softmax(x=6x37)");
  int located = 0;
  for (size_t s = 0; s < c.dag.stages.size(); ++s)
    located += c.roles.of_stage[s] == StageRole::kLocated;
  EXPECT_GE(located, 2);
}

TEST(AssignRoles, GivesTheProductsOfAWinogradConvolutionTilesOfTheirOwn) {
  const Case c = Assign("Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu", "winograd(2x2,3x3)");
  EXPECT_EQ(c.Of("relu"), StageRole::kOwner);
  EXPECT_EQ(c.AccumulatorOf("relu"), "");
  EXPECT_EQ(c.Of("conv"), StageRole::kInline);
  EXPECT_EQ(c.AccumulatorOf("products"), "product");
  EXPECT_EQ(c.Of("product"), StageRole::kAccumulator);
  for (const char* stage : {"rows", "input", "products", "columns", "tile", "pad"})
    EXPECT_EQ(c.Of(stage), StageRole::kLocated) << stage;
}

TEST(AssignRoles, MayStoreACopyThatAReductionReadsForManyResults) {
  const Case many = Assign("Transpose(x=64x48,perm=1x0)+MatMul(b=64x32)");
  EXPECT_EQ(many.Of("transpose"), StageRole::kLocated);
  EXPECT_TRUE(IsCopy(many.dag, many.dag.Find("transpose")));
  const Case few = Assign("Transpose(x=64x48,perm=1x0)+MatMul(b=64x8)");
  EXPECT_EQ(few.Of("transpose"), StageRole::kInline);
}

TEST(AssignRoles, MayStoreAProductThatAReductionReadsForManyResults) {
  EXPECT_EQ(Assign("Mul(a=48x64,b=64)+MatMul(b=64x32)").Of("mul"), StageRole::kLocated);
}

TEST(ReadTaskDag, KnowsTheLoopsThatChooseAmongExpressions) {
  const Case c = Assign("Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu", "winograd(2x2,3x3)");
  const Stage& rows = c.dag.stages[c.dag.Find("rows")];
  ASSERT_EQ(rows.definitions[0].choosing_loops.size(), 1u);
  EXPECT_EQ(rows.dims[rows.definitions[0].choosing_loops[0]].name, "i");
  // B^T of F(2,3) adds two elements in each of its four rows, three times after a multiplication.
  EXPECT_EQ(rows.definitions[0].ops.add, 0.25);
  EXPECT_EQ(rows.definitions[0].ops.fma, 0.75);
}

}  // namespace
}  // namespace whet
