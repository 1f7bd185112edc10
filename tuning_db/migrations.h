// Brings a tuning database of an earlier version to this one: one step a version.
//
// A step's SQL is of its version for good: it never uses what a later version says of tables.
// Thread safety: none; exceptions of SQLite pass through to the caller.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

namespace whet {

// The version of the file, PRAGMA user_version.
int VersionOf(SQLite::Database& db);

// From the file's version, of 1 to kSchemaVersion - 1, to kSchemaVersion. Requires a transaction,
// which the caller commits; undone, it leaves the file as it was.
void Migrate(SQLite::Database& db);

}  // namespace whet
