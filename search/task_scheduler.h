// Which task of a network earns the next round of measurements.
//
// Every task gets a first round, the heaviest first. Then the round goes where it should shorten
// the network most:
//     gain = uses * (0.2 * past + 0.8 * hope)                          [ms a trial]
//     past = how much the task's best time fell a trial in its last rounds
//     hope = min(best / trials, best - flops / (2 * fastest rate among tasks of its group))
// after Ansor's gradient (Zheng et al., "Ansor", OSDI 2020, section 6): hope fades as trials pass,
// and sooner for a task that already computes twice as fast as its like. Tasks that are exhausted,
// out of budget or broken get none. Pure: knows neither clock nor measurements, only what it is
// told. Thread safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace whet {

struct ScheduledTask {
  int uses = 1;
  double flops = 0;
  std::string group;  // tasks of one group should compute at similar rates: the operator's name
  int64_t max_trials = 0;
};

class TaskScheduler {
 public:
  explicit TaskScheduler(std::vector<ScheduledTask> tasks);

  // What is known of a task by now: candidates measured so far and the best time, 0 if none ran.
  // Told before the first round (warm start) and after each.
  void Report(int task, int64_t trials, double best_ms);
  // A round of this task is over.
  void FinishRound(int task) { ++states_[static_cast<size_t>(task)].rounds; }
  // The task gets no more rounds: its space is exhausted, or it cannot be tuned.
  void Drop(int task) { states_[static_cast<size_t>(task)].dropped = true; }

  // The task whose round is next; -1: none wants one.
  int Next() const;
  // Trials that `task` may still spend.
  int64_t TrialsLeft(int task) const;
  // Trials that all tasks may still spend.
  int64_t TotalTrialsLeft() const;
  // The expected gain of the network a trial of this task, milliseconds.
  double Gain(int task) const;

 private:
  struct Point {
    int64_t trials;
    double best_ms;
  };
  struct State {
    ScheduledTask task;
    std::vector<Point> history;  // reports with a best time
    int64_t trials = 0;
    int rounds = 0;
    bool dropped = false;
  };
  bool Alive(const State& state) const;
  double BestRate(const std::string& group) const;  // flop a millisecond

  std::vector<State> states_;
};

}  // namespace whet
