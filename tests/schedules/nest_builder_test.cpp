#include "schedules/nest_builder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "schedules/sketch.h"
#include "schedules/task_dag.h"
#include "tests/schedules/tasks_to_try.h"

namespace whet {
namespace {

constexpr char kTarget[] = "x86-64-linux-avx512-2t";

Directive Of(DirectiveKind kind, const std::string& stage, const std::string& loop) {
  Directive d;
  d.kind = kind;
  d.stage = stage;
  d.loop = loop;
  return d;
}

Directive SplitRows(int64_t factor) {
  Directive split = Of(DirectiveKind::kSplit, "relu", "y");
  split.names = {"y_o", "y_i"};
  split.factor = factor;
  return split;
}

// A 3x3 convolution of 14x14 positions whose padded image is computed at `loop` of relu.
class NestBuilderTest : public testing::Test {
 protected:
  Directive PadAt(const std::string& loop) const {
    Directive at = Of(DirectiveKind::kComputeAt, "pad", loop);
    at.at = "relu";
    return at;
  }
  const Task task_ = *ParseTaskSpelling("Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu", kTarget);
  const Dag dag_ = *ReadTaskDag(task_, {});
  const int pad_ = dag_.Find("pad");
  const NestContext context_{dag_};
  std::vector<Directive> directives_;
  NestBuilder builder_{context_, directives_};
};

TEST_F(NestBuilderTest, FindsTheRegionOfAStageThatIsNotPlacedYet) {
  directives_.push_back(SplitRows(7));
  const auto placed = builder_.Placed(pad_, PadAt("y_o"));
  ASSERT_TRUE(placed) << placed.error().message;
  EXPECT_EQ(placed->region, (Extents{16, 16, 9, 1}));
  EXPECT_EQ(builder_.Built(pad_), nullptr);
  EXPECT_EQ(builder_.Placed(pad_, PadAt("y_i"))->region, (Extents{16, 16, 3, 1}));
}

TEST_F(NestBuilderTest, BuildsAgainWhatALaterDirectiveChanges) {
  directives_.push_back(SplitRows(7));
  ASSERT_TRUE(builder_.Placed(pad_, PadAt("y_o")));
  directives_[0].factor = 2;  // unseen: it has been read
  directives_.push_back(Of(DirectiveKind::kParallel, "relu", "y_o"));
  EXPECT_EQ(builder_.Placed(pad_, PadAt("y_o"))->region, (Extents{16, 16, 4, 1}));
}

TEST_F(NestBuilderTest, SurvivesThatTheDirectivesMove) {
  directives_.reserve(1);
  directives_.push_back(SplitRows(7));
  ASSERT_TRUE(builder_.Placed(pad_, PadAt("y_o")));
  directives_.reserve(1000);
  EXPECT_EQ(builder_.Placed(pad_, PadAt("y_o"))->region, (Extents{16, 16, 9, 1}));
}

TEST_F(NestBuilderTest, SaysWhichLoopIsMissing) {
  const auto placed = builder_.Placed(pad_, PadAt("rows"));
  ASSERT_FALSE(placed);
  EXPECT_NE(placed.error().message.find("no such loop"), std::string::npos);
}

// What rules ask on the way gives the nest that all directives give at once.
TEST(NestBuilder, BuildsInStepsWhatItBuildsAtOnce) {
  Rng rng(5);
  for (const std::string& spelling : TasksToTry()) {
    const auto space = SketchSpace::Create(*ParseTaskSpelling(spelling, kTarget), {});
    ASSERT_TRUE(space) << spelling;
    for (int i = 0; i < 20; ++i) {
      const Trace trace = space->Sample(rng);
      const Dag& dag = **space->DagFor(trace);
      const NestContext context(dag);
      std::vector<Directive> some;
      some.reserve(trace.directives.size());
      NestBuilder steps(context, some);
      for (size_t d = 0; d < trace.directives.size(); ++d) {
        some.push_back(trace.directives[d]);
        // Whatever a stage before its last directive is worth: it is built, and built again.
        if (d % 3 == 2)
          (void)steps.BuildStages(std::max(0, dag.output() - static_cast<int>(d % 5)));
      }
      const auto nest = std::move(steps).Finish();
      const auto whole = NestBuilder(context, trace.directives).Finish();
      ASSERT_EQ(nest.has_value(), whole.has_value()) << spelling;
      if (!whole) continue;
      EXPECT_EQ(ToString(dag, *nest), ToString(dag, *whole)) << spelling;
    }
  }
}

// A search reads features off the nest that came about with a trace.
TEST(SketchSpace, GivesWithATraceTheNestThatIsBuiltOfItLater) {
  Rng rng(6);
  for (const std::string& spelling : TasksToTry()) {
    const auto space = SketchSpace::Create(*ParseTaskSpelling(spelling, kTarget), {});
    ASSERT_TRUE(space) << spelling;
    Trace parent = space->Default();
    for (int i = 0; i < 30; ++i) {
      LoopNest nest;
      const Trace trace = i % 3 == 0   ? space->Sample(rng, &nest)
                          : i % 3 == 1 ? space->Mutate(parent, rng, nullptr, &nest)
                                       : space->Crossover(parent, space->Sample(rng), rng, &nest);
      const auto later = space->Nest(trace);
      ASSERT_EQ(!nest.stages.empty(), later.has_value()) << spelling;
      if (!later) continue;
      const Dag& dag = nest.inlined->dag();
      EXPECT_EQ(nest.inlined, later->inlined) << spelling;
      EXPECT_EQ(nest.nest_of, later->nest_of) << spelling;
      EXPECT_EQ(ToString(dag, nest), ToString(dag, *later)) << spelling;
      for (size_t s = 0; s < nest.layouts.size(); ++s)
        EXPECT_EQ(nest.layouts[s].strides, later->layouts[s].strides) << spelling;
      parent = trace;
    }
  }
}

}  // namespace
}  // namespace whet
