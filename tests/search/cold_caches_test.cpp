#include "search/cold_caches.h"

#include <gtest/gtest.h>

#include "runtime/thread_pool.h"

namespace whet {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(SweepBytes, AreTwiceTheCoresCacheAndItsShareOfTheSharedOne) {
  EXPECT_EQ(SweepBytes(4, {kMiB, 32 * kMiB, 8}), 2 * (kMiB + 8 * kMiB));
  EXPECT_EQ(SweepBytes(1, {kMiB, 32 * kMiB, 8}), 2 * (kMiB + 32 * kMiB));
}

TEST(SweepBytes, CountNoMoreThreadsThanShareACache) {
  EXPECT_EQ(SweepBytes(64, {kMiB, 32 * kMiB, 8}), 2 * (kMiB + 4 * kMiB));
}

TEST(SweepBytes, AreWholeLinesAndOneAtLeast) {
  EXPECT_EQ(SweepBytes(3, {0, 100, 3}), 128);
  EXPECT_EQ(SweepBytes(1, {}), 64);
}

TEST(HostCaches, AreThoseOfAMachine) {
  const CacheSizes caches = HostCaches();
  EXPECT_GT(caches.l2_bytes, 0);
  EXPECT_GT(caches.l3_bytes, 0);
  EXPECT_GE(caches.l3_threads, 1);
}

TEST(ColdCaches, EmptyWithAsManyThreadsAsThePoolHas) {
  for (const int threads : {1, 2, 5}) {  // more than there are CPUs as well
    SetThreadCount(threads);
    auto cold = ColdCaches::Create({.l2_bytes = 1 << 16, .l3_bytes = 1 << 18, .l3_threads = 2});
    ASSERT_TRUE(cold) << cold.error().message;
    for (int i = 0; i < 3; ++i) cold->Empty();
  }
  SetThreadCount(1);
}

TEST(ColdCaches, NeedMemory) {
  SetThreadCount(1);
  const auto cold = ColdCaches::Create({.l3_bytes = int64_t{1} << 60});
  ASSERT_FALSE(cold);
  EXPECT_NE(cold.error().message.find("cannot map"), std::string::npos);
}

}  // namespace
}  // namespace whet
