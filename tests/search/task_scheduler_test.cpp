#include "search/task_scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace whet {
namespace {

ScheduledTask Task(int uses, double flops, std::string group = "Conv", int64_t max_trials = 1000) {
  return {uses, flops, std::move(group), max_trials};
}

TEST(TaskScheduler, GivesEveryTaskAFirstRoundTheHeaviestFirst) {
  TaskScheduler scheduler({Task(1, 1e6), Task(3, 2e6), Task(1, 4e6)});
  std::vector<int> order;
  for (int round = 0; round < 3; ++round) {
    const int next = scheduler.Next();
    order.push_back(next);
    scheduler.FinishRound(next);
    scheduler.Report(next, 16, 1.0);
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 0}));
}

TEST(TaskScheduler, PrefersTheTaskThatTakesMostOfTheNetwork) {
  TaskScheduler scheduler({Task(1, 1e9), Task(10, 1e9)});
  for (int t = 0; t < 2; ++t) {
    scheduler.FinishRound(t);
    scheduler.Report(t, 16, 1.0);
  }
  EXPECT_EQ(scheduler.Next(), 1);
  EXPECT_NEAR(scheduler.Gain(1), 10 * scheduler.Gain(0), 1e-12);
}

TEST(TaskScheduler, HopeFadesWithTrials) {
  TaskScheduler scheduler({Task(1, 1e9), Task(1, 1e9)});
  scheduler.Report(0, 16, 1.0);
  scheduler.Report(1, 16, 1.0);
  scheduler.FinishRound(0);
  scheduler.FinishRound(1);
  scheduler.Report(0, 320, 1.0);
  EXPECT_EQ(scheduler.Next(), 1);
}

TEST(TaskScheduler, FollowsRecentImprovement) {
  TaskScheduler scheduler({Task(1, 1e9, "a"), Task(1, 1e9, "b")});
  for (const int t : {0, 1}) {
    scheduler.FinishRound(t);
    scheduler.Report(t, 100, 10.0);
  }
  scheduler.Report(0, 116, 10.0);
  scheduler.Report(1, 116, 8.0);
  EXPECT_EQ(scheduler.Next(), 1);
}

TEST(TaskScheduler, GivesUpHopeForATaskThatComputesFarFasterThanItsLike) {
  TaskScheduler scheduler({Task(1, 1e9), Task(1, 1e9)});
  for (const int t : {0, 1}) scheduler.FinishRound(t);
  scheduler.Report(0, 100, 1.0);
  scheduler.Report(1, 100, 5.0);  // five times slower than its like: much to hope for
  EXPECT_EQ(scheduler.Next(), 1);
}

TEST(TaskScheduler, SpendsNoMoreThanATasksBudget) {
  TaskScheduler scheduler({Task(1, 1e9, "a", 32)});
  scheduler.FinishRound(0);
  scheduler.Report(0, 16, 1.0);
  EXPECT_EQ(scheduler.Next(), 0);
  EXPECT_EQ(scheduler.TrialsLeft(0), 16);
  scheduler.Report(0, 32, 1.0);
  EXPECT_EQ(scheduler.TrialsLeft(0), 0);
  EXPECT_EQ(scheduler.Next(), -1);
}

TEST(TaskScheduler, DropsWhatIsExhausted) {
  TaskScheduler scheduler({Task(1, 2e9), Task(1, 1e9)});
  scheduler.Drop(0);
  EXPECT_EQ(scheduler.Next(), 1);
  scheduler.Drop(1);
  EXPECT_EQ(scheduler.Next(), -1);
  EXPECT_EQ(scheduler.TotalTrialsLeft(), 0);
}

TEST(TaskScheduler, LeavesATaskThatNeverRanAlone) {
  TaskScheduler scheduler({Task(1, 1e9)});
  scheduler.FinishRound(0);
  scheduler.Report(0, 16, 0);
  EXPECT_EQ(scheduler.Next(), 0);
  scheduler.Report(0, 64, 0);
  EXPECT_EQ(scheduler.Next(), -1);
}

TEST(TaskScheduler, CountsTrialsOfEarlierRuns) {
  TaskScheduler scheduler({Task(1, 1e9, "a", 64), Task(1, 1e6, "b", 64)});
  scheduler.Report(0, 64, 1.0);
  EXPECT_EQ(scheduler.Next(), 1);
}

TEST(TaskScheduler, SharesALongBudgetInProportionToWhatCanBeGained) {
  TaskScheduler scheduler({Task(8, 1e9, "a", 100000), Task(1, 1e9, "b", 100000)});
  std::map<int, int64_t> trials;
  for (int round = 0; round < 200; ++round) {
    const int next = scheduler.Next();
    ASSERT_GE(next, 0);
    scheduler.FinishRound(next);
    trials[next] += 16;
    scheduler.Report(next, trials[next], 1.0);
  }
  EXPECT_GT(trials[0], 5 * trials[1]);
  EXPECT_GT(trials[1], 100);  // nobody starves
}

}  // namespace
}  // namespace whet
