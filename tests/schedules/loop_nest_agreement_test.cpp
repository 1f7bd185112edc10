// The property that holds the two interpreters of traces together: for random traces of every rule
// and operator, loop extents, trip counts, vector widths and buffer sizes of the loop nest equal
// those of Halide's lowered statement. Where a stage slides, Halide begins its loop earlier, under
// another name or with extents that the iteration decides: then only storage and the other loops
// are compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lowered.h"
#include "schedules/sketch.h"
#include "tasks_to_try.h"

namespace whet {
namespace {

constexpr char kTarget[] = "x86-64-linux-avx512-2t";
constexpr char kHalideTarget[] =
    "x86-64-linux-sse41-avx-f16c-fma-avx2-avx512-avx512_skylake-no_runtime-no_asserts-no_bounds_"
    "query";

std::string DescribeFailure(const std::string& task, const Trace& trace, const Dag& dag,
                            const LoopNest& nest) {
  return task + "\n" + trace.ToCpp() + "\n" + ToString(dag, nest);
}

bool AddsZeros(const Dag& dag, const LoopNest& nest, int stage) {
  if (dag.stages[stage].kind == StageKind::kReduction &&
      dag.stages[stage].definitions.back().ops.compare > 0)
    return true;  // taps that a phase of a transposed convolution does not have
  for (const Definition& definition : dag.stages[stage].definitions)
    for (const Access& access : definition.reads)
      if (dag.stages[access.stage].pads && nest.nest_of[access.stage] < 0) return true;
  return false;
}

void ExpectAgreement(const std::string& spelling, const SketchSpace& space, const Trace& trace) {
  const auto nest = space.Nest(trace);
  ASSERT_TRUE(nest) << nest.error().message << "\n" << trace.ToCpp();
  const Dag& dag = **space.DagFor(trace);
  const auto lowered = Lower(space.task(), trace, kHalideTarget);
  ASSERT_TRUE(lowered) << lowered.error().message << "\n"
                       << DescribeFailure(spelling, trace, dag, *nest);
  SCOPED_TRACE(DescribeFailure(spelling, trace, dag, *nest));
  const bool slides = std::any_of(nest->stages.begin(), nest->stages.end(),
                                  [](const StageNest& s) { return s.slides_along >= 0; });
  for (const StageNest& stage : nest->stages) {
    const std::string& name = dag.stages[stage.stage].name;
    const auto it = lowered->find(name);
    ASSERT_NE(it, lowered->end()) << "Halide computes no stage " << name;
    double stores = 0;
    bool guarded = false;
    int64_t lanes = 1;
    for (const DefinitionNest& definition : stage.definitions) {
      double trips = stage.realisations;
      for (const NestLoop& loop : definition.loops) {
        trips *= static_cast<double>(loop.extent);
        guarded |= loop.guarded;
        if (loop.kind == LoopKind::kVectorized) lanes = std::max(lanes, loop.extent);
        if (loop.kind != LoopKind::kSerial && loop.kind != LoopKind::kParallel) continue;
        const auto found =
            it->second.loops.find(fmt::format("{}.{}", definition.definition, loop.name));
        if (loop.extent == 1) continue;  // Halide drops loops of one iteration
        if (dag.stages[stage.stage].definitions[definition.definition].loops.size() > 0 &&
            found == it->second.loops.end() && loop.reduction) {
          continue;  // a reduction loop is named after its RDom unless it was split
        }
        if (slides && (found == it->second.loops.end() || found->second.contains(-1))) continue;
        ASSERT_NE(found, it->second.loops.end())
            << "Halide has no loop " << loop.name << " of " << name;
        EXPECT_EQ(found->second, std::set<int64_t>{loop.extent})
            << "loop " << loop.name << " of " << name;
      }
      stores += trips;
    }
    if (slides) {
      EXPECT_GT(it->second.stores, 0) << name;
    } else if (guarded || AddsZeros(dag, *nest, stage.stage)) {
      // Where a tap lies in the padding for good, Halide drops the sum that would add zero; and
      // what an unrolled guard never lets through.
      EXPECT_LE(it->second.stores, stores) << "elements stored by " << name;
    } else {
      EXPECT_EQ(it->second.stores, stores) << "elements stored by " << name;
    }
    // Halide joins the strided stores of an unrolled loop to one dense store of several vectors.
    EXPECT_EQ(it->second.widest_store % lanes, 0) << "vector width of " << name;
    if (slides) {
      // Halide rounds rings up, and stores a whole stage where it does not see that a ring is
      // enough.
      int64_t whole = SizeOf(dag.stages[stage.stage].dtype);
      for (const Loop& dim : dag.stages[stage.stage].dims) whole *= dim.extent;
      for (int64_t bytes : it->second.allocations)
        EXPECT_LT(bytes, 2 * std::max(whole, stage.buffer_bytes)) << "storage of " << name;
    } else if (stage.buffer_bytes > 0) {
      EXPECT_EQ(it->second.allocations, std::set<int64_t>{stage.buffer_bytes})
          << "storage of " << name;
    }
  }
}

class LoopNestAgreement : public testing::TestWithParam<std::string> {};

TEST_P(LoopNestAgreement, WithHalidesLoweredStatementOnRandomTraces) {
  const auto task = ParseTaskSpelling(GetParam(), kTarget);
  ASSERT_TRUE(task) << task.error().message;
  const auto space = SketchSpace::Create(*task, MachineModel{});
  ASSERT_TRUE(space) << space.error().message;
  ExpectAgreement(GetParam(), *space, space->Default());
  Rng rng(20);
  Trace trace = space->Default();
  for (int i = 0; i < 24 && !HasFailure(); ++i) {
    trace = i % 3 == 2 ? space->Mutate(trace, rng) : space->Sample(rng);
    ExpectAgreement(GetParam(), *space, trace);
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, LoopNestAgreement, testing::ValuesIn(TasksToTry()),
                         [](const auto& info) { return "task" + std::to_string(info.index); });

}  // namespace
}  // namespace whet
