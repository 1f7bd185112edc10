// What the sources of `whet db` share: one function a sub-verb, and the ways they print.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/status.h"
#include "tuning_db/database.h"

namespace whet {

struct DbOptions {
  std::string db = "tuning.db";
  std::string json;  // file; "-": standard output; empty: a table is printed
  bool wants_json() const { return !json.empty(); }
};

// A sub-verb with --db and --json. `work` runs when it was given and returns the exit code; an
// error becomes one sentence on stderr and exit code 1.
class DbVerbs {
 public:
  DbVerbs(CLI::App& db, int* exit_code) : db_(db), exit_code_(exit_code) {}
  CLI::App* Add(const std::string& name, const std::string& description, const std::string& footer,
                const std::shared_ptr<DbOptions>& options, std::function<Result<int>()> work);

 private:
  CLI::App& db_;
  int* exit_code_;
};

void AddBestVerb(DbVerbs& verbs);
void AddListVerb(DbVerbs& verbs);
void AddShowVerb(DbVerbs& verbs);
void AddQueryVerb(DbVerbs& verbs);
void AddStatsVerb(DbVerbs& verbs);
void AddCurveVerb(DbVerbs& verbs);
void AddExportVerb(DbVerbs& verbs);
void AddImportVerbs(DbVerbs& verbs);  // import and merge
void AddCheckVerb(DbVerbs& verbs);

// Opens the file for reading.
Result<std::unique_ptr<Database>> OpenToRead(const DbOptions& options);

// Writes `json`, with schema_version and context (the database, the date), where --json says.
Status WriteAnswer(const Database& database, const DbOptions& options, Json json);

// The full fingerprint of the one task that a prefix names.
Result<std::string> FullFingerprint(const Database& database, const std::string& prefix);

// What a table calls the task's kernel; a strict one says so.
std::string KernelLabel(const TaskRow& task);
std::string ShortFingerprint(const std::string& fingerprint);  // the first 8 digits
std::string Milliseconds(double ms);                           // "0.471"; "-" for 0: none
std::string Ratio(double ratio);                               // "1.82x"; "-" for 0
std::string Seconds(double seconds);  // "12.3 s", "4 min 02 s", "2 h 05 min"
std::string Bytes(int64_t bytes);     // "1.2 MiB"
std::string FirstLine(const std::string& text,
                      size_t width);  // cut to `width` with "..", controls blanked
std::string Plural(int64_t count, std::string_view noun);  // "1 task", "2 tasks"
Json NumberOrNull(double value);                           // null for 0 and what is not finite
Json TextOrNull(const std::string& text);                  // null for an empty one

}  // namespace whet
