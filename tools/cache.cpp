// `whet cache`: the kernels on disk that were compiled and checked before.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>

#include "base/cpu.h"
#include "base/table.h"
#include "driver/kernel_cache.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct CacheOptions {
  std::string json;
  int64_t limit = 20;
};

std::string UtcOf(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string Megabytes(int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

Result<KernelCache> OpenCache() {
  ASSIGN_OR_RETURN(KernelCache cache, KernelCache::OfUser());
  if (!cache.directory().empty()) return cache;
  return Fail(ErrorCode::kNotFound,
              "there is no place for a cache: set WHET_CACHE_DIR, XDG_CACHE_HOME or HOME");
}

Result<int> ListCache(const CacheOptions& options) {
  ASSIGN_OR_RETURN(const KernelCache cache, OpenCache());
  ASSIGN_OR_RETURN(const std::vector<CacheRow> rows, cache.List());
  int64_t bytes = 0, kernels = 0, refused = 0;
  for (const CacheRow& row : rows) {
    bytes += row.bytes;
    kernels += row.kind == "kernel";
    refused += row.kind == "kernel" && row.verdict != "right" && row.verdict != "unchecked";
  }
  Table table({"key", "kind", "verdict", "bytes", "used", "target", "task"});
  Json list = Json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    const CacheRow& row = rows[i];
    if (options.limit == 0 || static_cast<int64_t>(i) < options.limit) {
      table.AddRow({row.key.substr(0, 8), row.kind, row.verdict.empty() ? "-" : row.verdict,
                    std::to_string(row.bytes), UtcOf(row.used), row.target, row.task});
    }
    list.push_back({{"key", row.key},
                    {"kind", row.kind},
                    {"verdict", row.verdict.empty() ? Json() : Json(row.verdict)},
                    {"bytes", row.bytes},
                    {"used", UtcOf(row.used)},
                    {"target", row.target},
                    {"task", row.task}});
  }
  if (!rows.empty()) std::printf("%s\n", table.ToString().c_str());
  std::printf("%s: %zu entries, %lld kernels, %lld of them refused; %s of at most %s\n",
              cache.directory().c_str(), rows.size(), static_cast<long long>(kernels),
              static_cast<long long>(refused), Megabytes(bytes).c_str(),
              Megabytes(cache.limit_bytes()).c_str());
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(AllowedCpuCount())},
                                             {"directory", cache.directory().string()},
                                             {"limit_bytes", cache.limit_bytes()},
                                             {"bytes", bytes},
                                             {"entries", std::move(list)}}));
  }
  return 0;
}

Result<int> ClearCache() {
  ASSIGN_OR_RETURN(const KernelCache cache, OpenCache());
  ASSIGN_OR_RETURN(const auto removed, cache.Clear());
  std::printf("%s: %lld entries removed, %s\n", cache.directory().c_str(),
              static_cast<long long>(removed.first), Megabytes(removed.second).c_str());
  return 0;
}

}  // namespace

void AddCacheOption(CLI::App* verb, bool* use_cache) {
  verb->add_flag("!--no-cache", *use_cache,
                 "compile and check every kernel anew; without it, what was compiled and checked "
                 "before comes\nfrom the cache (whet cache --help)");
}

void RegisterCache(CLI::App& app, int* exit_code) {
  CLI::App* verb = app.add_subcommand(
      "cache", "kernels on disk that were compiled and checked before: list, clear");
  verb->require_subcommand(1);
  verb->footer(
      "Kernels lie in WHET_CACHE_DIR, else in whet/ of XDG_CACHE_HOME, else in ~/.cache/whet, at "
      "most\nWHET_CACHE_SIZE of them (500M, 2G; default 1G): those used longest ago go first. Any "
      "number of\nprocesses may share it. An entry serves the very program that made it.\n"
      "Examples:\n  whet cache list --limit 0\n  whet cache clear");
  auto options = std::make_shared<CacheOptions>();
  CLI::App* list = verb->add_subcommand("list", "what is in it, the latest used first");
  list->add_option("--limit", options->limit, "at most so many rows; 0: all (default: 20)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  list->add_option("--json", options->json, "also write all entries as JSON to this file")
      ->type_name("FILE");
  list->footer("Example:\n  whet cache list --json cache.json");
  list->callback([options, exit_code] {
    const auto result = ListCache(*options);
    *exit_code = result ? *result : Report(result.error());
  });
  CLI::App* clear = verb->add_subcommand("clear", "remove all of it");
  clear->footer("Example:\n  whet cache clear");
  clear->callback([exit_code] {
    const auto result = ClearCache();
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
