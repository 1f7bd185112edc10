// What is known of the CPU, on whatever CPU the tests run.
#include "base/cpu.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace whet {
namespace {

TEST(InstructionSets, AreFoundByName) {
  for (const InstructionSet& set : InstructionSets()) EXPECT_EQ(FindInstructionSet(set.name), &set);
  EXPECT_EQ(FindInstructionSet("avx3"), nullptr);
}

TEST(InstructionSets, BecomeWider) {
  int bytes = 0;
  for (const InstructionSet& set : InstructionSets()) {
    EXPECT_GE(set.vector_bytes, bytes) << set.name;
    bytes = set.vector_bytes;
  }
}

TEST(InstructionSets, ACpuWithOneHasAllBeforeItAndNoneAfterItsLargest) {
  bool beyond = false;
  for (const InstructionSet& set : InstructionSets()) {
    EXPECT_EQ(MissingFeature(set).empty(), !beyond) << set.name;
    beyond = beyond || &set == &LargestInstructionSet();
  }
}

TEST(AllowedCpus, AreThoseOfTheThreadThatAsks) {
  const std::vector<int> cpus = AllowedCpus();
  ASSERT_FALSE(cpus.empty());
  EXPECT_EQ(AllowedCpuCount(), static_cast<int>(cpus.size()));
  std::thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpus.back(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(AllowedCpus(), std::vector<int>{cpus.back()});
    EXPECT_EQ(AllowedCpuCount(), 1);
  }).join();
}

TEST(Caches, BecomeLargerWhereTheSystemSaysHowLargeTheyAre) {
  const auto l1 = CacheBytes(1), l2 = CacheBytes(2);
  if (l1 && l2) {
    EXPECT_GT(*l2, *l1);
  }
  EXPECT_FALSE(CacheBytes(99));
  EXPECT_EQ(CpusSharingCache(99), 1);
}

TEST(CpuName, IsOneLine) {
  EXPECT_FALSE(CpuName().empty());
  EXPECT_EQ(CpuName().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace whet
