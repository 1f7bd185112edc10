#include "runtime/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

namespace whet {
namespace {

int Call(void* context, int index) {
  return (*static_cast<std::function<int(int)>*>(context))(index);
}

int Loop(int begin, int count, std::function<int(int)> body) {
  return ParallelFor(begin, count, Call, &body);
}

class ThreadPool : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { SetThreadCount(GetParam()); }
  void TearDown() override { SetThreadCount(1); }
};
INSTANTIATE_TEST_SUITE_P(Threads, ThreadPool, testing::Values(1, 2, 3, 16));

TEST_P(ThreadPool, RunsEveryIndexOnce) {
  EXPECT_EQ(ThreadCount(), GetParam());
  for (int count : {0, 1, 2, 3, 7, 1000}) {
    std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
    EXPECT_EQ(Loop(-5, count,
                   [&](int i) {
                     ++seen[static_cast<size_t>(i + 5)];
                     return 0;
                   }),
              0);
    for (const auto& times : seen) EXPECT_EQ(times, 1);
  }
}

TEST_P(ThreadPool, RunsManySmallLoops) {
  std::atomic<int64_t> sum{0};
  for (int loop = 0; loop < 3000; ++loop) {
    Loop(0, 1 + loop % 5, [&](int i) {
      sum += i;
      return 0;
    });
  }
  EXPECT_EQ(sum, 600 * (0 + 1 + 3 + 6 + 10));
}

TEST_P(ThreadPool, SeesWhatItsIterationsWrote) {
  std::vector<int> data(64);
  for (int loop = 1; loop < 500; ++loop) {
    Loop(0, 64, [&](int i) {
      data[static_cast<size_t>(i)] = loop + i;
      return 0;
    });
    for (int i = 0; i < 64; ++i) ASSERT_EQ(data[static_cast<size_t>(i)], loop + i);
  }
}

TEST_P(ThreadPool, WakesAfterALongPause) {
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> runs{0};
    Loop(0, 8, [&](int) {
      ++runs;
      return 0;
    });
    EXPECT_EQ(runs, 8);
  }
}

TEST_P(ThreadPool, RunsANestedLoopOnItsThread) {
  std::atomic<int> runs{0}, strangers{0};
  Loop(0, 8, [&](int) {
    const auto self = std::this_thread::get_id();
    return Loop(0, 10, [&](int) {
      ++runs;
      if (std::this_thread::get_id() != self) ++strangers;
      return 0;
    });
  });
  EXPECT_EQ(runs, 80);
  EXPECT_EQ(strangers, 0);
}

TEST_P(ThreadPool, ReturnsTheResultOfAFailingTask) {
  EXPECT_EQ(Loop(0, 100, [](int i) { return i == 42 ? -9 : 0; }), -9);
  EXPECT_EQ(Loop(0, 100, [](int) { return 3; }), 3);
  EXPECT_EQ(Loop(0, 100, [](int) { return 0; }), 0);  // and forgets it
}

TEST_P(ThreadPool, TakesTurnsBetweenCallers) {
  std::atomic<int> runs{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int loop = 0; loop < 100; ++loop) {
        Loop(0, 5, [&](int) {
          ++runs;
          return 0;
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(runs, 4 * 100 * 5);
}

TEST_P(ThreadPool, ChangesItsSizeBetweenLoops) {
  for (int threads : {1, 4, 2, 8, GetParam()}) {
    SetThreadCount(threads);
    EXPECT_EQ(ThreadCount(), threads);
    std::atomic<int> runs{0};
    Loop(0, 20, [&](int) {
      ++runs;
      return 0;
    });
    EXPECT_EQ(runs, 20);
  }
  SetThreadCount(0);
  EXPECT_EQ(ThreadCount(), 1);
}

TEST_P(ThreadPool, WorksInAForkedChild) {
  Loop(0, 4, [](int) { return 0; });
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> runs{0};
    for (int loop = 0; loop < 100; ++loop) {
      Loop(0, 10, [&](int) {
        ++runs;
        return 0;
      });
    }
    SetThreadCount(2);
    _exit(runs == 1000 && ThreadCount() == 2 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ThreadPoolLoops, UseMoreThanOneThread) {
  SetThreadCount(2);
  // Each of two iterations waits for the other: one thread alone would not finish.
  std::atomic<int> arrived{0};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  EXPECT_EQ(Loop(0, 2,
                 [&](int) {
                   ++arrived;
                   while (arrived < 2 && std::chrono::steady_clock::now() < end)
                     std::this_thread::yield();
                   return arrived == 2 ? 0 : 1;
                 }),
            0);
  SetThreadCount(1);
}

}  // namespace
}  // namespace whet
