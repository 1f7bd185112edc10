// Files of earlier versions: dumps of what Whet wrote then, opened by the Whet of today.
#include "tuning_db/migrations.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/tuning_db/test_database.h"
#include "tuning_db/interchange.h"
#include "tuning_db/schema.h"

namespace whet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uid_t kNobody = 65534;

class AFileOfVersion1 : public TestDatabase {
 protected:
  void SetUp() override { Load("tuning.db", "version_1.sql"); }

  // Makes the file that `dump`, beside this test, tells.
  void Load(const std::string& name, const std::string& dump) {
    const std::string path = std::string(WHET_SOURCE_DIR) + "/tests/tuning_db/" + dump;
    const std::string sql = ReadFile(path).value();
    SQLite::Database db(Path(name), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec(sql);
  }
  // Runs statements on the file without Whet's checks.
  void Sql(const std::string& sql, const std::string& name = "tuning.db") {
    SQLite::Database db(Path(name), SQLite::OPEN_READWRITE);
    db.exec(sql);
  }
  int Version() {
    SQLite::Database db(Path(), SQLite::OPEN_READONLY);
    return VersionOf(db);
  }
  // Everything in the file, as text: tables with their rows, indexes and views.
  std::string Dump() {
    SQLite::Database db(Path(), SQLite::OPEN_READONLY);
    std::string text = std::to_string(VersionOf(db));
    SQLite::Statement objects(db, "SELECT type, name, sql FROM sqlite_schema ORDER BY rowid");
    while (objects.executeStep()) {
      text += "\n" + objects.getColumn(2).getString();
      if (objects.getColumn(0).getString() != "table") continue;
      SQLite::Statement rows(db, "SELECT * FROM " + objects.getColumn(1).getString());
      while (rows.executeStep()) {
        text += "\n";
        for (int i = 0; i < rows.getColumnCount(); ++i) text += rows.getColumn(i).getString() + "|";
      }
    }
    return text;
  }
  static std::vector<std::string> Cells(const Database& db, const std::string& sql) {
    std::vector<std::string> cells;
    const auto result = db.Query(sql);
    EXPECT_TRUE(result) << result.error().message;
    for (const auto& row : result->rows) cells.push_back(row[0].value_or("NULL"));
    return cells;
  }
  static void ExpectWhatVersion1Held(const Database& db) {
    const std::string task = MakeTask(32).Fingerprint();
    EXPECT_THAT(db.Check().value(), IsEmpty());
    EXPECT_THAT(Cells(db, "SELECT role FROM records ORDER BY id"),
                ElementsAre("trial", "trial", "trial", "trial", "final", "final", "lost_final",
                            "trial", "trial", "trial", "trial"));
    EXPECT_EQ(db.Best(task).value()->id, 6);
    EXPECT_EQ(db.Best(MakeTask(64).Fingerprint()).value()->id, 11);
    EXPECT_THAT(Cells(db, "SELECT record FROM v_best ORDER BY record"), ElementsAre("6", "11"));
    EXPECT_THAT(Cells(db, "SELECT trials FROM v_tasks ORDER BY describe"), ElementsAre("5", "3"));
    EXPECT_THAT(Cells(db, "SELECT DISTINCT accuracy FROM tasks"), ElementsAre("fast"));
    EXPECT_THAT(Cells(db, "SELECT DISTINCT accuracy FROM records"), ElementsAre("fast"));
    const Record record = db.RecordById(7).value();
    EXPECT_EQ(record.role, RecordRole::kLostFinal);
    EXPECT_EQ(record.measurement.samples_ns, (std::vector<int64_t>{490, 491}));
    EXPECT_EQ(record.whet_version, "0.1.0");
    EXPECT_EQ(record.halide_version, "") << "nobody knows it";
    EXPECT_EQ(db.RecordById(11)->whet_version, "") << "it has no run";
    EXPECT_THAT(db.Models().value(), SizeIs(1));
  }
  static void ExpectSettings(const Database& db) {
    const std::vector<RunRow> runs = db.Runs().value();
    ASSERT_THAT(runs, SizeIs(3));
    EXPECT_EQ(runs[0].info.settings, (Json{{"trials", 64}, {"cache", "cold"}}));
    EXPECT_EQ(runs[1].info.settings, (Json{{"trials", 64}, {"cache", "warm"}}));
    EXPECT_TRUE(runs[2].info.settings.is_null());
    EXPECT_EQ(runs[0].info.machine, MakeRun().machine);
    EXPECT_TRUE(runs[2].info.machine.is_null());
    const std::string task = MakeTask(32).Fingerprint();
    EXPECT_THAT(db.Records(task, nullptr, CacheMode::kCold).value(), SizeIs(1));
    EXPECT_THAT(db.Records(task, nullptr, CacheMode::kWarm).value(), SizeIs(7));
  }
};

TEST_F(AFileOfVersion1, IsMigratedWhenItIsOpenedAndLosesNothing) {
  {
    const auto db = Open();
    ExpectWhatVersion1Held(*db);
    ExpectSettings(*db);
    EXPECT_EQ(db->LatestCostModel(MakeTask(32).target)->data, std::string("\0binary\xff", 8));
  }
  EXPECT_EQ(Version(), kSchemaVersion);
  ExpectWhatVersion1Held(*Open());
  ExpectSettings(*Open("tuning.db", Database::Mode::kReadOnly));
}

TEST_F(AFileOfVersion1, IsMigratedWithoutTheTableOfSettingsToo) {
  Load("bare.db", "version_1_without_settings.sql");
  const auto db = Open("bare.db");
  ExpectWhatVersion1Held(*db);
  const std::vector<RunRow> runs = db->Runs().value();
  for (const RunRow& run : runs) EXPECT_TRUE(run.info.settings.is_null());
}

TEST_F(AFileOfVersion1, IsMigratedWithSettingsInItsMachinesToo) {
  Load("bare.db", "version_1_without_settings.sql");
  // The machine of the second run with its settings, and the same machine without.
  Sql(R"sql(
INSERT INTO machines (id, fingerprint, json) VALUES
  (7, 'other', '{"cores":2,"cpu":"Test CPU","search":{"cache":"warm","trials":64}}'),
  (8, 'third', '{"cores":2,"cpu":"Test CPU","search":{"cache":"cold","trials":64}}'),
  (9, 'half', '{"cores":2,');
UPDATE tuning_runs SET machine_id = 7 WHERE id = 2;
UPDATE tuning_runs SET machine_id = 8 WHERE id = 1;
)sql",
      "bare.db");
  const auto db = Open("bare.db");
  ExpectWhatVersion1Held(*db);
  ExpectSettings(*db);
  EXPECT_THAT(Cells(*db, "SELECT COUNT(*) FROM machines"), ElementsAre("1"));
}

TEST_F(AFileOfVersion1, HasTheTablesOfANewFileAfterwards) {
  const char* const kShape =
      "SELECT m.type || ' ' || m.name || ' ' || COALESCE(p.name || ' ' || p.type || ' ' || "
      "p.\"notnull\" || ' ' || p.pk || ' ' || COALESCE(p.dflt_value, ''), '') "
      "FROM sqlite_schema AS m LEFT JOIN pragma_table_info(m.name) AS p ORDER BY 1";
  const char* const kTexts =
      "SELECT sql FROM sqlite_schema WHERE type IN ('view', 'index') AND sql IS NOT NULL "
      "ORDER BY name";
  const auto migrated = Open(), fresh = Open("fresh.db");
  EXPECT_EQ(Cells(*migrated, kShape), Cells(*fresh, kShape));
  EXPECT_EQ(Cells(*migrated, kTexts), Cells(*fresh, kTexts));
  // Constraints too.
  for (const char* wrong :
       {"UPDATE records SET role = 'winner' WHERE id = 2",
        "UPDATE records SET role = 'check' WHERE id = 3", "UPDATE tasks SET accuracy = 'so so'",
        "UPDATE records SET accuracy = 'so so'"})
    EXPECT_THROW(Sql(wrong), SQLite::Exception) << wrong;
  Sql("UPDATE records SET role = 'check' WHERE id = 2");
}

TEST_F(AFileOfVersion1, TakesRecordsAfterwardsUnderIdsThatWereNeverUsed) {
  Sql("DELETE FROM records WHERE id = 11");
  const auto db = Open();
  const Task task = MakeTask(32);
  EXPECT_EQ(db->AddRecord(MakeRecord(task, 16, {300})).value(), 12);
  RunInfo info = MakeRun();
  info.settings = {{"cache", "cold"}};
  info.halide_version = "21.0.0";
  Record record = MakeRecord(task, 32, {300});
  record.run_id = db->StartRun(info).value();
  EXPECT_EQ(record.run_id, 4);
  EXPECT_EQ(db->RecordById(*db->AddRecord(record))->halide_version, "21.0.0");
  EXPECT_THAT(db->Records(task.Fingerprint(), nullptr, CacheMode::kCold).value(), SizeIs(2));
}

TEST_F(AFileOfVersion1, IsReadWithoutBeingChanged) {
  const std::string before = ReadFile(Path()).value();
  {
    const auto db = Open("tuning.db", Database::Mode::kReadOnly);
    ExpectWhatVersion1Held(*db);
    ExpectSettings(*db);
    EXPECT_THAT(db->AddTask(MakeTask(64)).error().message, HasSubstr("read-only"));
  }
  EXPECT_EQ(ReadFile(Path()).value(), before);
}

TEST_F(AFileOfVersion1, IsReadInAReadOnlyDirectoryAndRefusedForWriting) {
  chmod(Path().c_str(), 0444);
  chmod(directory_.path().c_str(), 0555);
  EXPECT_EQ(InChild([&] {
              if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 99;
              const auto reader = Database::Open(Path(), Database::Mode::kReadOnly);
              if (!reader) return 1;
              const auto records = (*reader)->Records(MakeTask(32).Fingerprint());
              if (!records || records->size() != 8) return 2;
              const auto writer = Database::Open(Path());
              if (writer) return 3;
              return writer.error().message.find("read-only") == std::string::npos ? 4 : 0;
            }),
            0);
  chmod(directory_.path().c_str(), 0755);
}

TEST_F(AFileOfVersion1, GoesIntoAnotherWithItsRolesAndSettings) {
  const auto into = Open("into.db");
  const auto from = Open("tuning.db", Database::Mode::kReadOnly);
  EXPECT_EQ(MergeDatabase(*into, *from)->added, 11);
  ExpectWhatVersion1Held(*into);
  EXPECT_EQ(MergeDatabase(*into, *from)->added, 0);
}

TEST_F(AFileOfVersion1, StaysAsItIsWhenItCannotBeMigrated) {
  Sql("DROP TABLE model_tasks; DROP VIEW v_curve; ALTER TABLE records RENAME TO other");
  const std::string before = Dump();
  for (const auto mode : {Database::Mode::kReadWrite, Database::Mode::kReadOnly}) {
    const Error error = OpenError("tuning.db", mode);
    EXPECT_EQ(error.code, ErrorCode::kCorrupt);
    EXPECT_THAT(error.message, HasSubstr(Path()));
    EXPECT_EQ(Dump(), before);
  }
}

TEST_F(AFileOfVersion1, LosesNothingWhenTheProcessIsKilledWhileItMigrates) {
  const std::string before = Dump();
  EXPECT_EQ(InChild([&] {
              SQLite::Database db(Path(), SQLite::OPEN_READWRITE);
              db.exec("PRAGMA cache_size = 1");  // what changes goes to the log at once
              db.exec("BEGIN IMMEDIATE");
              Migrate(db);
              raise(SIGKILL);
              return 0;
            }),
            -SIGKILL);
  EXPECT_EQ(Dump(), before);
  ExpectWhatVersion1Held(*Open());
}

TEST_F(AFileOfVersion1, IsMigratedOnceByProcessesThatOpenItTogether) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      close(gate[1]);
      char byte = 0;
      if (read(gate[0], &byte, 1) != 0) _exit(1);
      const auto db = Database::Open(Path());
      if (!db) _exit(2);
      _exit((*db)->AddRecord(MakeRecord(MakeTask(32), 100 + i, {700})) ? 0 : 3);
    }
    children.push_back(child);
  }
  close(gate[0]);
  close(gate[1]);  // all start now
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto db = Open();
  EXPECT_THAT(Cells(*db, "SELECT COUNT(*) FROM records"), ElementsAre("15"));
  EXPECT_THAT(Cells(*db, "SELECT COUNT(*) FROM records WHERE role = 'final'"), ElementsAre("2"));
  EXPECT_THAT(db->Check().value(), IsEmpty());
}

TEST_F(AFileOfVersion1, KeepsTablesAndViewsThatAUserAdded) {
  Sql("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine'); "
      "CREATE VIEW slow AS SELECT id FROM records WHERE median_ns > 1000");
  EXPECT_THAT(Cells(*Open(), "SELECT text FROM notes"), ElementsAre("mine"));
  EXPECT_THAT(Cells(*Open(), "SELECT id FROM slow"), ElementsAre("8"));
}

}  // namespace
}  // namespace whet
