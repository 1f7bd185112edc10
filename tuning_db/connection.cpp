#include "tuning_db/connection.h"

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tuning_db/migrations.h"
#include "tuning_db/schema.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

using Connection = std::unique_ptr<SQLite::Database>;

// Names that SQLite would read as something else than a file (":memory:") become plain relative
// paths.
std::string FileName(const std::string& path) { return path.front() == '/' ? path : "./" + path; }

// The file as SQLite's URI that promises nobody writes to it.
std::string ImmutableUri(const std::string& path) {
  std::string uri = "file:";
  for (char c : fs::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<int>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

Status CheckPath(const std::string& path, Database::Mode mode) {
  if (path.empty())
    return Fail(ErrorCode::kInvalidInput, "the name of the database is empty; name a file");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    return Fail(ErrorCode::kInvalidInput, "{}: this is a directory; name a file", path);
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return Fail(ErrorCode::kInvalidInput, "{}: this is not a regular file", path);
  }
  if (fs::exists(status)) {
    if (access(path.c_str(), R_OK) == 0) return {};
    return Fail(ErrorCode::kIo, "{}: the file cannot be read: {}", path, std::strerror(errno));
  }
  if (mode == Database::Mode::kReadOnly) {
    return Fail(ErrorCode::kNotFound, "{}: there is no such file; `whet tune --db {}` makes one",
                path, path);
  }
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty() && !fs::is_directory(parent, error)) {
    return Fail(ErrorCode::kIo,
                "{}: there is no directory '{}'; make it first or name another file", path,
                parent.string());
  }
  const std::string directory = parent.empty() ? "." : parent.string();
  if (access(directory.c_str(), W_OK) != 0) {
    return Fail(ErrorCode::kIo, "{}: the file cannot be made in '{}': {}", path, directory,
                std::strerror(errno));
  }
  return {};
}

// Nobody can be writing to the file as far as we can tell, and we cannot make what WAL needs beside
// it.
bool LiesInReadOnlyDirectory(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  if (access(parent.empty() ? "." : parent.c_str(), W_OK) == 0) return false;
  for (const char* log : {"-wal", "-journal"}) {
    std::error_code error;
    const uintmax_t bytes = fs::file_size(path + log, error);
    if (!error && bytes > 0) return false;
  }
  return true;
}

Connection Connect(const std::string& name, int flags, int busy_timeout_ms) {
  auto db = std::make_unique<SQLite::Database>(name, flags, busy_timeout_ms);
  // The file may come from anywhere: it cannot make SQLite run functions with side effects, and
  // damaged pages are noticed early.
  sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  db->exec("PRAGMA cell_size_check = ON");
  db->exec("PRAGMA foreign_keys = ON");
  return db;
}

enum class Found { kEmpty, kEarlier, kCurrent };  // a file that we may use, by its version

Result<Found> Recognise(SQLite::Database& db, const std::string& path) {
  const int application_id = db.execAndGet("PRAGMA application_id").getInt();
  const int version = VersionOf(db);
  const int64_t objects = db.execAndGet("SELECT COUNT(*) FROM sqlite_schema").getInt64();
  if (application_id == 0 && version == 0 && objects == 0) return Found::kEmpty;
  if (application_id != kApplicationId) {
    return Fail(
        ErrorCode::kInvalidInput,
        "{}: this is an SQLite file of another program; name a tuning database or a new file",
        path);
  }
  if (version > kSchemaVersion) {
    return Fail(
        ErrorCode::kTooNew,
        "{}: written by a later version of Whet (format {}; this one reads up to {}); update Whet",
        path, version, kSchemaVersion);
  }
  if (version < 1 || objects == 0) {
    return Fail(ErrorCode::kCorrupt, "{}: the database is damaged (format version {})", path,
                version);
  }
  return version < kSchemaVersion ? Found::kEarlier : Found::kCurrent;
}

// The same from one state of the file: another process may be making it just now.
Result<Found> RecogniseInOneState(SQLite::Database& db, const std::string& path) {
  const SQLite::Transaction snapshot(db, SQLite::TransactionBehavior::DEFERRED);
  return Recognise(db, path);
}

// Gives the file this version's schema, all at once or not at all.
Status BringUpToDate(SQLite::Database& db, const std::string& path) {
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  // Another process may have done it in the meantime.
  ASSIGN_OR_RETURN(const Found found, Recognise(db, path));
  if (found == Found::kCurrent) return {};
  if (found == Found::kEarlier) {
    Migrate(db);
  } else {
    db.exec(TablesSql());
    db.exec(ViewsSql());
    db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    db.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  }
  transaction.commit();
  return {};
}

// Runs `work` again while another process holds the lock: changing the journal mode does not wait
// by itself.
template <typename Work>
void RetryWhileBusy(int busy_timeout_ms, Work&& work) {
  using Time = std::chrono::steady_clock;
  const auto deadline = Time::now() + std::chrono::milliseconds(busy_timeout_ms);
  for (;;) {
    try {
      return work();
    } catch (const SQLite::Exception& exception) {
      if ((exception.getErrorCode() & 0xff) != SQLITE_BUSY || Time::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

// What a reader sees of a file of an earlier version: a copy in memory, brought up to date. The
// file stays as it is.
Connection MigratedCopy(SQLite::Database& file, int busy_timeout_ms) {
  Connection copy = Connect(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 0);
  RetryWhileBusy(busy_timeout_ms, [&] {
    const int code = SQLite::Backup(*copy, file).executeStep();
    if (code != SQLITE_DONE) throw SQLite::Exception("the file cannot be copied", code);
  });
  SQLite::Transaction transaction(*copy);
  Migrate(*copy);
  transaction.commit();
  return copy;
}

// A commit survives the death of the process with synchronous=NORMAL: it is in the operating
// system's hands. Only a power cut may take back the last commits, and it never damages the file.
// FULL would cost an fsync for every record.
void SetJournal(SQLite::Database& db, int busy_timeout_ms) {
  RetryWhileBusy(busy_timeout_ms, [&] {
    std::string mode;
    try {
      mode = db.execAndGet("PRAGMA journal_mode = WAL").getString();
    } catch (const SQLite::Exception& exception) {
      const int code = exception.getErrorCode() & 0xff;
      if (code != SQLITE_CANTOPEN && code != SQLITE_IOERR) throw;
    }
    // WAL wants memory shared between processes, which some network file systems do not have.
    if (mode != "wal") db.exec("PRAGMA journal_mode = DELETE");
  });
  db.exec("PRAGMA synchronous = NORMAL");
}

Result<Connection> OpenForWriting(const std::string& path, int busy_timeout_ms) {
  Connection db;
  const auto guarded = [&](auto&& work) { return Guarded(path, db.get(), work); };
  RETURN_IF_ERROR(guarded([&]() -> Status {
    db = Connect(FileName(path), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_timeout_ms);
    return {};
  }));
  RETURN_IF_ERROR(guarded([&]() -> Status {
    ASSIGN_OR_RETURN(const Found found, RecogniseInOneState(*db, path));
    if (sqlite3_db_readonly(db->getHandle(), "main") == 1) {
      return tl::unexpected<Error>(ErrorFromSqlite(path, SQLITE_READONLY, 0, ""));
    }
    SetJournal(*db, busy_timeout_ms);
    return found == Found::kCurrent ? Status() : BringUpToDate(*db, path);
  }));
  return db;
}

// The file may have been left by a killed process, with commits still in its write-ahead log.
// Reading them takes write access to the directory; without it the file alone is read, provided
// that there is no log.
Result<Connection> OpenForReading(const std::string& path, int busy_timeout_ms) {
  Connection db;
  const auto open = [&](const std::string& name, int flags) {
    db.reset();
    return Guarded(path, nullptr, [&]() -> Status {
      db = Connect(name, flags, busy_timeout_ms);
      return {};
    });
  };
  const auto check = [&] {
    return Guarded(path, db.get(), [&]() -> Status {
      ASSIGN_OR_RETURN(const Found found, RecogniseInOneState(*db, path));
      if (found == Found::kEmpty) {
        return Fail(ErrorCode::kNotFound, "{}: the file is empty; `whet tune --db {}` fills it",
                    path, path);
      }
      Connection copy;
      if (found == Found::kEarlier) copy = MigratedCopy(*db, busy_timeout_ms);
      (copy ? copy : db)->exec("PRAGMA query_only = ON");
      if (copy) db = std::move(copy);  // last: an error is that of the connection that made it
      return {};
    });
  };
  Status status = open(FileName(path), SQLite::OPEN_READWRITE);
  if (status) status = check();
  if (!status && status.error().code == ErrorCode::kIo && LiesInReadOnlyDirectory(path)) {
    RETURN_IF_ERROR(open(ImmutableUri(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI));
    status = check();
  }
  RETURN_IF_ERROR(status);
  return db;
}

}  // namespace

Result<Connection> OpenConnection(const std::string& path, Database::Mode mode,
                                  int busy_timeout_ms) {
  RETURN_IF_ERROR(CheckPath(path, mode));
  return mode == Database::Mode::kReadWrite ? OpenForWriting(path, busy_timeout_ms)
                                            : OpenForReading(path, busy_timeout_ms);
}

}  // namespace whet
