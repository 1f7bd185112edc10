#include "search/peak.h"

#include <gtest/gtest.h>

#include "codegen/target.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

TEST(Peak, IsMeasuredForEveryInstructionSetThatTheMachineHas) {
  SetThreadCount(1);
  for (const char* isa : {"sse41", "avx2", "avx512", "avx512_vnni"}) {
    const Target target{"x86-64", "linux", isa, 1};
    if (!CheckRunsOn(target, LargestIsaHere())) continue;
    EXPECT_GT(MeasurePeakGflops(isa), 0.1) << isa;
    EXPECT_LT(MeasurePeakGflops(isa), 10'000) << isa;
  }
}

TEST(Peak, IsNotKnownForOthers) { EXPECT_EQ(MeasurePeakGflops("rvv"), 0); }

}  // namespace
}  // namespace whet
