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

Directive Of(DirectiveKind kind, const std::string& stage, const std::string& loop) {
  Directive d;
  d.kind = kind;
  d.stage = stage;
  d.loop = loop;
  return d;
}

// A 3x3 depthwise convolution of 8x10 positions, its padded image computed for each row of output
// and stored as `store` says.
Result<LoopNest> RowByRow(const Dag& dag, DirectiveKind store) {
  Directive compute = Of(DirectiveKind::kComputeAt, "pad", "y");
  compute.at = "out";
  return BuildLoopNest(dag, {compute, Of(store, "pad", "")});
}

TEST(BuildLoopNest, ComputesOnlyNewRowsOfWhatSlides) {
  const Task task =
      *ParseTaskSpelling("Conv(x=1x16x8x10,w=16x1x3x3,pads=1,group=16)", "x86-64-linux-avx512-2t");
  const Dag dag = *ReadTaskDag(task, {});
  const int pad = dag.Find("pad");
  const auto slides = RowByRow(dag, DirectiveKind::kStoreRoot);
  ASSERT_TRUE(slides) << slides.error().message;
  const StageNest& sliding = slides->stages[slides->nest_of[pad]];
  EXPECT_EQ(sliding.slides_along, 2);
  EXPECT_EQ(sliding.region, (Extents{16, 12, 1, 1}));
  EXPECT_EQ(sliding.buffer_bytes, 16 * 12 * 10 * 4);
}

TEST(BuildLoopNest, DoesNotSlideInAParallelLoop) {
  const Task task =
      *ParseTaskSpelling("Conv(x=1x16x8x10,w=16x1x3x3,pads=1,group=16)", "x86-64-linux-avx512-2t");
  const Dag dag = *ReadTaskDag(task, {});
  Directive compute = Of(DirectiveKind::kComputeAt, "pad", "y");
  compute.at = "out";
  const auto nest = BuildLoopNest(dag, {Of(DirectiveKind::kParallel, "out", "y"), compute,
                                        Of(DirectiveKind::kStoreRoot, "pad", "")});
  ASSERT_TRUE(nest) << nest.error().message;
  const StageNest& stage = nest->stages[nest->nest_of[dag.Find("pad")]];
  EXPECT_EQ(stage.slides_along, -1);
  EXPECT_EQ(stage.region, (Extents{16, 12, 3, 1}));
}

}  // namespace
}  // namespace whet
