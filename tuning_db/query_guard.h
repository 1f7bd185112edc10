// What a user's query may do: read, and nothing else.
//
// sqlite3_stmt_readonly alone lets ATTACH (which makes files), transactions and PRAGMAs that act
// through, so an authorizer admits reading, functions, and the PRAGMAs that tell and do not change.
// Thread safety: none.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

namespace whet {

// While it lives, statements prepared on `db` can only read; the connection must outlive it.
class QueryGuard {
 public:
  explicit QueryGuard(SQLite::Database& db);
  ~QueryGuard();
  QueryGuard(const QueryGuard&) = delete;
  QueryGuard& operator=(const QueryGuard&) = delete;

 private:
  SQLite::Database& db_;
};

}  // namespace whet
