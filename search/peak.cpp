#include "search/peak.h"

#include <algorithm>
#include <chrono>

#include "runtime/thread_pool.h"
#include "search/fma_burst.h"
#include "search/shared_core.h"

namespace whet {
namespace {

constexpr int kBursts = 24;
constexpr int kSteps = 50'000;  // of a burst: some 100 us

}  // namespace

double MeasurePeakGflops(const std::string& isa) {
  const FmaBurst burst = BurstOf(isa);
  if (burst.work == nullptr) return 0;
  const int threads = ThreadCount();
  AwaitOwnCores(std::chrono::milliseconds(30));
  using Clock = std::chrono::steady_clock;
  double least_ns = 1e18;
  int steps = kSteps;
  for (int i = 0; i < kBursts; ++i) {
    const auto start = Clock::now();
    ParallelFor(0, threads, burst.work, &steps);
    least_ns =
        std::min(least_ns, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return 2.0 * kSteps * FmaBurst::kChains * burst.lanes * threads / std::max(least_ns, 1.0);
}

}  // namespace whet
