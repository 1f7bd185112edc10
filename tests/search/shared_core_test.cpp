#include "search/shared_core.h"

#include <gtest/gtest.h>

#include "runtime/thread_pool.h"

namespace whet {
namespace {

TEST(ParallelSlowdown, IsNoneForOneThread) {
  SetThreadCount(1);
  EXPECT_EQ(ParallelSlowdown(), 1);
  EXPECT_EQ(AwaitOwnCores(std::chrono::milliseconds(3)), 1);
}

TEST(ParallelSlowdown, SeesThreadsThatShareACpu) {
  // More threads than any machine of ours has CPUs to give: some have to wait for others.
  SetThreadCount(256);
  EXPECT_GT(ParallelSlowdown(), kSharedCoreSlowdown);
  SetThreadCount(1);
}

}  // namespace
}  // namespace whet
