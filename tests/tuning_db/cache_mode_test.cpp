#include "tuning_db/cache_mode.h"

#include <sstream>

#include "tests/tuning_db/test_database.h"
#include "tuning_db/interchange.h"

namespace whet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CacheMode, IsReadByItsName) {
  for (const char* name : kCacheModes) EXPECT_EQ(Name(*ParseCacheMode(name)), name);
  const auto unknown = ParseCacheMode("tepid");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("warm and cold"));
}

TEST(CacheMode, OfARunIsWhatItsSettingsSayAndWarmWhereTheySayNothing) {
  RunInfo run;
  EXPECT_EQ(*CacheModeOf(run), CacheMode::kWarm);
  run.machine = {{"cpu", "Test CPU"}};
  EXPECT_EQ(*CacheModeOf(run), CacheMode::kWarm);
  run.settings = {{"trials", 64}};
  EXPECT_EQ(*CacheModeOf(run), CacheMode::kWarm);
  run.settings["cache"] = "cold";
  EXPECT_EQ(*CacheModeOf(run), CacheMode::kCold);
  run.settings["cache"] = "tepid";
  EXPECT_FALSE(CacheModeOf(run));
}

class RecordsOfAMode : public TestDatabase {
 protected:
  // Adds a record of a run with these settings; its trace splits by `factor`.
  void AddMeasured(Database& database, int64_t factor, const Json& settings) {
    RunInfo info = MakeRun();
    info.settings = settings;
    Record record = MakeRecord(task_, factor, {100 * factor});
    record.run_id = database.StartRun(info).value();
    ASSERT_OK(database.AddRecord(record));
  }
  std::vector<int64_t> Factors(const Database& database, std::optional<CacheMode> cache) {
    std::vector<int64_t> factors;
    for (const Record& record : database.Records(task_.Fingerprint(), nullptr, cache).value())
      factors.push_back(record.trace.directives[0].factor);
    return factors;
  }

  const Task task_ = MakeTask(8);
};

TEST_F(RecordsOfAMode, AreThoseOfRunsThatMeasuredSo) {
  auto database = Open();
  ASSERT_OK(database->AddTask(task_));
  AddMeasured(*database, 1, {{"cache", "cold"}});
  AddMeasured(*database, 2, {{"cache", "warm"}});
  AddMeasured(*database, 3, {{"trials", 64}});
  AddMeasured(*database, 4, Json());
  AddMeasured(*database, 5, {{"cache", "tepid"}});  // of a later version
  ASSERT_OK(database->AddRecord(MakeRecord(task_, 6, {600})));
  EXPECT_THAT(Factors(*database, CacheMode::kCold), ElementsAre(1));
  EXPECT_THAT(Factors(*database, CacheMode::kWarm), ElementsAre(2, 3, 4, 6));
  EXPECT_THAT(Factors(*database, std::nullopt), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(RecordsOfAMode, AreWarmInAFileWithoutSettings) {
  auto database = Open();
  ASSERT_OK(database->AddTask(task_));
  AddMeasured(*database, 1, Json());
  EXPECT_THAT(Factors(*database, CacheMode::kWarm), ElementsAre(1));
  EXPECT_THAT(Factors(*database, CacheMode::kCold), ElementsAre());
}

TEST_F(RecordsOfAMode, KeepItOnTheWayThroughJsonLines) {
  auto database = Open();
  ASSERT_OK(database->AddTask(task_));
  AddMeasured(*database, 1, {{"cache", "cold"}});
  AddMeasured(*database, 2, {{"cache", "warm"}});
  std::stringstream lines;
  ASSERT_OK(ExportRecords(*database, {}, lines));
  auto other = Open("other.db");
  ASSERT_OK(ImportRecords(*other, lines, "lines"));
  EXPECT_THAT(Factors(*other, CacheMode::kCold), ElementsAre(1));
  EXPECT_THAT(Factors(*other, CacheMode::kWarm), ElementsAre(2));
}

}  // namespace
}  // namespace whet
