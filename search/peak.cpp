#include "search/peak.h"

#include <algorithm>
#include <chrono>

#include "runtime/thread_pool.h"
#include "search/shared_core.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace whet {
namespace {

constexpr int kBursts = 24;
constexpr int kSteps = 50'000;  // of a burst: some 100 us
constexpr int kChains = 12;     // independent, enough to cover a multiply-add's latency

#if defined(__x86_64__)

// Each step is one multiply-add of every chain; x = 0.5 x + 1 stays near 2. The constants come from
// where the compiler cannot see them, and the end is used, so that nothing is left out.
#define WHET_PEAK_LOOP(Vector, Set, MultiplyAdd)                        \
  float half = 0.5f, one = 1.0f;                                        \
  asm volatile("" : "+x"(half), "+x"(one));                             \
  const Vector a = Set(half), b = Set(one);                             \
  Vector chains[kChains];                                               \
  for (Vector & chain : chains) chain = b;                              \
  for (int step = 0; step < kSteps; ++step)                             \
    _Pragma("GCC unroll 12") for (Vector & x : chains) x = MultiplyAdd; \
  for (const Vector& chain : chains) asm volatile("" : : "x"(chain));   \
  return 0

int Sse(void*, int) { WHET_PEAK_LOOP(__m128, _mm_set1_ps, _mm_add_ps(_mm_mul_ps(x, a), b)); }

__attribute__((target("avx2,fma"))) int Avx2(void*, int) {
  WHET_PEAK_LOOP(__m256, _mm256_set1_ps, _mm256_fmadd_ps(x, a, b));
}

__attribute__((target("avx512f"))) int Avx512(void*, int) {
  WHET_PEAK_LOOP(__m512, _mm512_set1_ps, _mm512_fmadd_ps(x, a, b));
}

#undef WHET_PEAK_LOOP

#endif

struct Burst {
  ParallelTask work = nullptr;
  int lanes = 0;
};

Burst BurstOf([[maybe_unused]] const std::string& isa) {
#if defined(__x86_64__)
  if (isa == "sse41") return {&Sse, 4};
  if (isa == "avx2") return {&Avx2, 8};
  if (isa == "avx512" || isa == "avx512_vnni") return {&Avx512, 16};
#endif
  return {};
}

}  // namespace

double MeasurePeakGflops(const std::string& isa) {
  const Burst burst = BurstOf(isa);
  if (burst.work == nullptr) return 0;
  const int threads = ThreadCount();
  AwaitOwnCores(8);
  using Clock = std::chrono::steady_clock;
  double least_ns = 1e18;
  for (int i = 0; i < kBursts; ++i) {
    const auto start = Clock::now();
    ParallelFor(0, threads, burst.work, nullptr);
    least_ns =
        std::min(least_ns, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return 2.0 * kSteps * kChains * burst.lanes * threads / std::max(least_ns, 1.0);
}

}  // namespace whet
