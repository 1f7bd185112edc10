// The regions that schedules promise to Halide are as large as what reads them needs. Kernels are
// compiled without Halide's own assertions of that: where one does not hold, they read and write
// beyond the end of scratch memory.
#include <gtest/gtest.h>

#include "lowered.h"
#include "schedules/sketch.h"

namespace whet {
namespace {

class PromisedRegions : public testing::TestWithParam<std::string> {};

TEST_P(PromisedRegions, AreAsLargeAsTheirReadersNeed) {
  const auto task = ParseTaskSpelling(GetParam(), "x86-64-linux-avx2-2t");
  ASSERT_TRUE(task) << task.error().message;
  const auto space = SketchSpace::Create(*task, MachineModel{});
  ASSERT_TRUE(space) << space.error().message;
  Rng rng(1);
  for (int i = 0; i < 12; ++i) {
    const Trace trace = i == 0 ? space->Default() : space->Sample(rng);
    const auto broken = BrokenPromises(*task, trace);
    ASSERT_TRUE(broken) << broken.error().message << "\n" << trace.ToCpp();
    EXPECT_TRUE(broken->empty()) << broken->front() << "\n" << trace.ToCpp();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Tasks, PromisedRegions,
    testing::Values(
        "Conv(x=1x24x6x13,w=24x1x5x5,pads=2,group=24)+HardSwish+Conv(w=24x24x1x1)+HardSwish+"
        "Conv(w=24x1x5x5,pads=2,group=24)+HardSwish",
        "Conv(x=1x8x7x6,w=8x8x3x3,pads=1)+Relu+Conv(w=16x8x3x3,pads=1)",
        "ConvTranspose(x=1x8x5x6,w=8x6x3x3,strides=2)+Relu+Conv(w=9x6x3x3,pads=1)",
        "ConvTranspose(x=1x5x5x4,w=5x1x3x3,strides=2,pads=1)",
        "ConvTranspose(x=1x8x6x1,w=8x2x3x3,strides=4,pads=1,group=8)+"
        "Resize(sizes=44x1,coordinate_transformation_mode=pytorch_half_pixel)",
        "Conv(x=1x8x7x6,w=3x8x1x1)+Relu+Conv(w=16x3x3x3,pads=1)"),
    [](const auto& info) { return "task" + std::to_string(info.index); });

}  // namespace
}  // namespace whet
