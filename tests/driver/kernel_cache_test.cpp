#include "driver/kernel_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

class KernelCacheTest : public testing::Test {
 protected:
  KernelCacheTest()
      : directory_(*TemporaryDirectory::Create("whet-cache-test")),
        cache_(directory_.path() / "kernels", 1 << 20) {}

  static CachedKernel RightKernel(size_t bytes = 100) {
    return {"Relu 4x4", "x86-64-linux-avx2-2t", true, {}, std::string(bytes, '\x7f')};
  }
  fs::path FileOf(const std::string& key) const { return cache_.directory() / (key + ".kernel"); }
  void Overwrite(const std::string& key, size_t at, char byte) const {
    std::fstream file(FileOf(key), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }

  TemporaryDirectory directory_;
  KernelCache cache_;
};

TEST_F(KernelCacheTest, AKernelComesBackAsItWasStored) {
  CachedKernel kernel = RightKernel();
  kernel.verdict.max_error = 0.25;
  kernel.object = std::string("\0\n{}\xff", 5);
  cache_.StoreKernel("a", kernel);
  const auto found = cache_.FindKernel("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->object, kernel.object);
  EXPECT_EQ(found->task, "Relu 4x4");
  EXPECT_EQ(found->target, kernel.target);
  EXPECT_TRUE(found->checked);
  EXPECT_TRUE(found->verdict.ok());
  EXPECT_EQ(found->verdict.max_error, 0.25);
  EXPECT_FALSE(cache_.FindKernel("b"));
}

TEST_F(KernelCacheTest, AFailureComesBackWithItsClassAndMessage) {
  CachedKernel kernel = RightKernel();
  kernel.verdict.status = MeasureStatus::kGuardOverrun;
  kernel.verdict.message = "4 bytes behind \"its\" end";
  cache_.StoreKernel("a", kernel);
  const auto found = cache_.FindKernel("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->verdict.status, MeasureStatus::kGuardOverrun);
  EXPECT_EQ(found->verdict.message, kernel.verdict.message);
}

TEST_F(KernelCacheTest, AChoiceComesBackWithItsDecisions) {
  Trace trace;
  trace.sketch = "tile(relu)";
  trace.decisions.push_back({"tile.x", {1, 2, 3}});
  cache_.StoreChoice("a", "Relu 4x4", "x86-64-linux-avx2-2t", trace);
  EXPECT_EQ(cache_.FindChoice("a"), trace);
  EXPECT_FALSE(cache_.FindKernel("a"));
}

TEST_F(KernelCacheTest, AnyDamagedByteMakesAnEntryMissing) {
  cache_.StoreKernel("a", RightKernel(40));
  const size_t size = fs::file_size(FileOf("a"));
  for (size_t at = 0; at < size; ++at) {
    cache_.StoreKernel("a", RightKernel(40));
    Overwrite("a", at, '\x01');
    EXPECT_FALSE(cache_.FindKernel("a")) << "byte " << at;
    EXPECT_FALSE(fs::exists(FileOf("a"))) << "byte " << at;
  }
}

TEST_F(KernelCacheTest, AnEntryCutOffAnywhereIsMissing) {
  cache_.StoreKernel("a", RightKernel(40));
  for (size_t size = fs::file_size(FileOf("a")); size-- > 0;) {
    cache_.StoreKernel("a", RightKernel(40));
    fs::resize_file(FileOf("a"), size);
    EXPECT_FALSE(cache_.FindKernel("a")) << size << " bytes";
  }
}

TEST_F(KernelCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  const KernelCache small(cache_.directory(), 2500);
  for (const char* key : {"a", "b", "c"}) {
    small.StoreKernel(key, RightKernel(1000));
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  ASSERT_TRUE(small.FindKernel("a"));
  small.Trim();
  EXPECT_TRUE(small.FindKernel("a"));
  EXPECT_FALSE(small.FindKernel("b"));
  EXPECT_TRUE(small.FindKernel("c"));
}

TEST_F(KernelCacheTest, ClearingRemovesEntriesAndLeavesOtherFilesAlone) {
  cache_.StoreKernel("a", RightKernel());
  cache_.StoreChoice("b", "", "", Trace());
  std::ofstream(cache_.directory() / "notes.txt") << "mine";
  EXPECT_EQ(cache_.List()->size(), 2u);
  EXPECT_EQ(cache_.Clear()->first, 2);
  EXPECT_TRUE(cache_.List()->empty());
  EXPECT_TRUE(fs::exists(cache_.directory() / "notes.txt"));
}

TEST_F(KernelCacheTest, WritersAtOnceLeaveWholeEntries) {
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        cache_.StoreKernel("a", RightKernel(5000));
        if (const auto found = cache_.FindKernel("a")) EXPECT_EQ(found->object.size(), 5000u);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(cache_.FindKernel("a"));
  EXPECT_EQ(cache_.List()->size(), 1u);
}

TEST_F(KernelCacheTest, EntriesAreReadableByTheirOwnerOnly) {
  cache_.StoreKernel("a", RightKernel());
  struct stat status {};
  ASSERT_EQ(stat(FileOf("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(KernelCacheTest, WithoutADirectoryNothingIsFoundAndNothingFails) {
  const KernelCache none;
  none.StoreKernel("a", RightKernel());
  EXPECT_FALSE(none.FindKernel("a"));
  EXPECT_TRUE(none.List()->empty());
  const KernelCache unwritable("/proc/no/such/folder", 1 << 20);
  unwritable.StoreKernel("a", RightKernel());
  EXPECT_FALSE(unwritable.FindKernel("a"));
}

TEST(ParseBytes, TakesUnitsAndRefusesTheRest) {
  EXPECT_EQ(ParseBytes("12"), 12);
  EXPECT_EQ(ParseBytes("64K"), 64 << 10);
  EXPECT_EQ(ParseBytes("2G"), int64_t{2} << 30);
  for (const char* text : {"", "G", "-1", "1.5G", "2GB", "99999999999", "1 M"})
    EXPECT_FALSE(ParseBytes(text)) << text;
}

}  // namespace
}  // namespace whet
