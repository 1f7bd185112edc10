#include "schedules/loop_nest.h"

#include <gtest/gtest.h>

#include "schedules/task_dag.h"

namespace whet {
namespace {

Directive Split(const std::string& loop, int64_t factor, Tail tail) {
  Directive split;
  split.kind = DirectiveKind::kSplit;
  split.stage = "relu";
  split.loop = loop;
  split.names = {loop + "_o", loop + "_i"};
  split.factor = factor;
  split.tail = tail;
  return split;
}

TEST(BuildLoopNest, RefusesAShiftedTileThatIsLongerThanItsLoop) {
  const Task task = *ParseTaskSpelling("Relu(x=6x10)", "x86-64-linux-avx512-2t");
  const Dag dag = *ReadTaskDag(task, {});
  EXPECT_TRUE(BuildLoopNest(dag, {Split("c", 10, Tail::kShiftInwards)}));
  EXPECT_TRUE(BuildLoopNest(dag, {Split("c", 16, Tail::kGuardWithIf)}));
  const auto nest = BuildLoopNest(dag, {Split("x", 7, Tail::kShiftInwards)});
  ASSERT_FALSE(nest);
  EXPECT_NE(nest.error().message.find("longer than the loop"), std::string::npos);
}

TEST(BuildLoops, HasTheLoopsOfTheWholeNest) {
  const Task task = *ParseTaskSpelling("Relu(x=6x10)", "x86-64-linux-avx512-2t");
  const Dag dag = *ReadTaskDag(task, {});
  const std::vector<Directive> directives = {Split("c", 4, Tail::kShiftInwards)};
  const auto loops = BuildLoops(dag, directives), nest = BuildLoopNest(dag, directives);
  ASSERT_TRUE(loops && nest);
  ASSERT_EQ(loops->stages.size(), nest->stages.size());
  EXPECT_EQ(loops->stages[0].definitions[0].loops.size(),
            nest->stages[0].definitions[0].loops.size());
  EXPECT_TRUE(loops->reads.empty());
}

}  // namespace
}  // namespace whet
