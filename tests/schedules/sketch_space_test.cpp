#include <gtest/gtest.h>

#include <algorithm>

#include "schedules/sketch.h"

namespace whet {
namespace {

SketchSpace Space(const std::string& spelling) {
  const auto task = ParseTaskSpelling(spelling, "x86-64-linux-avx512-2t");
  EXPECT_TRUE(task) << task.error().message;
  return *SketchSpace::Create(*task, MachineModel{});
}

bool IsOfSpace(const SketchSpace& space, const Trace& trace) {
  const auto sketch = std::find_if(space.sketches().begin(), space.sketches().end(),
                                   [&](const Sketch& s) { return s.name == trace.sketch; });
  if (sketch == space.sketches().end() || sketch->decisions.size() != trace.decisions.size())
    return false;
  for (size_t i = 0; i < trace.decisions.size(); ++i) {
    const auto& candidates = sketch->decisions[i].candidates;
    if (std::find(candidates.begin(), candidates.end(), trace.decisions[i].value) ==
        candidates.end())
      return false;
  }
  return true;
}

// As a database of another version, or damaged, may hold it.
Trace Damaged(Trace trace, Rng& rng) {
  for (int64_t i = 1 + rng.Below(4); i > 0 && !trace.decisions.empty(); --i) {
    const auto at = trace.decisions.begin() + rng.Below(std::ssize(trace.decisions));
    switch (rng.Below(4)) {
      case 0:
        trace.decisions.erase(at);
        break;
      case 1:
        at->name += "x";
        break;
      case 2:
        at->value = {};
        break;
      default:
        at->value.assign(static_cast<size_t>(rng.Below(6)), -rng.Below(1 << 30));
    }
  }
  return trace;
}

TEST(SketchSpace, GoesOnFromTracesWhoseDecisionsItDoesNotKnow) {
  const SketchSpace space = Space("Conv(x=1x32x13x11,w=24x32x3x3,pads=1,strides=2)+Relu");
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    const Trace a = Damaged(space.Sample(rng), rng);
    Trace b = Damaged(space.Sample(rng), rng), adapted;
    b.sketch = a.sketch;
    EXPECT_TRUE(IsOfSpace(space, space.Mutate(a, rng)));
    EXPECT_TRUE(IsOfSpace(space, space.Crossover(a, b, rng)));
    ASSERT_TRUE(space.Adapt(a, &adapted));
    EXPECT_TRUE(IsOfSpace(space, adapted));
  }
}

TEST(SketchSpace, ALatticeTakesEverySketchAndFillsEachDecisionEvenly) {
  const SketchSpace space = Space("MatMul(a=64x96,b=96x128)");
  constexpr int64_t kPoints = 2400;
  std::map<std::string, std::map<std::vector<int64_t>, int64_t>> seen;  // by decision and value
  std::map<std::string, int64_t> of_sketch;
  for (int64_t i = 0; i < kPoints; ++i) {
    const Trace trace = space.LatticePoint(i);
    EXPECT_TRUE(IsOfSpace(space, trace));
    ++of_sketch[trace.sketch];
    for (const Decision& decision : trace.decisions)
      ++seen[trace.sketch + decision.name][decision.value];
  }
  ASSERT_EQ(of_sketch.size(), space.sketches().size());
  for (const Sketch& sketch : space.sketches()) {
    for (const DecisionSpec& spec : sketch.decisions) {
      const auto usual = of_sketch[sketch.name] / static_cast<int64_t>(spec.candidates.size());
      for (const auto& value : spec.candidates)
        EXPECT_NEAR(seen[sketch.name + spec.name][value], usual, 3 + usual / 4) << spec.name;
    }
  }
}

TEST(SketchSpace, SaysWhichKindsOfDecisionsAMutationChanged) {
  const SketchSpace space = Space("Conv(x=1x32x13x11,w=24x32x3x3,pads=1,strides=2)+Relu");
  std::map<std::string, std::string> kind_of;
  for (const Sketch& sketch : space.sketches())
    for (const DecisionSpec& spec : sketch.decisions) kind_of[spec.name] = spec.kind;
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const Trace parent = space.Sample(rng);
    MutationChoice choice;
    const Trace child = space.Mutate(parent, rng, &choice);
    for (size_t d = 0; d < parent.decisions.size(); ++d) {
      if (parent.decisions[d] == child.decisions[d]) continue;
      const auto& kinds = space.kinds();
      const auto kind = std::find(kinds.begin(), kinds.end(), kind_of[child.decisions[d].name]);
      EXPECT_TRUE(choice.changed >> (kind - kinds.begin()) & 1);
    }
  }
}

TEST(SketchSpace, KeepsDecisionsByNameWhenItAdapts) {
  const SketchSpace space = Space("MatMul(a=64x96,b=96x128)");
  Rng rng(4);
  const Trace trace = space.Sample(rng);
  Trace shuffled = trace, adapted;
  std::reverse(shuffled.decisions.begin(), shuffled.decisions.end());
  ASSERT_TRUE(space.Adapt(shuffled, &adapted));
  EXPECT_EQ(adapted, trace);
}

TEST(SketchSpace, HasARowByRowScheduleOfABlockInWhichStagesSlide) {
  const SketchSpace space = Space(
      "Conv(x=1x16x28x28,w=96x16x1x1)+Relu+Conv(w=96x1x3x3,pads=1,group=96)+Relu+"
      "Conv(w=16x96x1x1)");
  const std::vector<Trace> traces = space.PlainTraces();
  EXPECT_TRUE(std::any_of(traces.begin(), traces.end(), [&](const Trace& trace) {
    const auto nest = space.Nest(trace);
    return nest && std::any_of(nest->stages.begin(), nest->stages.end(),
                               [](const StageNest& stage) { return stage.slides_along >= 0; });
  }));
}

}  // namespace
}  // namespace whet
