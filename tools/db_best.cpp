// `whet db best`: the winner of each task.
#include <algorithm>
#include <iostream>
#include <map>

#include "base/table.h"
#include "tools/db_verbs.h"

namespace whet {
namespace {

struct BestOptions : DbOptions {
  std::string task, model, target;
  int64_t limit = 0;
};

// A task with how often the model uses it; 0 without a model.
struct Line {
  TaskRow row;
  int uses = 0;
};

// What one run of the network spends in its kernels.
struct Sum {
  double best_ms = 0, default_ms = 0;
  int64_t kernels = 0, missing = 0;
};

std::map<std::string, Sum> SumByTarget(const std::vector<Line>& lines) {
  std::map<std::string, Sum> sums;
  for (const Line& line : lines) {
    Sum& sum = sums[line.row.task.target];
    sum.kernels += line.uses;
    if (line.row.best_ms <= 0 || line.row.default_ms <= 0) {
      sum.missing += line.uses;
      continue;
    }
    sum.best_ms += line.uses * line.row.best_ms;
    sum.default_ms += line.uses * line.row.default_ms;
  }
  return sums;
}

Result<std::vector<Line>> Select(const Database& database, const BestOptions& options,
                                 int64_t* skipped) {
  ASSIGN_OR_RETURN(std::vector<TaskRow> rows, database.Tasks(skipped));
  std::map<std::string, int> uses;
  if (!options.model.empty()) {
    ASSIGN_OR_RETURN(const ModelRow model, database.FindModel(options.model));
    uses.insert(model.task_uses.begin(), model.task_uses.end());
  }
  std::vector<Line> lines;
  for (TaskRow& row : rows) {
    if (!row.fingerprint.starts_with(options.task)) continue;
    if (!options.target.empty() && row.task.target != options.target) continue;
    const auto use = uses.find(row.fingerprint);
    if (!options.model.empty() && use == uses.end()) continue;
    lines.push_back({.row = std::move(row), .uses = use == uses.end() ? 0 : use->second});
  }
  if (lines.empty() && !options.task.empty()) {
    return Fail(ErrorCode::kNotFound,
                "{}: no task's fingerprint starts with '{}'; `whet db list` shows them", options.db,
                options.task);
  }
  if (lines.empty() && !options.target.empty()) {
    return Fail(ErrorCode::kNotFound,
                "{}: no such task is for target '{}'; `whet db list` shows the targets", options.db,
                options.target);
  }
  return lines;
}

Json LineToJson(const Line& line, bool with_uses) {
  const TaskRow& row = line.row;
  Json json = {{"fingerprint", row.fingerprint},
               {"describe", row.describe},
               {"target", row.task.target},
               {"accuracy", Name(row.task.accuracy)},
               {"trials", row.trials},
               {"failed", row.failed},
               {"best_ms", NumberOrNull(row.best_ms)},
               {"default_ms", NumberOrNull(row.default_ms)},
               {"speedup", NumberOrNull(row.Speedup())},
               {"gflops", NumberOrNull(row.gflops)},
               {"best_record", row.best_record > 0 ? Json(row.best_record) : Json()}};
  if (with_uses) json["uses"] = line.uses;
  return json;
}

void PrintTable(std::vector<Line> lines, int64_t limit, bool with_uses, bool with_target) {
  const size_t all = lines.size();
  if (limit > 0 && all > static_cast<size_t>(limit)) {
    // Where tuning gained most.
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
      return a.row.Speedup() > b.row.Speedup();
    });
    lines.resize(static_cast<size_t>(limit));
  }
  std::vector<std::string> headers = {"task",     "kernel",  "best ms", "default ms",
                                      "speed-up", "GFLOP/s", "trials",  "record"};
  if (with_uses) headers.insert(headers.begin() + 2, "uses");
  if (with_target) headers.push_back("target");
  Table table(headers);
  for (const Line& line : lines) {
    const TaskRow& row = line.row;
    std::vector<std::string> cells = {
        ShortFingerprint(row.fingerprint),
        KernelLabel(row),
        Milliseconds(row.best_ms),
        Milliseconds(row.default_ms),
        row.Speedup() > 0 ? fmt::format("{:.2f}", row.Speedup()) : "-",
        row.gflops > 0 ? fmt::format("{:.1f}", row.gflops) : "-",
        std::to_string(row.trials),
        row.best_record > 0 ? std::to_string(row.best_record) : "-"};
    if (with_uses) cells.insert(cells.begin() + 2, std::to_string(line.uses));
    if (with_target) cells.push_back(row.task.target);
    table.AddRow(std::move(cells));
  }
  std::cout << table.ToString();
  if (lines.size() < all)
    std::cout << fmt::format("(the {} of {} with the largest speed-up; --limit 0 shows all)\n",
                             lines.size(), Plural(static_cast<int64_t>(all), "task"));
}

Result<int> Best(const BestOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  int64_t skipped = 0;
  ASSIGN_OR_RETURN(const std::vector<Line> lines, Select(*database, options, &skipped));
  const bool with_uses = !options.model.empty();
  const std::map<std::string, Sum> sums = SumByTarget(lines);
  if (options.wants_json()) {
    Json json = {{"tasks", Json::array()}, {"skipped", skipped}};
    for (const Line& line : lines) json["tasks"].push_back(LineToJson(line, with_uses));
    if (with_uses) {
      for (const auto& [target, sum] : sums) {
        json["model"][target] = {{"best_ms", NumberOrNull(sum.best_ms)},
                                 {"default_ms", NumberOrNull(sum.default_ms)},
                                 {"kernels", sum.kernels},
                                 {"kernels_without_times", sum.missing}};
      }
    }
    RETURN_IF_ERROR(WriteAnswer(*database, options, std::move(json)));
    return 0;
  }
  if (lines.empty()) {
    std::cout << options.db << " holds no task yet; `whet tune --db " << options.db
              << "` adds some\n";
  } else {
    PrintTable(lines, options.limit, with_uses, sums.size() > 1);
  }
  for (const auto& [target, sum] : sums) {
    if (!with_uses) break;
    std::cout << fmt::format("\nall kernels, {}: {} ms tuned, {} ms by default, {}\n", target,
                             Milliseconds(sum.best_ms), Milliseconds(sum.default_ms),
                             Ratio(sum.best_ms > 0 ? sum.default_ms / sum.best_ms : 0));
    if (sum.missing > 0)
      std::cout << fmt::format("({} of {} have no time yet)\n", sum.missing, sum.kernels);
  }
  if (skipped > 0)
    std::cout << fmt::format("\n({} left out: `whet db check` says why)\n",
                             Plural(skipped, "task"));
  return 0;
}

}  // namespace

void AddBestVerb(DbVerbs& verbs) {
  auto options = std::make_shared<BestOptions>();
  CLI::App* verb = verbs.Add("best", "The winner of each task, against its default schedule",
                             "Times are medians in milliseconds; speed-up is default / best.\n"
                             "Example: whet db best --db tuning.db --model resnet18",
                             options, [options] { return Best(*options); });
  verb->add_option("task", options->task, "Only tasks whose fingerprint starts so")
      ->type_name("TASK");
  verb->add_option("--model", options->model,
                   "Only the tasks of this model: a name or a fingerprint's beginning");
  verb->add_option("--target", options->target, "Only tasks of this target");
  verb->add_option("--limit", options->limit,
                   "Rows at most, those with the largest speed-up; 0: all (default)");
}

}  // namespace whet
