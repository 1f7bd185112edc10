#include "tuning_db/sqlite_error.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace whet {
namespace {

std::string Reason(int system_errno, const std::string& detail) {
  return system_errno != 0 ? std::strerror(system_errno) : detail;
}

bool IsFull(int code, int system_errno) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  // A file-size limit or a quota comes as a plain write error. Rolling back forgets the system's
  // reason: a write that failed without one is taken for that.
  if ((code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE) && system_errno == 0)
    return true;
  return (code & 0xff) == SQLITE_IOERR &&
         (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG);
}

}  // namespace

Error ErrorFromSqlite(const std::string& path, int code, int system_errno,
                      const std::string& detail) {
  const auto error = [](ErrorCode error_code, std::string message) {
    return Error{error_code, std::move(message)};
  };
  if (IsFull(code, system_errno)) {
    return error(ErrorCode::kIo,
                 fmt::format("{}: the disk is full or the file may not grow; what was committed "
                             "before is kept, the last change is not stored",
                             path));
  }
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      return error(
          ErrorCode::kCorrupt,
          fmt::format("{}: this is not a tuning database, nor any other SQLite file", path));
    case SQLITE_CORRUPT:
      return error(
          ErrorCode::kCorrupt,
          fmt::format("{}: the database is damaged ({}); `sqlite3 {} .recover` may save what "
                      "is left of it",
                      path, detail, path));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return error(
          ErrorCode::kIo,
          fmt::format("{}: another process keeps the database locked; wait for it or stop it, "
                      "then try again",
                      path));
    case SQLITE_READONLY:
      return error(ErrorCode::kIo,
                   fmt::format("{}: the file or its directory is read-only; make both writable or "
                               "name another file",
                               path));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return error(ErrorCode::kIo, fmt::format("{}: the database cannot be opened: {}", path,
                                               Reason(system_errno, detail)));
    case SQLITE_IOERR:
      return error(ErrorCode::kIo, fmt::format("{}: reading or writing the database failed: {}",
                                               path, Reason(system_errno, detail)));
    case SQLITE_NOMEM:
      return error(ErrorCode::kIo, fmt::format("{}: not enough memory to use the database", path));
    case SQLITE_TOOBIG:
      return error(ErrorCode::kInvalidInput,
                   fmt::format("{}: a value is larger than SQLite stores (1 GB)", path));
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:
      // Our own statements are fixed, so one that does not compile means that tables were changed.
      return error(
          ErrorCode::kCorrupt,
          fmt::format("{}: its tables are not those of a tuning database ({})", path, detail));
    default:
      return error(ErrorCode::kInternal,
                   fmt::format("{}: SQLite error {}: {}", path, code, detail));
  }
}

Error ErrorFromSqlite(const std::string& path, const SQLite::Database* db,
                      const SQLite::Exception& exception) {
  const int extended = exception.getExtendedErrorCode();
  const int code = extended > 0 ? extended : exception.getErrorCode();
  const int system_errno = db != nullptr ? sqlite3_system_errno(db->getHandle()) : 0;
  return ErrorFromSqlite(path, code, system_errno, exception.what());
}

}  // namespace whet
