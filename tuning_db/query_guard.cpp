#include "tuning_db/query_guard.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace whet {
namespace {

// With an argument or without, these only tell.
constexpr std::array<std::string_view, 11> kTelling = {
    "table_info",      "table_xinfo", "table_list",       "index_list",
    "index_info",      "index_xinfo", "foreign_key_list", "foreign_key_check",
    "integrity_check", "quick_check", "pragma_list"};

// These tell their value; with an argument they would change it.
constexpr std::array<std::string_view, 17> kTellingWithoutValue = {
    "application_id", "user_version",   "schema_version",  "journal_mode",  "page_count",
    "page_size",      "freelist_count", "encoding",        "synchronous",   "foreign_keys",
    "busy_timeout",   "data_version",   "compile_options", "database_list", "function_list",
    "collation_list", "module_list"};

template <size_t kSize>
bool Contains(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

int Authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY
                                                                               : SQLITE_OK;
    case SQLITE_PRAGMA: {
      const std::string_view name = first != nullptr ? first : "";
      const bool tells =
          Contains(kTelling, name) || (second == nullptr && Contains(kTellingWithoutValue, name));
      return tells ? SQLITE_OK : SQLITE_DENY;
    }
    default:
      return SQLITE_DENY;
  }
}

}  // namespace

QueryGuard::QueryGuard(SQLite::Database& db) : db_(db) {
  // A table-valued function declares its columns at its first use, which the authorizer would take
  // for a new table.
  const auto use = [&](const std::string& table) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db_.getHandle(), ("SELECT 1 FROM " + table).c_str(), -1, &statement,
                       nullptr);
    sqlite3_finalize(statement);
  };
  for (const char* table : {"json_each", "json_tree"}) use(table);
  for (std::string_view name : kTelling) use("pragma_" + std::string(name));
  for (std::string_view name : kTellingWithoutValue) use("pragma_" + std::string(name));
  sqlite3_set_authorizer(db_.getHandle(), Authorize, nullptr);
}

QueryGuard::~QueryGuard() { sqlite3_set_authorizer(db_.getHandle(), nullptr, nullptr); }

}  // namespace whet
