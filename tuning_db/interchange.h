// Records as JSON Lines: one self-contained record a line, for export, import and merge.
//
// A line holds the task, the trace, the measurement and the run with its machine;
// docs/formats/database.md has the fields. Lines that do not parse are counted and skipped; the
// rest goes in, all or nothing. Thread safety: pure functions but for the database that they are
// given.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tuning_db/database.h"

namespace whet {

inline constexpr int kInterchangeVersion = 2;

struct InterchangeLine {
  Task task;
  Record record;              // id and run_id are 0
  std::optional<RunRow> run;  // without id, seconds and counts where it did not finish
};

// One line, without its newline.
std::string FormatInterchangeLine(const InterchangeLine& line);
// kCorrupt or kTooNew with what is wrong with the line.
Result<InterchangeLine> ParseInterchangeLine(std::string_view line);

struct ExportFilter {
  std::string task;        // fingerprint; empty: all
  bool best_only = false;  // the winner of each task only
};

struct ExportCounts {
  int64_t written = 0;
  int64_t skipped = 0;  // rows of the database that do not parse
};
Result<ExportCounts> ExportRecords(const Database& database, const ExportFilter& filter,
                                   std::ostream& out);

struct ImportCounts {
  int64_t added = 0;
  int64_t duplicates =
      0;  // already there: same task, directives, status, time of creation and samples
  int64_t skipped = 0;        // lines or rows that do not parse
  std::string first_problem;  // "line 17: field 'trace' is missing"; empty: none
};
// Adds the records of a stream of lines. `name` is what errors call the stream. kCorrupt where
// there are lines and none of them is a record.
Result<ImportCounts> ImportRecords(Database& into, std::istream& in, const std::string& name);
// Adds the records and the models of another database. Its models do not replace those that are
// there.
Result<ImportCounts> MergeDatabase(Database& into, const Database& from);

}  // namespace whet
