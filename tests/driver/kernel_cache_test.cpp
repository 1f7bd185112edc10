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

  // 32 hexadecimal digits.
  static std::string Key(const std::string& digit) { return std::string(31, '0') + digit; }
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
  cache_.StoreKernel(Key("a"), kernel);
  const auto found = cache_.FindKernel(Key("a"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->object, kernel.object);
  EXPECT_EQ(found->task, "Relu 4x4");
  EXPECT_EQ(found->target, kernel.target);
  EXPECT_TRUE(found->checked);
  EXPECT_TRUE(found->verdict.ok());
  EXPECT_EQ(found->verdict.max_error, 0.25);
  EXPECT_FALSE(cache_.FindKernel(Key("b")));
}

TEST_F(KernelCacheTest, AFailureComesBackWithItsClassAndMessage) {
  CachedKernel kernel = RightKernel();
  kernel.verdict.status = MeasureStatus::kGuardOverrun;
  kernel.verdict.message = "4 bytes behind \"its\" end";
  cache_.StoreKernel(Key("a"), kernel);
  const auto found = cache_.FindKernel(Key("a"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->verdict.status, MeasureStatus::kGuardOverrun);
  EXPECT_EQ(found->verdict.message, kernel.verdict.message);
}

TEST_F(KernelCacheTest, AChoiceComesBackWithItsDecisions) {
  Trace trace;
  trace.sketch = "tile(relu)";
  trace.decisions.push_back({"tile.x", {1, 2, 3}});
  cache_.StoreChoice(Key("a"), "Relu 4x4", "x86-64-linux-avx2-2t", trace);
  EXPECT_EQ(cache_.FindChoice(Key("a")), trace);
  EXPECT_FALSE(cache_.FindKernel(Key("a")));
}

TEST_F(KernelCacheTest, AnyDamagedByteMakesAnEntryMissing) {
  cache_.StoreKernel(Key("a"), RightKernel(40));
  const size_t size = fs::file_size(FileOf(Key("a")));
  for (size_t at = 0; at < size; ++at) {
    cache_.StoreKernel(Key("a"), RightKernel(40));
    Overwrite(Key("a"), at, '\x01');
    EXPECT_FALSE(cache_.FindKernel(Key("a"))) << "byte " << at;
    EXPECT_FALSE(fs::exists(FileOf(Key("a")))) << "byte " << at;
  }
}

TEST_F(KernelCacheTest, AnEntryCutOffAnywhereIsMissing) {
  cache_.StoreKernel(Key("a"), RightKernel(40));
  for (size_t size = fs::file_size(FileOf(Key("a"))); size-- > 0;) {
    cache_.StoreKernel(Key("a"), RightKernel(40));
    fs::resize_file(FileOf(Key("a")), size);
    EXPECT_FALSE(cache_.FindKernel(Key("a"))) << size << " bytes";
  }
}

TEST_F(KernelCacheTest, AnEntryUnderAnothersNameIsMissing) {
  cache_.StoreKernel(Key("a"), RightKernel());
  fs::rename(FileOf(Key("a")), FileOf(Key("b")));
  EXPECT_FALSE(cache_.FindKernel(Key("b")));
}

TEST_F(KernelCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  const KernelCache small(cache_.directory(), 2500);
  for (const char* key : {"a", "b", "c"}) {
    small.StoreKernel(Key(key), RightKernel(1000));
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  ASSERT_TRUE(small.FindKernel(Key("a")));
  small.Trim();
  EXPECT_TRUE(small.FindKernel(Key("a")));
  EXPECT_FALSE(small.FindKernel(Key("b")));
  EXPECT_TRUE(small.FindKernel(Key("c")));
}

TEST_F(KernelCacheTest, ClearingRemovesEntriesAndLeavesOtherFilesAlone) {
  cache_.StoreKernel(Key("a"), RightKernel());
  cache_.StoreChoice(Key("b"), "", "", Trace());
  for (const char* name : {"notes.txt", "my.kernel", "x.part"})
    std::ofstream(cache_.directory() / name) << "mine";
  EXPECT_EQ(cache_.List()->size(), 2u);
  EXPECT_EQ(cache_.Clear()->first, 2);
  EXPECT_TRUE(cache_.List()->empty());
  for (const char* name : {"notes.txt", "my.kernel", "x.part"})
    EXPECT_TRUE(fs::exists(cache_.directory() / name)) << name;
}

TEST_F(KernelCacheTest, WritersAtOnceLeaveWholeEntries) {
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        cache_.StoreKernel(Key("a"), RightKernel(5000));
        if (const auto found = cache_.FindKernel(Key("a"))) EXPECT_EQ(found->object.size(), 5000u);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(cache_.FindKernel(Key("a")));
  EXPECT_EQ(cache_.List()->size(), 1u);
}

TEST_F(KernelCacheTest, EntriesAreReadableByTheirOwnerOnly) {
  cache_.StoreKernel(Key("a"), RightKernel());
  struct stat status {};
  ASSERT_EQ(stat(FileOf(Key("a")).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(KernelCacheTest, WithoutADirectoryNothingIsFoundAndNothingFails) {
  const KernelCache none;
  none.StoreKernel(Key("a"), RightKernel());
  EXPECT_FALSE(none.FindKernel(Key("a")));
  EXPECT_TRUE(none.List()->empty());
  const KernelCache unwritable("/proc/no/such/folder", 1 << 20);
  unwritable.StoreKernel(Key("a"), RightKernel());
  EXPECT_FALSE(unwritable.FindKernel(Key("a")));
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
