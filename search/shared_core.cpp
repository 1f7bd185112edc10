#include "search/shared_core.h"

#include <algorithm>

#include "runtime/thread_pool.h"
#include "search/fma_burst.h"

namespace whet {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSteps = 8'000;  // of a burst: some 15 us
constexpr int kRounds = 3;     // the best counts: an interruption says nothing

double Seconds(const Clock::time_point& since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

}  // namespace

double ParallelSlowdown() {
  const int threads = ThreadCount();
  if (threads < 2) return 1;
  const FmaBurst burst = BurstHere();
  int steps = kSteps;
  double alone = 1e9, together = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    auto start = Clock::now();
    ParallelFor(0, threads, burst.work, &steps);
    together = std::min(together, Seconds(start));
    start = Clock::now();
    burst.work(&steps, 0);
    alone = std::min(alone, Seconds(start));
  }
  return together / alone;
}

double AwaitOwnCores(std::chrono::nanoseconds most) {
  const auto start = Clock::now();
  double slowdown = ParallelSlowdown();
  while (slowdown > kSharedCoreSlowdown && Clock::now() - start < most)
    slowdown = ParallelSlowdown();
  return slowdown;
}

}  // namespace whet
