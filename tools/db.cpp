#include "tools/db.h"

#include <sqlite3.h>

#include <cmath>
#include <iostream>

#include "base/file.h"
#include "schedules/task_label.h"
#include "tools/db_verbs.h"
#include "tuning_db/schema.h"

namespace whet {

CLI::App* DbVerbs::Add(const std::string& name, const std::string& description,
                       const std::string& footer, const std::shared_ptr<DbOptions>& options,
                       std::function<Result<int>()> work) {
  CLI::App* verb = db_.add_subcommand(name, description);
  verb->footer(footer);
  verb->add_option("--db", options->db, "The tuning database")
      ->type_name("FILE")
      ->capture_default_str();
  verb->add_option("--json", options->json,
                   "Write the answer as JSON to this file instead; - is standard output")
      ->type_name("FILE");
  verb->callback([work = std::move(work), exit_code = exit_code_] {
    const Result<int> result = work();
    *exit_code = result.value_or(1);
    if (!result) std::cerr << "whet: " << result.error().message << "\n";
  });
  return verb;
}

void RegisterDb(CLI::App& app, int* exit_code) {
  CLI::App* db = app.add_subcommand(
      "db", "Ask the tuning database: what won, by how much, what failed and why");
  db->require_subcommand(1);
  db->footer("Example: whet db best --db tuning.db");
  DbVerbs verbs(*db, exit_code);
  AddBestVerb(verbs);
  AddListVerb(verbs);
  AddShowVerb(verbs);
  AddQueryVerb(verbs);
  AddStatsVerb(verbs);
  AddCurveVerb(verbs);
  AddExportVerb(verbs);
  AddImportVerbs(verbs);
  AddCheckVerb(verbs);
}

Result<std::unique_ptr<Database>> OpenToRead(const DbOptions& options) {
  return Database::Open(options.db, Database::Mode::kReadOnly);
}

Status WriteAnswer(const Database& database, const DbOptions& options, Json json) {
  json["schema_version"] = 1;
  json["context"] = {{"database", database.path()},
                     {"database_version", kSchemaVersion},
                     {"sqlite", sqlite3_libversion()},
                     {"date", Clock::System().NowUtc()}};
  if (options.json != "-") return WriteFileAtomically(options.json, DumpJson(json, 1) + "\n");
  std::cout << DumpJson(json, 1) << "\n";
  return {};
}

Result<std::string> FullFingerprint(const Database& database, const std::string& prefix) {
  ASSIGN_OR_RETURN(const Task task, database.TaskByFingerprint(prefix));
  return task.Fingerprint();
}

std::string ShortFingerprint(const std::string& fingerprint) { return fingerprint.substr(0, 8); }

std::string Milliseconds(double ms) {
  if (ms <= 0) return "-";
  // As many digits as matter: a kernel takes from a microsecond to a second.
  return fmt::format("{:.{}f}", ms, ms < 0.1 ? 5 : ms < 10 ? 4 : 2);
}

std::string Ratio(double ratio) { return ratio <= 0 ? "-" : fmt::format("{:.2f}x", ratio); }

std::string Seconds(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 2 * 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string Bytes(int64_t bytes) {
  if (bytes < 1 << 20) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / (1 << 10));
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string FirstLine(const std::string& text, size_t width) {
  std::string line = text.substr(0, text.find('\n'));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (line.size() <= width) return line;
  size_t end = width - 2;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80)
    --end;  // not inside a character
  return line.substr(0, end) + "..";
}

std::string Plural(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string KernelLabel(const TaskRow& task) {
  const std::string label = FirstLine(ShortLabel(task.describe), kLabelWidth);
  return task.task.accuracy == Accuracy::kStrict ? label + ", strict" : label;
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json NumberOrNull(double value) {
  return value != 0 && std::isfinite(value) ? Json(value) : Json();
}

}  // namespace whet
