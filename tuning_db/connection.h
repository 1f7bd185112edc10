// Opening the file: is it there, is it ours, which journal, which version.
//
// The caller owns the connection. Thread safety: none.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "tuning_db/database.h"
#include "tuning_db/sqlite_error.h"

namespace whet {

// An open connection to a tuning database of this version, whose schema is there.
Result<std::unique_ptr<SQLite::Database>> OpenConnection(const std::string& path,
                                                         Database::Mode mode, int busy_timeout_ms);

}  // namespace whet
