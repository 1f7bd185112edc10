// The schema of the tuning database, version 2 (docs/formats/database.md).
//
// A later version adds a step to migrations.cpp that brings a file of this one to it; opening
// refuses what it does not know. Thread safety: constants.
#pragma once

#include <cstdint>

namespace whet {

inline constexpr int32_t kApplicationId = 0x57484554;  // "WHET", in the file's header
inline constexpr int kSchemaVersion = 2;               // PRAGMA user_version

// Statements that make every table and index in an empty file.
const char* TablesSql();
// Statements that make the views. They hold no data: a migration drops them first and makes those
// of this version at the end.
const char* ViewsSql();
const char* DropViewsSql();  // those of any version, where they are there

}  // namespace whet
