#include <gtest/gtest.h>

#include "schedules/rules/rule.h"
#include "schedules/task_dag.h"

namespace whet {
namespace {

constexpr char kTarget[] = "x86-64-linux-avx512-2t";

std::vector<std::map<std::string, Rfactor>> CutsOf(const std::string& spelling) {
  const auto task = ParseTaskSpelling(spelling, kTarget);
  EXPECT_TRUE(task) << spelling;
  return RfactorsOf(*ReadTaskDag(*task, {}), MachineModel{});
}

TEST(RfactorsOf, CutsARowIntoVectorsWhereItIsContiguous) {
  const auto cuts = CutsOf("MatMul(a=20x320,b=320)");
  ASSERT_EQ(cuts.size(), 1u);
  EXPECT_EQ(cuts[0].at("matmul"), (Rfactor{"k", "k_s", "k_l", 16, true}));
}

TEST(RfactorsOf, CutsALongReductionToOneNumberForThreadsAndThenForVectors) {
  const auto cuts = CutsOf("MatMul(a=131072,b=131072)");
  ASSERT_EQ(cuts.size(), 2u);
  EXPECT_EQ(cuts[0].at("matmul"), (Rfactor{"k", "k_s", "k_l", 128, true}));
  EXPECT_EQ(cuts[1].at("matmul"), (Rfactor{"k", "k_b", "k_e", 32768, false}));
  EXPECT_EQ(cuts[1].at("matmul_part"), (Rfactor{"k_e", "k_e_s", "k_e_l", 128, true}));
}

TEST(RfactorsOf, LeavesAloneWhatVectorsOfResultsSuit) {
  EXPECT_TRUE(CutsOf("MatMul(a=64x64,b=64x64)").empty());
  EXPECT_TRUE(CutsOf("Conv(x=1x32x14x14,w=32x32x3x3,pads=1)").empty());
  EXPECT_TRUE(CutsOf("MatMul(a=6x31,b=31)").empty());  // no whole vectors
}

TEST(ReadTaskDag, HasPartialResultsAsStagesOfTheirOwn) {
  const auto task = ParseTaskSpelling("MatMul(a=6x64,b=64)", kTarget);
  AlgorithmOptions options;
  options.rfactored["matmul"] = {"k", "k_o", "k_i", 16, true};
  const auto dag = ReadTaskDag(*task, options);
  ASSERT_TRUE(dag) << dag.error().message;
  const Stage& parts = dag->stages[dag->Find("matmul_parts")];
  ASSERT_EQ(parts.dims.size(), 2u);
  EXPECT_EQ(parts.dims[0].name, "k_i");
  EXPECT_EQ(parts.dims[0].extent, 16);
  EXPECT_EQ(dag->stages[dag->Find("matmul_part")].definitions[1].loops.back().extent, 4);
  EXPECT_EQ(dag->stages[dag->Find("matmul")].definitions[1].loops.back().extent, 16);
}

TEST(ReadTaskDag, RefusesPartsThatDoNotDivideTheReduction) {
  const auto task = ParseTaskSpelling("MatMul(a=6x64,b=64)", kTarget);
  AlgorithmOptions options;
  options.rfactored["matmul"] = {"k", "k_o", "k_i", 24, true};
  const auto dag = ReadTaskDag(*task, options);
  ASSERT_FALSE(dag);
  EXPECT_NE(dag.error().message.find("no reduction loop 'k' of a multiple of 24"),
            std::string::npos);
}

}  // namespace
}  // namespace whet
