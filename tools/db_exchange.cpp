// `whet db export`, `import`, `merge` and `check`: records between databases, and whether a file is
// sound.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tools/db_verbs.h"
#include "tuning_db/interchange.h"
#include "tuning_db/schema.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

struct ExportOptions : DbOptions {
  std::string output, task;
  bool best = false;
};

struct ImportOptions : DbOptions {
  std::vector<std::string> files;
};

// Writes to a sibling first, so that a failed export leaves no half of a file.
Result<ExportCounts> ExportToFile(const Database& database, const ExportFilter& filter,
                                  const std::string& path) {
  const std::string partial = path + ".partial";
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  if (!out)
    return Fail(ErrorCode::kIo, "{}: the file cannot be written: {}", path, std::strerror(errno));
  Result<ExportCounts> counts = ExportRecords(database, filter, out);
  out.close();
  std::error_code error;
  if (counts && out) fs::rename(partial, path, error);
  if (counts && out && !error) return counts;
  std::error_code ignored;
  fs::remove(partial, ignored);
  if (!counts) return Prefixed(counts.error(), path);
  return Fail(ErrorCode::kIo, "{}: the file cannot be written: {}", path,
              error ? error.message() : "the disk may be full");
}

Result<int> Export(const ExportOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  ExportFilter filter{.best_only = options.best};
  if (!options.task.empty()) {
    ASSIGN_OR_RETURN(filter.task, FullFingerprint(*database, options.task));
  }
  const bool to_file = !options.output.empty() && options.output != "-";
  ASSIGN_OR_RETURN(const ExportCounts counts, to_file
                                                  ? ExportToFile(*database, filter, options.output)
                                                  : ExportRecords(*database, filter, std::cout));
  if (to_file && options.wants_json()) {
    RETURN_IF_ERROR(WriteAnswer(
        *database, options,
        {{"written", counts.written}, {"skipped", counts.skipped}, {"file", options.output}}));
    return 0;
  }
  // The records themselves may go to stdout.
  std::ostream& out = to_file ? std::cout : std::cerr;
  out << fmt::format("{} written{}\n", Plural(counts.written, "record"),
                     to_file ? " to " + options.output : "");
  if (counts.skipped > 0) {
    out << fmt::format("({} left out: `whet db check` says why)\n",
                       Plural(counts.skipped, "record"));
  }
  return 0;
}

Status RequireFile(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error))
    return Fail(ErrorCode::kNotFound, "{}: there is no such file", path);
  if (fs::is_directory(path, error))
    return Fail(ErrorCode::kInvalidInput, "{}: this is a directory", path);
  return {};
}

bool IsSqlite(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char magic[16] = {};
  in.read(magic, sizeof(magic));
  return in.gcount() == sizeof(magic) && std::memcmp(magic, "SQLite format 3", sizeof(magic)) == 0;
}

Result<ImportCounts> AddFile(Database& into, const std::string& path) {
  if (!IsSqlite(path)) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
      return Fail(ErrorCode::kIo, "{}: the file cannot be read: {}", path, std::strerror(errno));
    return ImportRecords(into, in, path);
  }
  std::error_code error;
  if (fs::equivalent(path, into.path(), error)) {
    return Fail(ErrorCode::kInvalidInput, "{}: a database cannot be merged into itself", path);
  }
  ASSIGN_OR_RETURN(const auto from, Database::Open(path, Database::Mode::kReadOnly));
  return MergeDatabase(into, *from);
}

Result<int> ImportInto(const ImportOptions& options) {
  ASSIGN_OR_RETURN(const auto database, Database::Open(options.db));
  Json files = Json::array();
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(const ImportCounts counts, AddFile(*database, file));
    files.push_back(
        {{"file", file},
         {"added", counts.added},
         {"duplicates", counts.duplicates},
         {"skipped", counts.skipped},
         {"first_problem", counts.first_problem.empty() ? Json() : Json(counts.first_problem)}});
    if (options.wants_json()) continue;
    std::cout << fmt::format("{}: {} added, {} there already\n", file,
                             Plural(counts.added, "record"), counts.duplicates);
    if (counts.skipped > 0) {
      std::cout << fmt::format("  {} skipped that do not parse; the first: {}\n", counts.skipped,
                               counts.first_problem);
    }
  }
  if (options.wants_json()) RETURN_IF_ERROR(WriteAnswer(*database, options, {{"files", files}}));
  return 0;
}

Result<int> Import(const ImportOptions& options) {
  for (const std::string& file : options.files) RETURN_IF_ERROR(RequireFile(file));
  std::error_code error;
  const bool existed = fs::exists(options.db, error);
  const Result<int> result = ImportInto(options);
  // A mistake leaves no empty database behind.
  if (!result && !existed && options.files.size() == 1) fs::remove(options.db, error);
  return result;
}

Result<int> CheckSound(const DbOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  ASSIGN_OR_RETURN(const std::vector<std::string> problems, database->Check());
  if (options.wants_json()) {
    RETURN_IF_ERROR(
        WriteAnswer(*database, options, {{"sound", problems.empty()}, {"problems", problems}}));
  } else if (problems.empty()) {
    ASSIGN_OR_RETURN(const DatabaseTotals totals, database->Totals());
    std::cout << fmt::format("{}: sound; format {}, {}, {}\n", options.db, kSchemaVersion,
                             Plural(totals.tasks, "task"), Plural(totals.records, "record"));
  } else {
    constexpr size_t kShown = 20;
    std::cout << fmt::format("{}: {}\n", options.db,
                             Plural(static_cast<int64_t>(problems.size()), "problem"));
    for (size_t i = 0; i < std::min(kShown, problems.size()); ++i) {
      std::cout << "  " << FirstLine(problems[i], 160) << "\n";
    }
    if (problems.size() > kShown)
      std::cout << fmt::format("  and {} more; --json has all\n", problems.size() - kShown);
  }
  return problems.empty() ? 0 : 2;
}

// A file too damaged to be opened is what was to be found out.
Result<int> Check(const DbOptions& options) {
  const Result<int> result = CheckSound(options);
  if (result || result.error().code != ErrorCode::kCorrupt) return result;
  std::cerr << "whet: " << result.error().message << "\n";
  return 2;
}

}  // namespace

void AddExportVerb(DbVerbs& verbs) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* verb = verbs.Add("export", "Records as JSON Lines, one self-contained record a line",
                             "The fields and their units are in docs/formats/database.md.\n"
                             "Example: whet db export --db tuning.db --best -o best.jsonl",
                             options, [options] { return Export(*options); });
  verb->add_option("-o,--output", options->output, "Where to; default: standard output")
      ->type_name("FILE");
  verb->add_option("--task", options->task, "Only the task whose fingerprint starts so")
      ->type_name("TASK");
  verb->add_flag("--best", options->best, "Only the winner of each task");
}

void AddImportVerbs(DbVerbs& verbs) {
  const auto add = [&verbs](const char* name, const char* description, const char* example,
                            const char* what) {
    auto options = std::make_shared<ImportOptions>();
    CLI::App* verb =
        verbs.Add(name, description, example, options, [options] { return Import(*options); });
    verb->add_option("files", options->files, what)->type_name("FILE")->required();
  };
  add("import", "Adds the records of JSON Lines files; those that are there already are skipped",
      "A file goes in as a whole or, if it cannot be read or the disk is full, not at all.\n"
      "Example: whet db import colleague.jsonl --db tuning.db",
      "Files that `whet db export` wrote");
  add("merge",
      "Adds the records and models of other databases; those that are there already are skipped",
      "A database goes in as a whole or, if it cannot be read or the disk is full, not at all.\n"
      "Example: whet db merge night.db weekend.db --db tuning.db",
      "Tuning databases, or files that `whet db export` wrote");
}

void AddCheckVerb(DbVerbs& verbs) {
  auto options = std::make_shared<DbOptions>();
  verbs.Add("check", "Reads all of the file and says whether it is sound; exit code 2 if not",
            "Checks the file's structure, references, every task, trace and sample.\n"
            "Example: whet db check --db tuning.db",
            options, [options] { return Check(*options); });
}

}  // namespace whet
