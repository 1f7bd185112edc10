#include "search/hints.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace whet {
namespace {

constexpr size_t kSimilarTasks = 6;
constexpr size_t kTracesPerTask = 2;

struct Similar {
  double distance;          // in doublings of the arithmetic
  const TaskState* state;   // of this run, or
  std::string fingerprint;  // in the database
};

double Distance(double flops, double other) {
  return std::abs(std::log2((1 + flops) / (1 + other)));
}

std::vector<Similar> FindSimilar(const std::vector<TaskState>& states, size_t t,
                                 const Database& database) {
  const TaskState& own = states[t];
  std::vector<Similar> similar;
  std::unordered_set<std::string> of_this_run;
  for (const TaskState& state : states) {
    of_this_run.insert(state.fingerprint);
    if (&state == &own || state.group != own.group || state.candidates.best_ns() == 0) continue;
    similar.push_back({Distance(own.flops, state.flops), &state, ""});
  }
  if (const auto stored = database.TasksOfTarget(own.task.target)) {
    for (const Task& task : *stored) {
      if (GroupOf(task) != own.group) continue;
      std::string fingerprint = task.Fingerprint();
      if (of_this_run.contains(fingerprint)) continue;
      similar.push_back({Distance(own.flops, task.Flops()), nullptr, std::move(fingerprint)});
    }
  }
  std::stable_sort(similar.begin(), similar.end(),
                   [](const Similar& a, const Similar& b) { return a.distance < b.distance; });
  if (similar.size() > kSimilarTasks) similar.resize(kSimilarTasks);
  return similar;
}

}  // namespace

std::vector<Trace> CollectHints(const std::vector<TaskState>& states, size_t t,
                                const Database& database) {
  const TaskState& own = states[t];
  std::vector<Trace> hints;
  std::unordered_set<uint64_t> hashes;
  const auto adapt = [&](const Trace& foreign) {
    Trace adapted;
    if (!own.source->Adapt(foreign, &adapted)) return;
    if (hashes.insert(adapted.DirectivesHash()).second) hints.push_back(std::move(adapted));
  };
  for (const Similar& task : FindSimilar(states, t, database)) {
    if (task.state != nullptr) {
      for (const auto* candidate : task.state->candidates.Fastest(kTracesPerTask))
        adapt(candidate->trace);
    } else if (const auto best = database.Best(task.fingerprint); best && *best) {
      adapt((*best)->trace);
    }
  }
  return hints;
}

}  // namespace whet
