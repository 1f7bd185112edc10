#include "tools/tune_plan.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/table.h"
#include "schedules/task_label.h"
#include "tools/db_verbs.h"
#include "tools/session.h"
#include "tuning_db/database.h"

namespace whet {
namespace {

struct PlannedTask {
  std::string label, fingerprint;
  int uses = 1;
  double flops = 0;    // of one use
  double best_ms = 0;  // of one use; 0: not measured
};

Result<std::vector<PlannedTask>> ReadPlan(std::span<const TuningTask> tasks,
                                          const std::string& path) {
  std::unique_ptr<Database> database;
  if (std::filesystem::exists(path)) {
    ASSIGN_OR_RETURN(database, Database::Open(path, Database::Mode::kReadOnly));
  }
  std::vector<PlannedTask> plan;
  for (const TuningTask& tuning : tasks) {
    PlannedTask task{tuning.label.empty() ? tuning.task.Describe() : tuning.label,
                     tuning.task.Fingerprint(), tuning.uses, tuning.task.Flops(), 0};
    const auto known = std::find_if(plan.begin(), plan.end(), [&](const PlannedTask& other) {
      return other.fingerprint == task.fingerprint;
    });
    if (known != plan.end()) {
      known->uses += task.uses;
      continue;
    }
    if (database != nullptr) {
      ASSIGN_OR_RETURN(const std::optional<Record> best, database->Best(task.fingerprint));
      if (best) task.best_ms = static_cast<double>(best->measurement.MedianNs()) / 1e6;
    }
    plan.push_back(std::move(task));
  }
  return plan;
}

}  // namespace

Status PrintTuningPlan(std::span<const TuningTask> tasks, bool blocks, const std::string& database,
                       const std::string& json, int threads) {
  ASSIGN_OR_RETURN(std::vector<PlannedTask> plan, ReadPlan(tasks, database));
  std::stable_sort(plan.begin(), plan.end(), [](const PlannedTask& a, const PlannedTask& b) {
    return std::make_pair(a.uses * a.best_ms, a.uses * a.flops) >
           std::make_pair(b.uses * b.best_ms, b.uses * b.flops);
  });
  double flops = 0, ms = 0;
  int measured = 0;
  for (const PlannedTask& task : plan) {
    flops += task.uses * task.flops;
    ms += task.uses * task.best_ms;
    measured += task.best_ms > 0;
  }
  const auto percent = [](double part, double whole) {
    return whole > 0 && part > 0 ? fmt::format("{:.1f}", 100 * part / whole) : "-";
  };
  Table table({"task", "uses", "MFLOP each", "FLOP %", "best ms", "time %"});
  Json rows = Json::array();
  std::vector<NamedFingerprint> names;
  for (const PlannedTask& task : plan) names.push_back({task.label, task.fingerprint});
  const std::vector<std::string> labels = TableLabels(names);
  for (size_t i = 0; i < plan.size(); ++i) {
    const PlannedTask& task = plan[i];
    table.AddRow({FirstLine(labels[i], kLabelWidth), std::to_string(task.uses),
                  fmt::format("{:.2f}", task.flops / 1e6), percent(task.uses * task.flops, flops),
                  task.best_ms > 0 ? fmt::format("{:.4f}", task.best_ms) : "-",
                  percent(task.uses * task.best_ms, ms)});
    rows.push_back({{"task", task.label},
                    {"fingerprint", task.fingerprint},
                    {"uses", task.uses},
                    {"flops", task.flops},
                    {"best_ms", task.best_ms > 0 ? Json(task.best_ms) : Json()}});
  }
  std::fputs(table.ToString().c_str(), stdout);
  std::printf("\n%zu tasks, %d of them measured in %s; nothing was tuned\n", plan.size(), measured,
              database.c_str());
  // As in a run, where what is faster is only known when both were measured.
  if (blocks)
    std::printf("(blocks of several layers stand beside the layers that they are made of)\n");
  if (json.empty()) return {};
  return WriteJson(json,
                   {{"schema_version", 1}, {"context", ReportContext(threads)}, {"tasks", rows}});
}

}  // namespace whet
