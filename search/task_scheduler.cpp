#include "search/task_scheduler.h"

#include <algorithm>

namespace whet {
namespace {

constexpr double kPastShare = 0.2;
constexpr size_t kPastRounds = 3;
constexpr double kHopedSpeedup = 2;            // over the fastest task of the group
constexpr int64_t kTrialsWithoutSuccess = 48;  // after which a task counts as broken

}  // namespace

TaskScheduler::TaskScheduler(std::vector<ScheduledTask> tasks) {
  for (ScheduledTask& task : tasks) states_.push_back({std::move(task), {}, 0, 0, false});
}

void TaskScheduler::Report(int task, int64_t trials, double best_ms) {
  State& state = states_[static_cast<size_t>(task)];
  state.trials = trials;
  if (best_ms > 0) state.history.push_back({trials, best_ms});
}

bool TaskScheduler::Alive(const State& state) const {
  if (state.dropped || state.trials >= state.task.max_trials) return false;
  return !state.history.empty() || state.trials < kTrialsWithoutSuccess;
}

int64_t TaskScheduler::TrialsLeft(int task) const {
  const State& state = states_[static_cast<size_t>(task)];
  return Alive(state) ? state.task.max_trials - state.trials : 0;
}

int64_t TaskScheduler::TotalTrialsLeft() const {
  int64_t left = 0;
  for (size_t t = 0; t < states_.size(); ++t) left += TrialsLeft(static_cast<int>(t));
  return left;
}

double TaskScheduler::BestRate(const std::string& group) const {
  double rate = 0;
  for (const State& state : states_) {
    if (state.task.group != group || state.history.empty()) continue;
    rate = std::max(rate, state.task.flops / state.history.back().best_ms);
  }
  return rate;
}

double TaskScheduler::Gain(int task) const {
  const State& state = states_[static_cast<size_t>(task)];
  if (state.history.empty()) return 0;
  const Point& last = state.history.back();
  const Point& before =
      state.history[state.history.size() - 1 - std::min(state.history.size() - 1, kPastRounds)];
  double past = 0;
  if (last.trials > before.trials) {
    past = std::max(0.0, before.best_ms - last.best_ms) /
           static_cast<double>(last.trials - before.trials);
  }
  double hope = last.best_ms / static_cast<double>(std::max<int64_t>(1, state.trials));
  if (const double rate = BestRate(state.task.group); rate > 0) {
    hope = std::min(hope, std::max(0.0, last.best_ms - state.task.flops / (kHopedSpeedup * rate)));
  }
  return state.task.uses * (kPastShare * past + (1 - kPastShare) * hope);
}

int TaskScheduler::Next() const {
  int next = -1;
  double most = -1;
  for (size_t t = 0; t < states_.size(); ++t) {  // the first rounds, the heaviest task first
    const State& state = states_[t];
    if (!Alive(state) || state.rounds > 0 || state.trials > 0) continue;
    const double weight = state.task.uses * state.task.flops;
    if (weight > most) {
      most = weight;
      next = static_cast<int>(t);
    }
  }
  if (next >= 0) return next;
  for (size_t t = 0; t < states_.size(); ++t) {
    if (!Alive(states_[t])) continue;
    const double gain = Gain(static_cast<int>(t));
    if (gain > most) {
      most = gain;
      next = static_cast<int>(t);
    }
  }
  return next;
}

}  // namespace whet
