// `whet db curve`: the best time so far, by trial, as a small chart.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "tools/db_verbs.h"

namespace whet {
namespace {

constexpr int kRows = 12;
constexpr int kColumns = 64;

struct CurveOptions : DbOptions {
  std::string task;
};

// Draws best-so-far over trials; each column shows the best after its last trial. Time grows
// upwards from the overall best, so the curve ends on the bottom line.
std::string Chart(const std::vector<CurvePoint>& points) {
  double low = 0, high = 0;
  for (const CurvePoint& point : points) {
    if (point.best_ms <= 0) continue;
    high = std::max(high, point.best_ms);
    low = low == 0 ? point.best_ms : std::min(low, point.best_ms);
  }
  const int count = static_cast<int>(points.size());
  const int columns = std::min(kColumns, count);
  const int rows = high > low ? kRows : 1;
  std::vector<std::string> canvas(rows, std::string(columns, ' '));
  for (int c = 0; c < columns; ++c) {
    const double best = points[static_cast<int64_t>(c + 1) * count / columns - 1].best_ms;
    if (best <= 0) continue;
    const int row =
        rows == 1 ? 0 : static_cast<int>(std::lround((high - best) / (high - low) * (rows - 1)));
    canvas[row][c] = '*';
  }
  std::string text;
  for (int r = 0; r < rows; ++r) {
    const double at = rows == 1 ? high : high - (high - low) * r / (rows - 1);
    const bool labelled = r == 0 || r == rows - 1 || r == rows / 2;
    canvas[r].erase(canvas[r].find_last_not_of(' ') + 1);
    text += fmt::format("{:>10} |{}\n", labelled ? Milliseconds(at) : "", canvas[r]);
  }
  text += fmt::format("{:>10} +{}\n", "ms", std::string(columns, '-'));
  const std::string last = std::to_string(count - 1);
  text += fmt::format("{:>12}0{:>{}}  trial\n", "", last,
                      std::max<int>(columns - 1, static_cast<int>(last.size()) + 1));
  return text;
}

Result<int> Curve(const CurveOptions& options) {
  ASSIGN_OR_RETURN(const auto database, OpenToRead(options));
  ASSIGN_OR_RETURN(const Task task, database->TaskByFingerprint(options.task));
  const std::string fingerprint = task.Fingerprint();
  ASSIGN_OR_RETURN(const std::vector<CurvePoint> points, database->Curve(fingerprint));
  if (options.wants_json()) {
    Json json = {{"task", fingerprint}, {"describe", task.Describe()}, {"points", Json::array()}};
    for (const CurvePoint& point : points) {
      json["points"].push_back({{"trial", point.trial},
                                {"record", point.record},
                                {"status", Name(point.status)},
                                {"median_ms", NumberOrNull(point.median_ms)},
                                {"best_ms", NumberOrNull(point.best_ms)}});
    }
    RETURN_IF_ERROR(WriteAnswer(*database, options, std::move(json)));
    return 0;
  }
  const auto failed = std::count_if(points.begin(), points.end(), [](const CurvePoint& point) {
    return point.status != MeasureStatus::kOk;
  });
  std::cout << fmt::format("{}  {}\n{}, {} failed\n", ShortFingerprint(fingerprint),
                           task.Describe(), Plural(static_cast<int64_t>(points.size()), "trial"),
                           failed);
  if (points.empty() || points.back().best_ms <= 0) {
    std::cout << "no candidate of it has worked yet\n";
    return 0;
  }
  const auto first =
      std::find_if(points.begin(), points.end(), [](const CurvePoint& p) { return p.best_ms > 0; });
  const auto best = std::find_if(points.begin(), points.end(), [&](const CurvePoint& point) {
    return point.best_ms == points.back().best_ms;
  });
  std::cout << fmt::format(
                   "best so far: {} ms at trial {} to {} ms at trial {} (record {}), {}\n\n",
                   Milliseconds(first->best_ms), first->trial, Milliseconds(best->best_ms),
                   best->trial, best->record, Ratio(first->best_ms / best->best_ms))
            << Chart(points);
  return 0;
}

}  // namespace

void AddCurveVerb(DbVerbs& verbs) {
  auto options = std::make_shared<CurveOptions>();
  CLI::App* verb = verbs.Add(
      "curve", "The best time so far of a task, by trial",
      "Medians in milliseconds; trial 0 is the default schedule. Final comparisons are left out.\n"
      "Example: whet db curve 1a2b3c4d --db tuning.db",
      options, [options] { return Curve(*options); });
  verb->add_option("task", options->task, "The beginning of the task's fingerprint")
      ->type_name("TASK")
      ->required();
}

}  // namespace whet
