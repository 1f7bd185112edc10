// Any task under any schedule computes what the reference computes, inside its buffers.
//
// A few random tasks are tried each time. WHET_RANDOM_TASKS=N tries N, WHET_RANDOM_SEED=S others; a
// failure prints what replays it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "codegen/target.h"
#include "search/guess.h"
#include "tests/kernels/kernels.h"
#include "tests/schedules/random_task.h"

namespace whet {
namespace {

int64_t FromEnvironment(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atoll(text);
}

TEST(RandomTasks, ComputeWhatTheReferenceComputesUnderAnySchedule) {
  const int64_t tasks = FromEnvironment("WHET_RANDOM_TASKS", 20);
  const int64_t seed = FromEnvironment("WHET_RANDOM_SEED", 1);
  const int random = static_cast<int>(FromEnvironment("WHET_RANDOM_SCHEDULES", 2));
  const Target target = Target::Host(2);
  const auto model = MakeBaseModel(1);
  int failures = 0;
  for (int64_t i = 0; i < tasks && failures < 20; ++i) {
    Rng rng(static_cast<uint64_t>(seed + i));
    const Task task = RandomTask(rng, target.ToString());
    SCOPED_TRACE(fmt::format("WHET_RANDOM_SEED={} WHET_RANDOM_TASKS=1: {}\n{}", seed + i,
                             task.Describe(), task.ToJson().dump()));
    const auto space = SketchSpace::Create(task, *target.Machine());
    EXPECT_TRUE(space) << space.error().message;
    if (!space) {
      ++failures;
      continue;
    }
    std::vector<Trace> traces = {space->Default()};
    const auto guess = GuessSchedule(task, *target.Machine(), *model, 1);
    EXPECT_TRUE(guess) << guess.error().message;
    if (guess) traces.push_back(*guess);
    while (std::ssize(traces) < 2 + random) {
      Trace trace = space->Sample(rng);
      std::string why;
      const auto nest = space->Nest(trace);
      if (nest && space->IsPlausible(*nest, &why)) traces.push_back(std::move(trace));
    }
    if (!ExpectReference(task, traces)) ++failures;
  }
}

}  // namespace
}  // namespace whet
