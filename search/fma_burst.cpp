#include "search/fma_burst.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>

#include "base/cpu.h"
#endif

namespace whet {
namespace {

constexpr int kChains = FmaBurst::kChains;

// Each step is one multiply-add of every chain; x = 0.5 x + 1 stays near 2. The constants come from
// where the compiler cannot see them, and the end is used, so that nothing is left out.
#if defined(__x86_64__)

#define WHET_BURST(Vector, Set, MultiplyAdd)                            \
  const int steps = *static_cast<const int*>(context);                  \
  float half = 0.5f, one = 1.0f;                                        \
  asm volatile("" : "+x"(half), "+x"(one));                             \
  const Vector a = Set(half), b = Set(one);                             \
  Vector chains[kChains];                                               \
  for (Vector & chain : chains) chain = b;                              \
  for (int step = 0; step < steps; ++step)                              \
    _Pragma("GCC unroll 12") for (Vector & x : chains) x = MultiplyAdd; \
  for (const Vector& chain : chains) asm volatile("" : : "x"(chain));   \
  return 0

int Sse(void* context, int) { WHET_BURST(__m128, _mm_set1_ps, _mm_add_ps(_mm_mul_ps(x, a), b)); }

__attribute__((target("avx2,fma"))) int Avx2(void* context, int) {
  WHET_BURST(__m256, _mm256_set1_ps, _mm256_fmadd_ps(x, a, b));
}

__attribute__((target("avx512f"))) int Avx512(void* context, int) {
  WHET_BURST(__m512, _mm512_set1_ps, _mm512_fmadd_ps(x, a, b));
}

#undef WHET_BURST

#else

int Scalar(void* context, int) {
  const int steps = *static_cast<const int*>(context);
  volatile float given = 0.5f;
  const float half = given;
  std::array<float, kChains> chains;
  chains.fill(half);
  for (int step = 0; step < steps; ++step)
    for (float& x : chains) x = x * half + 1.0f;
  volatile float sum = 0;
  for (const float x : chains) sum = sum + x;
  return 0;
}

#endif

}  // namespace

FmaBurst BurstOf([[maybe_unused]] const std::string& isa) {
#if defined(__x86_64__)
  if (isa == "sse41") return {&Sse, 4};
  if (isa == "avx2") return {&Avx2, 8};
  if (isa == "avx512" || isa == "avx512_vnni") return {&Avx512, 16};
#endif
  return {};
}

FmaBurst BurstHere() {
#if defined(__x86_64__)
  const bool has_fma = MissingFeature(*FindInstructionSet("avx2")).empty();
  return has_fma ? FmaBurst{&Avx2, 8} : FmaBurst{&Sse, 4};
#else
  return {&Scalar, 1};
#endif
}

}  // namespace whet
