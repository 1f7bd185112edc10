#include "search/timing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace whet {
namespace {

// Time passes only when a kernel runs.
class FakeClock : public Clock {
 public:
  int64_t MonotonicNs() const override { return now_ns; }
  std::string NowUtc() const override { return "2026-01-01T00:00:00Z"; }
  int64_t now_ns = 1'000'000;
};

// A kernel that takes the given times in turn.
class FakeKernel {
 public:
  FakeKernel(FakeClock* clock, std::vector<int64_t> durations_ns)
      : clock_(clock), durations_ns_(std::move(durations_ns)) {}
  std::function<void()> Runner() {
    return [this] {
      clock_->now_ns += durations_ns_[static_cast<size_t>(runs++) % durations_ns_.size()];
    };
  }
  int runs = 0;

 private:
  FakeClock* clock_;
  std::vector<int64_t> durations_ns_;
};

TEST(TimeKernel, StopsAtTheFewestSamplesWhenTheyAgree) {
  FakeClock clock;
  FakeKernel kernel(&clock, {1'000'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {});
  EXPECT_EQ(timing.samples_ns, std::vector<int64_t>(10, 1'000'000));
  EXPECT_EQ(timing.calls_per_sample, 1);
  EXPECT_EQ(timing.accuracy, 0);
  EXPECT_EQ(kernel.runs, 11);  // one to warm up
}

TEST(TimeKernel, GivesATinyKernelManyCallsASample) {
  FakeClock clock;
  FakeKernel kernel(&clock, {100});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {.min_sample_ns = 20'000});
  EXPECT_GE(timing.calls_per_sample * 100, 20'000);
  EXPECT_LE(timing.calls_per_sample * 100, 80'000);
  for (const int64_t sample : timing.samples_ns) EXPECT_EQ(sample, 100);
}

TEST(TimeKernel, NeverCallsAKernelFree) {
  FakeClock clock;
  FakeKernel kernel(&clock, {0});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {.max_samples = 3});
  EXPECT_EQ(timing.samples_ns, std::vector<int64_t>(3, 1));
}

TEST(TimeKernel, GoesOnWhileTheMedianIsUncertain) {
  FakeClock clock;
  FakeKernel kernel(&clock, {1'000'000, 1'100'000, 1'200'000, 900'000, 800'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {.time_cap_ns = 1'000'000'000});
  EXPECT_GT(timing.samples_ns.size(), 100u);
  EXPECT_LE(timing.accuracy, 0.01);
}

TEST(TimeKernel, StopsAtTheCap) {
  FakeClock clock;
  const int64_t start_ns = clock.now_ns;
  FakeKernel kernel(&clock, {1'000'000, 2'000'000, 3'000'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {.time_cap_ns = 60'000'000});
  EXPECT_GE(clock.now_ns - start_ns, 60'000'000);
  EXPECT_LE(clock.now_ns - start_ns, 63'000'000);
  EXPECT_GT(timing.accuracy, 0.01);
}

TEST(TimeKernel, RunsAKernelOnceThatTakesLongerThanTheCap) {
  FakeClock clock;
  FakeKernel kernel(&clock, {5'000'000'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {});
  EXPECT_EQ(timing.samples_ns, std::vector<int64_t>{5'000'000'000});
  EXPECT_EQ(kernel.runs, 1);
}

TEST(TimeKernel, DropsAClearLoserAfterAGlance) {
  FakeClock clock;
  FakeKernel kernel(&clock, {2'600'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {.best_known_ns = 1'000'000});
  EXPECT_EQ(timing.samples_ns.size(), 3u);
}

TEST(TimeKernel, LooksAtAShortKernelForAMillisecondBeforeItIsDropped) {
  FakeClock clock;
  FakeKernel kernel(&clock, {100'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {.best_known_ns = 30'000});
  EXPECT_GE(timing.samples_ns.size(), 8u);
  EXPECT_LE(timing.samples_ns.size(), 10u);
}

TEST(TimeKernel, SamplesOneThatTwoThreadsOnOneCoreExplainForTheLeastTime) {
  FakeClock clock;
  const int64_t start_ns = clock.now_ns;
  FakeKernel kernel(&clock, {2'200'000});
  TimeKernel(kernel.Runner(), clock, {.min_time_ns = 30'000'000, .best_known_ns = 1'000'000});
  EXPECT_GE(clock.now_ns - start_ns, 30'000'000);
}

TEST(TimeKernel, AsksForAccuracyOfContendersOnly) {
  FakeClock clock;
  FakeKernel far(&clock, {1'500'000, 1'400'000, 1'600'000}),
      near(&clock, {1'200'000, 1'100'000, 1'300'000});
  const TimingOptions options{
      .accuracy = 0.001, .min_time_ns = 5'000'000, .best_known_ns = 1'000'000};
  EXPECT_EQ(TimeKernel(far.Runner(), clock, options).samples_ns.size(), 5u);
  EXPECT_GE(TimeKernel(near.Runner(), clock, options).samples_ns.size(), 20u);
}

TEST(TimeKernel, IsDeafToAFewInterrupts) {
  FakeClock clock;
  FakeKernel kernel(&clock, {1'000'000, 1'000'000, 1'000'000, 1'000'000, 9'000'000});
  const Timing timing = TimeKernel(kernel.Runner(), clock, {});
  EXPECT_EQ(timing.samples_ns.size(), 10u);
  EXPECT_EQ(Median(timing.samples_ns), 1'000'000);
}

TEST(TimeKernel, SamplesForTheLeastTimeAndContendersForLonger) {
  for (const int64_t best_ns : {0, 50'000, 100'000}) {
    FakeClock clock;
    FakeKernel kernel(&clock, {100'000});
    const int64_t start_ns = clock.now_ns;
    TimeKernel(kernel.Runner(), clock,
               {.min_time_ns = 3'000'000, .min_contender_ns = 9'000'000, .best_known_ns = best_ns});
    const int64_t least_ns = best_ns == 100'000 ? 9'000'000 : 3'000'000;
    EXPECT_GE(clock.now_ns - start_ns, least_ns);
    EXPECT_LE(clock.now_ns - start_ns, least_ns + 200'000);
  }
}

TEST(TimeInterleaved, GivesEveryKernelAsManySamples) {
  FakeClock clock;
  FakeKernel fast(&clock, {1'000'000}), slow(&clock, {2'000'000}),
      noisy(&clock, {900'000, 1'000'000, 1'100'000});
  const auto timings = TimeInterleaved({fast.Runner(), slow.Runner(), noisy.Runner()}, clock,
                                       {.time_cap_ns = 50'000'000, .accuracy = 0.001});
  ASSERT_EQ(timings.size(), 3u);
  EXPECT_GT(timings[0].samples_ns.size(), 10u);  // the noisy one keeps all of them going
  EXPECT_EQ(timings[0].samples_ns.size(), timings[1].samples_ns.size());
  EXPECT_EQ(timings[0].samples_ns.size(), timings[2].samples_ns.size());
  EXPECT_EQ(Median(timings[0].samples_ns), 1'000'000);
  EXPECT_EQ(Median(timings[1].samples_ns), 2'000'000);
}

TEST(TimeInterleaved, GivesEveryKernelTurnsOfSomeLength) {
  FakeClock clock;
  std::string calls;
  const auto kernel = [&](char name, int64_t ns) {
    return [&calls, &clock, name, ns] {
      calls += name;
      clock.now_ns += ns;
    };
  };
  const TimingOptions options = {
      .time_cap_ns = 12'000'000, .accuracy = 0, .min_samples = 1'000, .turn_ns = 4'000'000};
  const auto timings =
      TimeInterleaved({kernel('a', 1'000'000), kernel('b', 5'000'000)}, clock, options);
  // A call to warm up and a first sample of each; then a round that begins with the second.
  EXPECT_EQ(calls, "aabbbbaaaa");
  EXPECT_EQ(timings[0].samples_ns.size(), 1u + 3u);
  EXPECT_EQ(timings[1].samples_ns.size(), 1u + 1u);
}

TEST(TimeInterleaved, TakesNoMoreSamplesThanItMay) {
  FakeClock clock;
  FakeKernel a(&clock, {1'000'000}), b(&clock, {1'000'000});
  const auto timings = TimeInterleaved({a.Runner(), b.Runner()}, clock,
                                       {.time_cap_ns = 1'000'000'000,
                                        .min_samples = 1'000,
                                        .max_samples = 25,
                                        .turn_ns = 9'000'000});
  EXPECT_LE(timings[0].samples_ns.size(), 25u);
  EXPECT_LE(timings[1].samples_ns.size(), 25u);
  EXPECT_EQ(std::max(timings[0].samples_ns.size(), timings[1].samples_ns.size()), 25u);
}

TEST(TimeInterleaved, StopsWhenAllAreAccurate) {
  FakeClock clock;
  FakeKernel a(&clock, {1'000'000}), b(&clock, {2'000'000});
  const auto timings = TimeInterleaved({a.Runner(), b.Runner()}, clock,
                                       {.time_cap_ns = 100'000'000, .min_samples = 20});
  EXPECT_EQ(timings[0].samples_ns.size(), 20u);
}

TEST(TimeInterleaved, OfNothingIsNothing) {
  FakeClock clock;
  EXPECT_TRUE(TimeInterleaved({}, clock, {}).empty());
}

// Emptying takes time too; a kernel takes longer after it.
class ColdMachine {
 public:
  ColdMachine(FakeClock* clock, int64_t emptying_ns) : clock_(clock), emptying_ns_(emptying_ns) {}
  std::function<void()> Emptier() {
    return [this] {
      clock_->now_ns += emptying_ns_;
      ++emptied;
      cold_ = true;
    };
  }
  std::function<void()> Kernel(int64_t warm_ns, int64_t cold_ns) {
    return [this, warm_ns, cold_ns] {
      clock_->now_ns += cold_ ? cold_ns : warm_ns;
      ++runs;
      cold_ = false;
    };
  }
  int emptied = 0, runs = 0;

 private:
  FakeClock* clock_;
  int64_t emptying_ns_;
  bool cold_ = false;
};

TEST(TimeKernel, EmptiesTheCachesBeforeEveryCallAndTimesOnlyTheCall) {
  FakeClock clock;
  ColdMachine machine(&clock, 400'000);
  // So short that warm samples have many calls.
  const Timing timing = TimeKernel(machine.Kernel(1'000, 5'000), clock, {.cache = CacheMode::kCold},
                                   machine.Emptier());
  EXPECT_EQ(timing.samples_ns, std::vector<int64_t>(10, 5'000));
  EXPECT_EQ(timing.calls_per_sample, 1);
  EXPECT_EQ(machine.emptied, 10);
  EXPECT_EQ(machine.runs, 10);
}

TEST(TimeKernel, EmptyingCountsAgainstTheCap) {
  FakeClock clock;
  ColdMachine machine(&clock, 5'000'000);
  const int64_t start_ns = clock.now_ns;
  const Timing timing =
      TimeKernel(machine.Kernel(100'000, 500'000), clock,
                 {.time_cap_ns = 30'000'000, .cache = CacheMode::kCold}, machine.Emptier());
  EXPECT_EQ(timing.samples_ns, std::vector<int64_t>(6, 500'000));
  EXPECT_LE(clock.now_ns - start_ns, 30'000'000 + 5'500'000);
}

TEST(TimeKernel, TakesOneColdSampleWhereEmptyingTakesLongerThanTheCap) {
  FakeClock clock;
  ColdMachine machine(&clock, 50'000'000);
  const Timing timing =
      TimeKernel(machine.Kernel(100'000, 500'000), clock,
                 {.time_cap_ns = 30'000'000, .cache = CacheMode::kCold}, machine.Emptier());
  EXPECT_EQ(timing.samples_ns, std::vector<int64_t>{500'000});
}

TEST(TimeKernel, DropsAClearLoserOnColdCachesToo) {
  FakeClock clock;
  ColdMachine machine(&clock, 2'000'000);
  const Timing timing =
      TimeKernel(machine.Kernel(100'000, 500'000), clock,
                 {.best_known_ns = 100'000, .cache = CacheMode::kCold}, machine.Emptier());
  EXPECT_EQ(timing.samples_ns.size(), 3u);
}

TEST(TimeInterleaved, OnColdCachesNoKernelIsWarmedUp) {
  FakeClock clock;
  ColdMachine machine(&clock, 1'000'000);
  const auto timings =
      TimeInterleaved({machine.Kernel(100'000, 300'000), machine.Kernel(200'000, 400'000)}, clock,
                      {.time_cap_ns = 10'000'000, .min_samples = 100, .cache = CacheMode::kCold},
                      machine.Emptier());
  EXPECT_EQ(Median(timings[0].samples_ns), 300'000);
  EXPECT_EQ(Median(timings[1].samples_ns), 400'000);
  EXPECT_EQ(timings[0].samples_ns.size(), timings[1].samples_ns.size());
  EXPECT_EQ(machine.emptied, machine.runs);
  EXPECT_EQ(machine.runs, 2 * 8);  // 2.7 ms a round, in twice 10 ms
}

TEST(MedianAccuracy, IsTheFormulaInTheHeader) {
  EXPECT_EQ(MedianAccuracy({5}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(MedianAccuracy({5, 5, 5}), 0);
  // Median 100, deviations 0 0 10 10 10: their median 10.
  EXPECT_NEAR(MedianAccuracy({100, 100, 90, 110, 110}),
              1.2533 * 1.4826 * 10 / (std::sqrt(5.0) * 100), 1e-12);
}

TEST(RelativeDeviation, IsThatOfNormalSamplesAndDeafToAFewOutliers) {
  EXPECT_EQ(RelativeDeviation({}), 0);
  EXPECT_NEAR(RelativeDeviation({100, 100, 90, 110, 1000}), 1.4826 * 0.1, 1e-12);
}

TEST(TimingOptions, SurviveTheWayThroughJson) {
  const TimingOptions options{1, 2, 0.5, 3, 4, 5, 6, 7, 8, 6.5, 9, CacheMode::kCold};
  const auto back = TimingOptions::FromJson(options.ToJson());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->ToJson(), options.ToJson());
  EXPECT_EQ(back->cache, CacheMode::kCold);
  EXPECT_FALSE(TimingOptions::FromJson(Json::object()));
}

}  // namespace
}  // namespace whet
