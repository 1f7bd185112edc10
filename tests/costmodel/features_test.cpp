#include "costmodel/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/costmodel/hand_made.h"

namespace whet {
namespace {

constexpr double kRelative = 1e-4;  // of a float's logarithm turned back

testing::Matcher<double> Near(double value) {
  return testing::DoubleNear(value, kRelative * (1 + value));
}

TEST(FeatureTable, NamesAreUniqueAndEveryFeatureHasAUnitAndAMeaning) {
  std::set<std::string> names;
  for (const FeatureInfo& feature : FeatureTable()) {
    EXPECT_TRUE(names.insert(feature.name).second) << feature.name;
    EXPECT_FALSE(feature.unit.empty()) << feature.name;
    EXPECT_GT(feature.meaning.size(), 8u) << feature.name;
  }
}

TEST(FeatureTable, FindsAFeatureByName) {
  const int index = FeatureIndex("acc.vector.lanes");
  ASSERT_GE(index, 0);
  EXPECT_EQ(FeatureTable()[static_cast<size_t>(index)].unit, "log2 1");
  EXPECT_EQ(FeatureIndex("acc.vector.colour"), -1);
}

TEST(Features, FlopsAreTwoAMultiplyAddPlusTheOthers) {
  const Row row(MatMulDag(64, 96, 32), {});
  EXPECT_THAT(row.Count("task.fma"), Near(64.0 * 96 * 32));
  EXPECT_THAT(row.Count("task.minmax"), Near(64.0 * 96));
  EXPECT_THAT(row.Count("task.flops"), Near(2 * row.Count("task.fma") + row.Count("task.minmax")));
  EXPECT_THAT(row.Count("task.output_elements"), Near(64.0 * 96));
  EXPECT_THAT(row.Count("task.input_bytes"), Near(4.0 * (64 * 32 + 32 * 96)));
}

TEST(Features, TellTheMachine) {
  MachineModel machine;
  machine.threads = 6;
  machine.vector_bytes = 32;
  machine.vector_registers = 16;
  machine.l1_bytes = 48 << 10;
  machine.l2_bytes = 2 << 20;
  machine.l3_bytes = 24 << 20;
  const Row row(MatMulDag(64, 96, 32), {}, machine);
  EXPECT_THAT(row.Count("machine.threads"), Near(6));
  EXPECT_THAT(row.Count("machine.vector_bytes"), Near(32));
  EXPECT_THAT(row.Count("machine.vector_registers"), Near(16));
  EXPECT_THAT(row.Count("machine.l1_bytes"), Near(48 << 10));
  EXPECT_THAT(row.Count("machine.l2_bytes"), Near(2 << 20));
  EXPECT_THAT(row.Count("machine.l3_bytes"), Near(24 << 20));
}

TEST(Features, TaskFeaturesDoNotDependOnTheSchedule) {
  const Dag dag = MatMulDag(64, 128, 32);
  const Row plain(dag, {Mark(DirectiveKind::kComputeRoot, "mm", 0, "")});
  const Row tiled(dag, RegisterTiled(4, 2));
  for (const FeatureInfo& feature : FeatureTable()) {
    if (!feature.name.starts_with("task.")) continue;
    EXPECT_EQ(plain[feature.name], tiled[feature.name]) << feature.name;
  }
}

TEST(Features, KnowTheRegisterTile) {
  const Row row(MatMulDag(64, 128, 32), RegisterTiled(4, 2));
  EXPECT_THAT(row.Count("acc.vector.lanes"), Near(16));
  EXPECT_THAT(row.Count("acc.vector.registers"), Near(1));
  EXPECT_EQ(row["acc.vector.fill"], 1);
  EXPECT_EQ(row["acc.vector.contiguous"], 1);
  EXPECT_THAT(row.Count("acc.unroll.pure"), Near(8));
  EXPECT_THAT(row.Count("acc.unroll.reduction"), Near(1));
  EXPECT_THAT(row.Count("acc.tile.accumulators"), Near(8));
  EXPECT_THAT(row.Count("acc.tile.vectors"), Near(2));
  EXPECT_THAT(row.Count("acc.tile.broadcasts"), Near(4));
  EXPECT_THAT(row.Count("acc.tile.spills"), Near(0));
  EXPECT_EQ(row["acc.in_registers"], 1);
  EXPECT_THAT(row.Count("acc.reduction_run"), Near(32));
  EXPECT_THAT(row.Count("acc.inner.extent"), Near(32));
  EXPECT_EQ(row["acc.inner.reduction"], 1);
  EXPECT_THAT(row.Count("acc.realisations"), Near(16 * 4));
  EXPECT_THAT(row.Count("acc.inner.trips"), Near(16 * 4 * 32));
}

TEST(Features, CountLoadsAMultiplyAdd) {
  // A step of k loads 2 vectors of b and 4 scalars of a for 8 multiply-adds.
  const Row row(MatMulDag(64, 128, 32), RegisterTiled(4, 2));
  EXPECT_THAT(row["acc.loads.vector"], Near(2.0 / 8));
  EXPECT_THAT(row["acc.loads.broadcast"], Near(4.0 / 8));
  EXPECT_EQ(row["acc.loads.gather"], 0);
  EXPECT_EQ(row["acc.loads.scalar"], 0);
  // 8 accumulators are loaded and stored once in 32 steps.
  EXPECT_THAT(row["acc.stores"], Near(2 * 8.0 / 32 / 8));
}

TEST(Features, SeeThatAVectorAlongTheWrongLoopGathers) {
  const Dag dag = MatMulDag(64, 128, 32);
  using enum DirectiveKind;
  const Row row(dag, {Mark(kComputeRoot, "mm", 0, ""), Split("mm", 1, "y", "yo", "yl", 16),
                      Reorder("mm", 1, {"yl", "k", "yo", "x"}), Mark(kVectorize, "mm", 1, "yl")});
  EXPECT_EQ(row["acc.vector.contiguous"], 0);
  EXPECT_THAT(row["acc.loads.gather"], Near(16));
  EXPECT_THAT(row["acc.loads.broadcast"], Near(1));
  EXPECT_THAT(row.Count("read0.vector_stride") + row.Count("read1.vector_stride"), Near(32));
}

TEST(Features, CountVectorsThatDoNotFitTheRegisters) {
  MachineModel machine;
  machine.vector_registers = 16;
  const Row fits(MatMulDag(64, 128, 32), RegisterTiled(4, 2), machine);
  const Row spills(MatMulDag(64, 128, 32), RegisterTiled(16, 2), machine);
  EXPECT_EQ(fits["acc.tile.spills"], 0);
  EXPECT_THAT(spills.Count("acc.tile.spills"), Near(32 + 2 + 1 - 16));
  machine.vector_registers = 64;
  const Row roomy(MatMulDag(64, 128, 32), RegisterTiled(16, 2), machine);
  EXPECT_GT(spills["roofline.compute"], roomy["roofline.compute"]);
}

TEST(Features, WidthOfAMachineVectorDecidesHowManyRegistersAVectorTakes) {
  MachineModel machine;
  machine.vector_bytes = 32;
  const Row row(MatMulDag(64, 128, 32), RegisterTiled(4, 2), machine);
  EXPECT_THAT(row.Count("acc.vector.registers"), Near(2));
  EXPECT_THAT(row.Count("acc.tile.accumulators"), Near(16));
}

TEST(Features, MeasureParallelismAndItsImbalance) {
  MachineModel machine;
  machine.threads = 3;
  const Row row(MatMulDag(64, 128, 32), RegisterTiled(4, 2), machine);  // 16 rows of tiles
  EXPECT_THAT(row.Count("parallel.extent"), Near(16));
  EXPECT_THAT(row["parallel.imbalance"], Near(6.0 * 3 / 16));
  EXPECT_THAT(row.Count("parallel.launches"), Near(1));
  EXPECT_THAT(row["parallel.serial_share"], Near(0));
  const Row serial(MatMulDag(64, 128, 32), {Mark(DirectiveKind::kComputeRoot, "mm", 0, "")},
                   machine);
  EXPECT_THAT(serial["parallel.imbalance"], Near(3));
  EXPECT_THAT(serial["parallel.serial_share"], Near(1));
}

TEST(Features, RecomputationShowsInTheWorkAndInTheStages) {
  const Dag dag = MatMulDag(64, 128, 32);
  const Row once(dag, RegisterTiled(4, 2));
  EXPECT_THAT(once.Count("work.recompute"), Near(1));
  EXPECT_THAT(once.Count("stages.recompute"), Near(1));
  EXPECT_THAT(once.Count("work.flops"), Near(once.Count("task.flops")));
}

TEST(Features, ATailThatDoesNotDivideVisitsMorePointsThanItCovers) {
  const Dag dag = MatMulDag(60, 128, 32);
  Directive split = Split("mm", 1, "y", "yo", "yi", 16);
  split.tail = Tail::kGuardWithIf;
  const Row row(dag, {Mark(DirectiveKind::kComputeRoot, "mm", 0, ""), split});
  EXPECT_GT(row.Count("work.padding"), 1.05);
  EXPECT_EQ(row["acc.guards"], 1);
}

TEST(Features, TrafficIsTheInputsOnceWhereEverythingFits) {
  MachineModel machine;
  machine.l2_bytes = 8 << 20;
  const Row row(MatMulDag(64, 128, 32), RegisterTiled(4, 2), machine);
  const double inputs = 4.0 * (64 * 32 + 32 * 128);
  const double output = 4.0 * 64 * 128;
  EXPECT_THAT(row.Count("memory.l2_traffic"), Near(inputs + output));
}

TEST(Features, TrafficGrowsWithWhatTheCacheCannotKeep) {
  const Dag dag = MatMulDag(512, 512, 512);
  MachineModel small;
  small.l1_bytes = 16 << 10;
  const Row a(dag, RegisterTiled(4, 2), small);
  double before = a.Count("memory.l1_traffic") * 1.001;
  for (int64_t kib : {32, 64, 128, 256, 512, 1024, 2048}) {
    MachineModel machine;
    machine.l1_bytes = kib << 10;
    const double traffic = Row(dag, RegisterTiled(4, 2), machine).Count("memory.l1_traffic");
    EXPECT_LE(traffic, before) << kib << " KiB";
    before = traffic * 1.001;
  }
  EXPECT_LT(before, a.Count("memory.l1_traffic") / 10);  // all of it fits
  // A larger register tile reads each input less often.
  const Row c(dag, RegisterTiled(16, 2), small);
  EXPECT_LT(c.Count("memory.l1_traffic"), a.Count("memory.l1_traffic"));
}

TEST(Features, ReadsComeInOrderOfTheirBytes) {
  const Row row(MatMulDag(64, 128, 32), RegisterTiled(4, 2));
  EXPECT_THAT(row.Count("read0.bytes"), Near(4.0 * 128 * 32));
  EXPECT_THAT(row.Count("read1.bytes"), Near(4.0 * 64 * 32));
  EXPECT_THAT(row.Count("read0.reuse"), Near(64));
  EXPECT_THAT(row.Count("read1.reuse"), Near(128));
  EXPECT_THAT(row.Count("read0.vector_stride"), Near(1));
  EXPECT_THAT(row.Count("read1.vector_stride"), Near(0));
  EXPECT_EQ(row["read2.bytes"], 0);
}

TEST(Features, TheEstimatePrefersARegisterTileOverScalars) {
  const Dag dag = MatMulDag(256, 256, 256);
  const Row scalar(dag, {Mark(DirectiveKind::kComputeRoot, "mm", 0, "")});
  const Row small(dag, RegisterTiled(1, 1));
  const Row good(dag, RegisterTiled(6, 4));
  EXPECT_GT(small["roofline.efficiency"], 2 * scalar["roofline.efficiency"]);
  EXPECT_GT(good["roofline.efficiency"], 1.5 * small["roofline.efficiency"]);
  EXPECT_GT(good["roofline.efficiency"], 0.3);
  EXPECT_LE(good["roofline.efficiency"], 1);
}

TEST(Features, AreFiniteForEveryShape) {
  for (const int64_t m : {1, 7, 1000}) {
    for (const int64_t n : {1, 17, 4096}) {
      for (const int64_t k : {1, 3, 100000}) {
        const Row row(MatMulDag(m, n, k), {Mark(DirectiveKind::kComputeRoot, "mm", 0, "")});
        for (const float value : row.values()) EXPECT_TRUE(std::isfinite(value));
      }
    }
  }
}

TEST(Features, ATaskWithoutArithmeticHasFeaturesToo) {
  // out[x, y] = a[y, x]: a transposition.
  Dag dag;
  dag.stages.push_back(InputStage("a", {{"x", 32, false}, {"y", 64, false}}));
  Stage out;
  out.name = "out";
  out.dims = {{"x", 64, false}, {"y", 32, false}};
  out.definitions.push_back({out.dims, {{0, {LoopIndex(1), LoopIndex(0)}}}, {}});
  dag.stages.push_back(out);
  const Row row(dag, {});
  for (const float value : row.values()) EXPECT_TRUE(std::isfinite(value));
  EXPECT_EQ(row["task.flops"], 0);
  EXPECT_THAT(row.Count("read0.bytes"), Near(4.0 * 32 * 64));
  EXPECT_GT(row["roofline.efficiency"], 0);
}

TEST(Features, TheSameNestHasTheSameRow) {
  const Dag dag = MatMulDag(64, 128, 32);
  EXPECT_EQ(Row(dag, RegisterTiled(4, 2)).values(), Row(dag, RegisterTiled(4, 2)).values());
}

}  // namespace
}  // namespace whet
