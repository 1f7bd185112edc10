// The schema of the tuning database, version 1 (docs/formats/database.md).
//
// A later version adds a step that migrates from the one before; opening refuses what it does not
// know. Thread safety: constants.
#pragma once

#include <cstdint>

namespace whet {

inline constexpr int32_t kApplicationId = 0x57484554;  // "WHET", in the file's header
inline constexpr int kSchemaVersion = 1;               // PRAGMA user_version

// How runs searched, by run: made with the first run that tells. RunInfo::machine carries it under
// kSettingsMember.
inline constexpr const char* kRunSettingsSql =
    "CREATE TABLE IF NOT EXISTS run_settings (run_id INTEGER PRIMARY KEY "
    "REFERENCES tuning_runs(id) ON DELETE CASCADE, json TEXT NOT NULL)";
inline constexpr const char* kSettingsMember = "search";

// Statements that make every table, index and view in an empty file, and mark it as ours.
const char* SchemaSql();

}  // namespace whet
