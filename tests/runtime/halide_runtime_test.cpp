#include "runtime/halide_runtime.h"

#include <HalideRuntime.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "runtime/scratch_allocator.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

bool IsAligned(const void* block) {
  return reinterpret_cast<uintptr_t>(block) % kScratchAlignment == 0;
}

TEST(Scratch, IsAlignedAndReadableAroundItsEnds) {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{255}, size_t{256}, size_t{257}, size_t{1000},
                       size_t{65537}, size_t{5000000}, size_t{200} << 20}) {
    auto* block = static_cast<uint8_t*>(halide_malloc(nullptr, bytes));
    ASSERT_NE(block, nullptr);
    EXPECT_TRUE(IsAligned(block));
    if (bytes > 0) block[0] = block[bytes - 1] = 1;
    volatile uint8_t sum = 0;
    for (int i = 1; i <= 64; ++i) sum = sum + block[-i] + block[bytes - 1 + static_cast<size_t>(i)];
    halide_free(nullptr, block);
  }
  halide_free(nullptr, nullptr);
}

TEST(Scratch, IsReusedByTheNextKernel) {
  void* first = AllocateScratch(10000);
  FreeScratch(first);
  void* second = AllocateScratch(9990);
  EXPECT_EQ(second, first);
  FreeScratch(second);
}

TEST(Scratch, BlocksInUseNeverOverlap) {
  Rng rng(5);
  struct Block {
    uint8_t* data;
    size_t bytes;
    uint8_t fill;
  };
  std::vector<Block> blocks;
  for (int i = 0; i < 4000; ++i) {
    if (blocks.size() < 20 || rng.Chance(0.5)) {
      const auto bytes = static_cast<size_t>(1 + rng.Below(int64_t{1} << rng.Below(17)));
      Block block{static_cast<uint8_t*>(AllocateScratch(bytes)), bytes, static_cast<uint8_t>(i)};
      std::memset(block.data, block.fill, bytes);
      blocks.push_back(block);
    } else {
      const auto victim = static_cast<size_t>(rng.Below(static_cast<int64_t>(blocks.size())));
      const Block block = blocks[victim];
      for (size_t b = 0; b < block.bytes; ++b) ASSERT_EQ(block.data[b], block.fill);
      FreeScratch(block.data);
      blocks[victim] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) FreeScratch(block.data);
}

TEST(Scratch, KeepsNoMoreThanItsBound) {
  std::vector<void*> blocks;
  for (int i = 0; i < 12; ++i) blocks.push_back(AllocateScratch(size_t{50} << 20));
  for (void* block : blocks) FreeScratch(block);
  EXPECT_LE(CachedScratchBytes(), kMaxCachedScratchBytes);
  EXPECT_GT(CachedScratchBytes(), 0);
}

TEST(Scratch, OfAThreadIsReturnedWhenItEnds) {
  const int64_t before = CachedScratchBytes();
  void* from_here = AllocateScratch(3000);
  std::thread([&] {
    FreeScratch(AllocateScratch(100000));
    FreeScratch(from_here);
  }).join();
  EXPECT_LE(CachedScratchBytes(), before);
}

TEST(Scratch, TheImpossibleIsNullWithAReason) {
  TakeKernelError();
  EXPECT_EQ(halide_malloc(nullptr, SIZE_MAX), nullptr);
  EXPECT_EQ(TakeKernelError(), "out of memory");
  EXPECT_EQ(TakeKernelError(), "");
}

int CountTask(void* user_context, int index, uint8_t* closure) {
  reinterpret_cast<std::atomic<int>*>(closure)->fetch_add(index);
  return user_context == nullptr ? 0 : 5;
}

TEST(HalideRuntime, ParallelLoopsRunOnThePool) {
  SetThreadCount(2);
  std::atomic<int> sum{0};
  auto* closure = reinterpret_cast<uint8_t*>(&sum);
  EXPECT_EQ(halide_do_par_for(nullptr, CountTask, 10, 5, closure), 0);
  EXPECT_EQ(sum, 10 + 11 + 12 + 13 + 14);
  EXPECT_EQ(halide_do_par_for(&sum, CountTask, 10, 5, closure), 5);
  EXPECT_EQ(halide_get_num_threads(), 2);
  SetThreadCount(1);
}

}  // namespace
}  // namespace whet
