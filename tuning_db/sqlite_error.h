// SQLite's result codes and SQLiteCpp's exceptions as Errors: one sentence each, naming the file.
//
// Every function of this folder that touches SQLite runs inside Guarded, so that no exception
// leaves it. Thread safety: pure functions.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <exception>
#include <string>

#include "base/status.h"

namespace whet {

// `code`: an SQLite result code, extended or not. `system_errno`: of the failed system call, 0 if
// not known. `detail`: SQLite's own words.
Error ErrorFromSqlite(const std::string& path, int code, int system_errno,
                      const std::string& detail);

// The same from an exception; `db` may be null (it failed to open).
Error ErrorFromSqlite(const std::string& path, const SQLite::Database* db,
                      const SQLite::Exception& exception);

// Runs `work`, which returns a Result or Status; exceptions become its error.
template <typename Work>
auto Guarded(const std::string& path, const SQLite::Database* db, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& exception) {
    return tl::unexpected<Error>(ErrorFromSqlite(path, db, exception));
  } catch (const std::exception& exception) {
    return Fail(ErrorCode::kInternal, "{}: unexpected error: {}", path, exception.what());
  }
}

}  // namespace whet
