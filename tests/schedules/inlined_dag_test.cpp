#include "schedules/inlined_dag.h"

#include <gtest/gtest.h>

#include "schedules/task_dag.h"

namespace whet {
namespace {

Dag Pointwise() {
  return *ReadTaskDag(*ParseTaskSpelling("Add(a=6x10,b=6x10)+Relu", "x86-64-linux-avx512-2t"), {});
}

TEST(InlinedDag, LoadsAndComputesWhatItsInlinedStagesDo) {
  const Dag dag = Pointwise();
  std::vector<bool> stored(dag.stages.size(), false);
  stored[dag.output()] = true;
  const auto all = InlinedDag::Make(dag, stored);
  ASSERT_NE(all, nullptr);
  const InlinedDefinition& output = all->Of(dag.output(), 0);
  EXPECT_EQ(output.reads.size(), 2);  // both inputs
  EXPECT_EQ(output.ops.add, 1);
  EXPECT_EQ(output.store.stage, dag.output());
  stored.assign(stored.size(), true);
  const auto none = InlinedDag::Make(dag, stored);
  EXPECT_EQ(none->Of(dag.output(), 0).ops.add, dag.stages.back().definitions[0].ops.add);
}

TEST(InlinedDags, MakeOneForASetOfStoredStages) {
  const Dag dag = Pointwise();
  InlinedDags inlined(dag);
  std::vector<bool> stored(dag.stages.size(), false);
  stored[dag.output()] = true;
  const auto first = inlined.For(stored);
  EXPECT_EQ(inlined.For(stored), first);
  stored.assign(stored.size(), true);
  EXPECT_NE(inlined.For(stored), first);
}

}  // namespace
}  // namespace whet
