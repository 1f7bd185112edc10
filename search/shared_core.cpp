#include "search/shared_core.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "runtime/thread_pool.h"

namespace whet {
namespace {

using Clock = std::chrono::steady_clock;

// Some machines' CPUs share a core for a fraction of a millisecond at a time, others for tens.
constexpr std::chrono::microseconds kFirstSleep{250}, kLongestSleep{4'000};

// Some 100 us of work that fills the multipliers of a core, so that a second thread on the core has
// none left: independent products, enough to cover their latency.
int Work(void*, int) {
  std::array<std::array<float, 4>, 12> products;
  for (auto& product : products) product.fill(1.0f);
  float factor = 1.0f;
  for (int step = 0; step < 10'000; ++step) {
    asm volatile("" : "+x"(factor));  // not to be computed ahead of time
    for (auto& product : products)
      for (float& value : product) value *= factor;
  }
  float sum = 0;
  for (const auto& product : products) sum += product[0] + product[3];
  asm volatile("" : : "x"(sum));
  return 0;
}

double Seconds(const std::chrono::steady_clock::time_point& since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

}  // namespace

double ParallelSlowdown() {
  const int threads = ThreadCount();
  if (threads < 2) return 1;
  double alone = 1e9, together = 1e9;
  // The best of a few: an interruption says nothing. The first round wakes the workers.
  for (int round = 0; round < 3; ++round) {
    auto start = Clock::now();
    ParallelFor(0, threads, &Work, nullptr);
    together = std::min(together, Seconds(start));
    start = Clock::now();
    Work(nullptr, 0);
    alone = std::min(alone, Seconds(start));
  }
  return together / alone;
}

double AwaitOwnCores(int most_tries) {
  double slowdown = ParallelSlowdown();
  auto sleep = kFirstSleep;
  for (int i = 1; i < most_tries && slowdown > kSharedCoreSlowdown; ++i) {
    std::this_thread::sleep_for(sleep);
    if (sleep < kLongestSleep) sleep *= 2;
    slowdown = ParallelSlowdown();
  }
  return slowdown;
}

}  // namespace whet
