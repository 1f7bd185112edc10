// What goes wrong around the file: killed processes, damaged bytes, locks, full disks, missing
// rights.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <set>

#include "base/rng.h"
#include "tests/tuning_db/test_database.h"
#include "tuning_db/schema.h"
#include "tuning_db/sqlite_error.h"

namespace whet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uid_t kNobody = 65534;

class FaultyDatabase : public TestDatabase {
 protected:
  void WriteFile(const std::string& name, const std::string& bytes) {
    ASSERT_OK(WriteFileAtomically(Path(name), bytes));
  }

  // Runs one statement on the file without Whet's checks.
  void Sql(const std::string& sql) {
    SQLite::Database db(Path(), SQLite::OPEN_READWRITE);
    db.exec(sql);
  }

  void Fill(int records) {
    auto db = Open();
    const Task task = MakeTask(32);
    ASSERT_OK(db->AddTask(task));
    ASSERT_OK(db->AddModel("f00d", "net", {{task.Fingerprint(), 2}}));
    const int64_t run = db->StartRun(MakeRun()).value();
    for (int i = 1; i <= records; ++i) {
      Record record = i % 5 == 0 ? MakeFailure(task, i, MeasureStatus::kRunCrash, "signal 11")
                                 : MakeRecord(task, i, {1000 + i, 1001 + i, 999 + i});
      record.run_id = run;
      ASSERT_OK(db->AddRecord(record));
    }
  }

  // What a rightless user sees; a super-user has every right.
  int AsNobody(const std::function<int()>& work) {
    return InChild([&] {
      if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 99;
      return work();
    });
  }
};

// Adds `count` records with factors from `first`, or endlessly; after each commit its id goes to
// `fd`.
int CommitRecords(const std::string& path, const Task& task,
                  const std::function<Record(int64_t)>& make, int64_t first, int64_t count,
                  int fd) {
  auto db = Database::Open(path);
  if (!db || !(*db)->AddTask(task)) return 1;
  for (int64_t i = first; count == 0 || i < first + count; ++i) {
    const Result<int64_t> id = (*db)->AddRecord(make(i));
    if (!id) return 2;
    if (fd >= 0 && write(fd, &*id, sizeof(*id)) != sizeof(*id)) return 3;
  }
  return 0;
}

TEST_F(FaultyDatabase, HasEveryAcknowledgedRecordAfterKill9) {
  const Task task = MakeTask(32);
  std::set<int64_t> acknowledged;
  for (int round = 0; round < 3; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipe_fds[0]);
      _exit(CommitRecords(
          Path(), task, [&](int64_t i) { return MakeRecord(task, i, {1000 + i}); },
          1 + round * 100000, 0, pipe_fds[1]));
    }
    close(pipe_fds[1]);
    int64_t id = 0;
    for (int i = 0; i < 100 && read(pipe_fds[0], &id, sizeof(id)) == sizeof(id); ++i)
      acknowledged.insert(id);
    kill(child, SIGKILL);
    while (read(pipe_fds[0], &id, sizeof(id)) == sizeof(id)) acknowledged.insert(id);
    close(pipe_fds[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child stopped by itself, with " << WEXITSTATUS(status);
  }
  EXPECT_GE(acknowledged.size(), 300u);
  // Reading comes first: it must see what is still in the log.
  for (const auto mode : {Database::Mode::kReadOnly, Database::Mode::kReadWrite}) {
    auto db = Open("tuning.db", mode);
    std::set<int64_t> found;
    const std::vector<Record> records = db->Records(task.Fingerprint()).value();
    for (const Record& record : records) found.insert(record.id);
    for (int64_t id : acknowledged)
      EXPECT_TRUE(found.contains(id)) << "record " << id << " is lost";
    EXPECT_THAT(db->Check().value(), IsEmpty());
  }
}

TEST_F(FaultyDatabase, TakesRecordsOfSeveralProcessesAtOnce) {
  const Task task = MakeTask(32);
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      _exit(CommitRecords(
          Path(), task, [&](int64_t n) { return MakeRecord(task, n, {n}); }, 1 + i * 1000, 100,
          -1));
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  auto db = Open();
  EXPECT_THAT(db->Records(task.Fingerprint()).value(), SizeIs(300));
  EXPECT_THAT(db->Tasks().value(), SizeIs(1));
  EXPECT_THAT(db->Check().value(), IsEmpty());
}

// Everything that reads and writes; errors are fine as long as they name the file, crashes are not.
void UseEverything(const std::string& path, const Task& task, const Record& record) {
  for (const auto mode : {Database::Mode::kReadOnly, Database::Mode::kReadWrite}) {
    auto opened = Database::Open(path, mode, {.busy_timeout_ms = 100});
    if (!opened) {
      EXPECT_THAT(opened.error().message, HasSubstr(path));
      EXPECT_NE(opened.error().code, ErrorCode::kInternal) << opened.error().message;
      continue;
    }
    const auto& db = *opened;
    const auto use = [&](const auto& result) {
      if (!result) {
        EXPECT_THAT(result.error().message, testing::Not(IsEmpty()));
      }
    };
    int64_t skipped = 0;
    use(db->Records(task.Fingerprint(), &skipped));
    use(db->Best(task.Fingerprint()));
    use(db->Tasks());
    use(db->Curve(task.Fingerprint()));
    use(db->Runs());
    use(db->Models());
    use(db->Totals());
    use(db->Check());
    use(db->Query("SELECT * FROM v_failures"));
    use(db->LatestCostModel(task.target));
    if (mode == Database::Mode::kReadOnly) continue;
    use(db->AddTask(task));
    use(db->AddRecord(record));
  }
}

TEST_F(FaultyDatabase, SurvivesRandomDamage) {
  Fill(60);
  const std::string sound = ReadFile(Path()).value();
  const Task task = MakeTask(32);
  const Record record = MakeRecord(task, 7, {10});
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    std::string bytes = sound;
    const int64_t hits = 1 + rng.Below(40);
    for (int64_t i = 0; i < hits; ++i) {
      // Headers of pages are hit more often than the texts that fill most of the file.
      const int64_t at =
          rng.Chance(0.5)
              ? rng.Below(static_cast<int64_t>(bytes.size()) / 4096) * 4096 + rng.Below(16)
              : rng.Below(static_cast<int64_t>(bytes.size()));
      bytes[at] = static_cast<char>(rng.Next());
    }
    if (rng.Chance(0.2)) bytes.resize(rng.Below(static_cast<int64_t>(bytes.size())));
    const std::string name = "damaged" + std::to_string(seed) + ".db";
    WriteFile(name, bytes);
    UseEverything(Path(name), task, record);
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(Path(name) + suffix);
  }
}

TEST_F(FaultyDatabase, SkipsAndCountsRowsThatDoNotParse) {
  Fill(10);
  Sql("UPDATE records SET trace = '{\"half' WHERE id = 1");
  Sql("UPDATE records SET trace = '{\"directives\": 3}' WHERE id = 2");
  Sql("UPDATE records SET samples_ns = '[\"fast\"]' WHERE id = 3");
  Sql("UPDATE records SET status = 'odd' WHERE id = 5");
  auto db = Open();
  const std::string task = MakeTask(32).Fingerprint();
  int64_t skipped = 0;
  EXPECT_THAT(db->Records(task, &skipped).value(), SizeIs(6));
  EXPECT_EQ(skipped, 4);
  EXPECT_EQ(db->Best(task).value()->id, 4);  // the fastest three do not parse
  EXPECT_THAT(db->RecordById(1).error().message,
              AllOf(HasSubstr(Path()), HasSubstr("record 1 does not parse")));
  EXPECT_THAT(db->Check().value(), SizeIs(4));
  EXPECT_TRUE(db->Totals());

  Sql("UPDATE tasks SET json = replace(json, '16', '17')");  // another task under the old
                                                             // fingerprint
  EXPECT_THAT(db->Tasks(&skipped).value(), IsEmpty());
  EXPECT_EQ(skipped, 1);
  EXPECT_THAT(db->TasksOfTarget(MakeTask(32).target).value(), IsEmpty());
  EXPECT_EQ(db->TaskByFingerprint(task).error().code, ErrorCode::kCorrupt);
}

TEST_F(FaultyDatabase, RefusesAFileThatIsNotADatabase) {
  WriteFile("notes.db", "these are notes, and more of them than SQLite's header has bytes: " +
                            std::string(200, 'x'));
  const Error error = OpenError("notes.db");
  EXPECT_EQ(error.code, ErrorCode::kCorrupt);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr(Path("notes.db")), HasSubstr("not a tuning database")));
}

TEST_F(FaultyDatabase, RefusesTheSqliteFileOfAnotherProgramAndLeavesItAsItWas) {
  {
    SQLite::Database other(Path("other.db"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE songs (title)");
  }
  const std::string before = ReadFile(Path("other.db")).value();
  const Error error = OpenError("other.db");
  EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message, HasSubstr("another program"));
  EXPECT_EQ(ReadFile(Path("other.db")).value(), before);
}

TEST_F(FaultyDatabase, RefusesAFileOfALaterVersion) {
  Fill(1);
  Sql(fmt::format("PRAGMA user_version = {}", kSchemaVersion + 1));
  for (const auto mode : {Database::Mode::kReadOnly, Database::Mode::kReadWrite}) {
    const Error error = OpenError("tuning.db", mode);
    EXPECT_EQ(error.code, ErrorCode::kTooNew);
    EXPECT_THAT(error.message, AllOf(HasSubstr(Path()), HasSubstr("later version"),
                                     HasSubstr(fmt::format("format {}", kSchemaVersion + 1))));
  }
}

TEST_F(FaultyDatabase, SaysWhichDirectoryIsMissing) {
  const Error error = OpenError("nowhere/tuning.db");
  EXPECT_EQ(error.code, ErrorCode::kIo);
  EXPECT_THAT(error.message, HasSubstr("there is no directory '" + Path("nowhere") + "'"));
}

TEST_F(FaultyDatabase, SaysHowToMakeTheFileThatAReaderMisses) {
  const Error error = OpenError("tuning.db", Database::Mode::kReadOnly);
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message,
              testing::EndsWith("tuning.db: there is no such file; `whet tune --db " + Path() +
                                "` makes one"));
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

TEST_F(FaultyDatabase, RefusesADirectory) {
  std::filesystem::create_directory(Path("folder"));
  EXPECT_THAT(OpenError("folder").message, HasSubstr("is a directory"));
}

TEST_F(FaultyDatabase, FillsAnEmptyFileAndTakesNamesLiterally) {
  WriteFile("empty.db", "");
  EXPECT_THAT(OpenError("empty.db", Database::Mode::kReadOnly).message,
              HasSubstr("the file is empty"));
  EXPECT_THAT(Open("empty.db")->Tasks().value(), IsEmpty());
  EXPECT_NE(Open("file:odd?name%41#.db"), nullptr);
  EXPECT_TRUE(std::filesystem::exists(Path("file:odd?name%41#.db")));
}

TEST_F(FaultyDatabase, ReadsAFileInAReadOnlyDirectoryAndRefusesToWriteIt) {
  Fill(3);
  chmod(Path().c_str(), 0444);
  chmod(directory_.path().c_str(), 0555);
  EXPECT_EQ(AsNobody([&] {
              auto reader = Database::Open(Path(), Database::Mode::kReadOnly);
              if (!reader) return 1;
              const auto records = (*reader)->Records(MakeTask(32).Fingerprint());
              if (!records || records->size() != 3) return 2;
              auto writer = Database::Open(Path());
              if (writer) return 3;
              if (writer.error().code != ErrorCode::kIo) return 4;
              if (writer.error().message.find("read-only") == std::string::npos) return 5;
              auto fresh = Database::Open(Path("new.db"));
              if (fresh || fresh.error().message.find("cannot be made") == std::string::npos)
                return 6;
              return 0;
            }),
            0);
  chmod(directory_.path().c_str(), 0755);
}

TEST_F(FaultyDatabase, RefusesToWriteAReadOnlyFile) {
  Fill(1);
  chmod(Path().c_str(), 0444);
  chmod(directory_.path().c_str(), 0777);
  EXPECT_EQ(AsNobody([&] {
              auto writer = Database::Open(Path());
              if (writer) return 1;
              return writer.error().message.find("read-only") == std::string::npos ? 2 : 0;
            }),
            0);
  chmod(directory_.path().c_str(), 0755);
}

TEST_F(FaultyDatabase, ChangesNothingThroughAReader) {
  Fill(1);
  auto db = Open("tuning.db", Database::Mode::kReadOnly);
  const Status status = db->AddTask(MakeTask(64));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("read-only"));
  EXPECT_THAT(db->Tasks().value(), SizeIs(1));
}

TEST_F(FaultyDatabase, SaysThatTheDiskIsFullAndKeepsWhatWasCommitted) {
  const Task task = MakeTask(32);
  { ASSERT_OK(Open()->AddTask(task)); }
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  EXPECT_EQ(InChild([&] {
              signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{300'000, 300'000};
              if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
              auto db = Database::Open(Path());
              if (!db) return 2;
              for (int64_t i = 1; i < 10000; ++i) {
                const Result<int64_t> id =
                    (*db)->AddRecord(MakeRecord(task, i, std::vector<int64_t>(200, 1000 + i)));
                if (id) {
                  if (write(pipe_fds[1], &*id, sizeof(*id)) != sizeof(*id)) return 3;
                  continue;
                }
                if (id.error().message.find("disk is full") == std::string::npos) return 4;
                if (id.error().message.find(Path()) == std::string::npos) return 5;
                return 0;
              }
              return 6;
            }),
            0);
  close(pipe_fds[1]);
  std::set<int64_t> acknowledged;
  int64_t id = 0;
  while (read(pipe_fds[0], &id, sizeof(id)) == sizeof(id)) acknowledged.insert(id);
  close(pipe_fds[0]);
  EXPECT_GT(acknowledged.size(), 10u);
  auto db = Open();
  std::set<int64_t> found;
  const std::vector<Record> records = db->Records(task.Fingerprint()).value();
  for (const Record& record : records) found.insert(record.id);
  EXPECT_EQ(found, acknowledged);
  EXPECT_THAT(db->Check().value(), IsEmpty());
}

TEST_F(FaultyDatabase, SaysThatAnotherProcessHoldsTheLock) {
  Fill(1);
  SQLite::Database other(Path(), SQLite::OPEN_READWRITE);
  auto db = Database::Open(Path(), Database::Mode::kReadWrite, {.busy_timeout_ms = 20}).value();
  other.exec("BEGIN IMMEDIATE");
  const Status status = db->AddTask(MakeTask(64));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(Path()), HasSubstr("locked")));
  // Readers go on.
  EXPECT_THAT(db->Tasks().value(), SizeIs(1));
  other.exec("COMMIT");
  ASSERT_OK(db->AddTask(MakeTask(64)));
}

TEST_F(FaultyDatabase, SaysThatTheTablesAreNotOurs) {
  Fill(1);
  Sql("DROP VIEW v_tasks");
  const auto tasks = Open()->Tasks();
  ASSERT_FALSE(tasks);
  EXPECT_EQ(tasks.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(tasks.error().message, HasSubstr("not those of a tuning database"));
}

TEST_F(FaultyDatabase, HasASentenceForEveryKindOfSqliteError) {
  for (int code :
       {SQLITE_NOTADB, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_BUSY, SQLITE_READONLY, SQLITE_CANTOPEN,
        SQLITE_IOERR, SQLITE_NOMEM, SQLITE_ERROR, SQLITE_MISUSE, SQLITE_CORRUPT_VTAB}) {
    const Error error = ErrorFromSqlite("some.db", code, 0, "detail");
    EXPECT_THAT(error.message, testing::StartsWith("some.db: ")) << code;
    EXPECT_THAT(error.message, testing::Not(HasSubstr("\n"))) << code;
  }
  EXPECT_THAT(ErrorFromSqlite("some.db", SQLITE_IOERR_WRITE, EFBIG, "").message,
              HasSubstr("disk is full"));
}

}  // namespace
}  // namespace whet
