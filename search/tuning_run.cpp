// Map: TuningRun opens the tasks (warm start), hands out rounds until a budget is spent, then
// compares finalists. What needs no I/O is in tuning_state.cpp, task_scheduler.cpp and
// selector.cpp.
#include "search/tuning_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "search/guess.h"
#include "search/hints.h"
#include "search/selector.h"
#include "search/timing.h"
#include "search/tuning_state.h"

namespace whet {
namespace {

constexpr double kGuessedSecondsPerCandidate = 0.15;
constexpr double kGuessedSecondsPerFinalist = 0.5;
constexpr double kFinalsShare = 0.25;  // of the time budget, at most
constexpr int64_t kFewestNewRows = 4;  // before the model is trained again
constexpr size_t kSamplesThatTellNoise = 5;
constexpr int64_t kTrialsWithoutLimit = std::numeric_limits<int32_t>::max();

std::optional<double> MedianOf(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class TuningRun {
 public:
  TuningRun(std::span<const TuningTask> tasks, const TuningOptions& options,
            const TuningContext& context)
      : options_(options),
        context_(context),
        search_(options.evolution),
        states_(MakeTaskStates(tasks)),
        scheduler_(Schedule(states_, options)) {}

  Result<TuningOutcome> Execute() {
    start_ns_ = context_.clock.MonotonicNs();
    RunInfo info = options_.info;
    info.seed = options_.seed;
    ASSIGN_OR_RETURN(outcome_.run_id, context_.database.StartRun(info));
    Status status = Work();
    if (!status && status.error().code == ErrorCode::kInterrupted) {
      outcome_.interrupted = true;
      status = {};
    }
    context_.progress.Finish();
    outcome_.seconds = Elapsed();
    const char* how = !status ? "failed" : outcome_.interrupted ? "interrupted" : "done";
    const Status finished = context_.database.FinishRun(outcome_.run_id, how, outcome_.seconds);
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(finished);
    RETURN_IF_ERROR(DescribeTasks());
    outcome_.noise = MedianOf(scatter_);
    outcome_.repeatability = MedianOf(changes_);
    return std::move(outcome_);
  }

 private:
  static TaskScheduler Schedule(const std::vector<TaskState>& states,
                                const TuningOptions& options) {
    std::vector<ScheduledTask> tasks;
    const int64_t trials = options.trials > 0 ? options.trials : kTrialsWithoutLimit;
    for (const TaskState& state : states)
      tasks.push_back({state.uses, state.flops, state.group, trials});
    return TaskScheduler(std::move(tasks));
  }

  double Elapsed() const {
    return static_cast<double>(context_.clock.MonotonicNs() - start_ns_) / 1e9;
  }
  bool StopRequested() const { return context_.stop != nullptr && context_.stop->load(); }
  bool timed() const { return options_.time_budget_s > 0; }
  double TimeLeft() const { return options_.time_budget_s - Elapsed(); }

  Status Work() {
    RETURN_IF_ERROR(WarmStart());
    RETURN_IF_ERROR(Rounds());
    RETURN_IF_ERROR(Finals());
    return StopRequested() ? Status(Fail(ErrorCode::kInterrupted, "stopped")) : Status();
  }

  // ---- Opening
  // -----------------------------------------------------------------------------------------

  Status WarmStart() {
    for (size_t t = 0; t < states_.size(); ++t) {
      TaskState& state = states_[t];
      RETURN_IF_ERROR(context_.database.AddTask(state.task));
      int64_t skipped = 0;
      ASSIGN_OR_RETURN(const std::vector<Record> records,
                       context_.database.Records(state.fingerprint, &skipped, options_.cache));
      for (const Record& record : records) state.candidates.Add(record);
      if (skipped > 0) {
        context_.progress.Message(fmt::format(
            "{}: {} records in the database cannot be read and are ignored", state.label, skipped));
      }
      Report(t);
    }
    return {};
  }

  void Report(size_t t) {
    scheduler_.Report(static_cast<int>(t), static_cast<int64_t>(states_[t].candidates.size()),
                      states_[t].BestMs());
  }

  // A task's candidates, made when the task is first needed. False: it cannot be tuned, and is
  // dropped.
  bool OpenSource(size_t t) {
    TaskState& state = states_[t];
    if (state.source != nullptr) return true;
    auto source = context_.make_source(state.task, context_.machine);
    if (!source) {
      state.error = source.error().message;
      scheduler_.Drop(static_cast<int>(t));
      context_.progress.Message(fmt::format("{} cannot be tuned: {}", state.label, state.error));
      return false;
    }
    state.source = *std::move(source);
    state.candidates.SetDefault(state.source->Default().DirectivesHash());
    state.candidates.FillFeatures([&](const Trace& trace) {
      std::vector<float> row(static_cast<size_t>(state.source->width()));
      if (!state.source->Features(trace, row)) row.clear();
      return row;
    });
    if (options_.transfer) state.hints = CollectHints(states_, t, context_.database);
    if (context_.base != nullptr) {
      auto guess = GuessSchedule(*state.source, *context_.base, options_.evolution.threads);
      if (guess) state.guess = *std::move(guess);
    }
    return true;
  }

  // ---- Rounds
  // ------------------------------------------------------------------------------------------

  double SecondsPerCandidate() const {
    return outcome_.measured > 0 ? outcome_.measuring_s / static_cast<double>(outcome_.measured)
                                 : kGuessedSecondsPerCandidate;
  }

  double SecondsPerFinalist() const {
    return finalists_compared_ > 0 ? outcome_.finals_s / static_cast<double>(finalists_compared_)
                                   : kGuessedSecondsPerFinalist;
  }

  // Seconds to keep for the finals: what they need, as far as they may have it.
  double Reserve() const {
    double finalists = 0;
    for (const TaskState& state : states_) {
      finalists += static_cast<double>(Finalists(state, options_.finalists).size());
    }
    return std::min(kFinalsShare * options_.time_budget_s, finalists * SecondsPerFinalist());
  }

  bool RoundsAreOver() const { return StopRequested() || (timed() && TimeLeft() <= Reserve()); }

  Status Rounds() {
    while (!RoundsAreOver()) {
      const int next = scheduler_.Next();
      if (next < 0) return {};
      const auto t = static_cast<size_t>(next);
      TaskState& state = states_[t];
      if (options_.patience > 0 && state.candidates.SinceGain(kNoise) >= options_.patience) {
        state.converged = true;
        scheduler_.Drop(next);
        continue;
      }
      if (OpenSource(t)) RETURN_IF_ERROR(Round(t));
    }
    return {};
  }

  Status TrainIfWorthwhile() {
    TrainingSet set;
    for (size_t t = 0; t < states_.size(); ++t)
      states_[t].candidates.AppendTo(set, static_cast<int>(t));
    if (set.rows() - trained_rows_ < std::max(kFewestNewRows, trained_rows_ / 10)) return {};
    const int64_t begin_ns = context_.clock.MonotonicNs();
    RETURN_IF_ERROR(context_.model.Train(set));
    trained_rows_ = set.rows();
    outcome_.training_s += static_cast<double>(context_.clock.MonotonicNs() - begin_ns) / 1e9;
    return {};
  }

  Status Round(size_t t) {
    TaskState& state = states_[t];
    ++state.round;
    const bool learns = options_.evolution.strategy == SearchStrategy::kEvolutionary;
    if (learns) RETURN_IF_ERROR(TrainIfWorthwhile());
    const double affordable =
        timed() ? std::max(0.0, TimeLeft() - Reserve()) / SecondsPerCandidate() : -1;
    const size_t size =
        RoundSize(options_, scheduler_.TrialsLeft(static_cast<int>(t)), affordable, states_.size());
    const int64_t begin_ns = context_.clock.MonotonicNs();
    ASSIGN_OR_RETURN(
        const ProposalBatch batch,
        search_.Propose(*state.source, state.candidates, state.KnownBeforehand(options_),
                        context_.model, size, state.RoundSeed(options_.seed)));
    outcome_.proposing_s += static_cast<double>(context_.clock.MonotonicNs() - begin_ns) / 1e9;
    outcome_.scoring_s += batch.scoring_s;
    outcome_.scored += batch.scored;
    if (batch.proposals.empty()) {  // the space is exhausted
      scheduler_.Drop(static_cast<int>(t));
      return {};
    }
    RETURN_IF_ERROR(MeasureBatch(t, batch.proposals));
    scheduler_.FinishRound(static_cast<int>(t));
    Report(t);
    return {};
  }

  Status MeasureBatch(size_t t, const std::vector<Proposal>& proposals) {
    TaskState& state = states_[t];
    std::vector<Trace> traces;
    for (const Proposal& proposal : proposals) traces.push_back(proposal.trace);
    Status written;
    size_t reported = 0;
    std::vector<float> scores;
    std::vector<float> throughput;
    Show(t, false);
    int64_t last_ns = context_.clock.MonotonicNs();
    const Status status = context_.measurer.Measure(
        state.task, traces, [&](size_t index, const Measurement& measurement) {
          const int64_t now_ns = context_.clock.MonotonicNs();
          outcome_.measuring_s += static_cast<double>(now_ns - last_ns) / 1e9;
          ++outcome_.measured;
          ++state.measured;
          ++reported;
          const Proposal& proposal = proposals[index];
          Record record = MakeRecord(state, proposal.trace, measurement);
          if (proposal.score) record.predicted = *proposal.score;
          record.is_default = proposal.is_default;
          if (measurement.samples_ns.size() >= kSamplesThatTellNoise)
            scatter_.push_back(RelativeDeviation(measurement.samples_ns));
          written = Commit(record);
          state.candidates.Add(record, proposal.features);
          if (proposal.score) {
            scores.push_back(*proposal.score);
            const int64_t time_ns = measurement.ok() ? measurement.MinNs() : 0;
            throughput.push_back(time_ns > 0 ? 1e9F / static_cast<float>(time_ns) : 0.0F);
          }
          Show(t, false);
          last_ns = context_.clock.MonotonicNs();
          return written.has_value() && !RoundsAreOver();
        });
    RETURN_IF_ERROR(written);
    RETURN_IF_ERROR(status);
    if (reported == 0 && !RoundsAreOver()) {
      return Fail(ErrorCode::kInternal, "the measurer reported none of {} candidates of {}",
                  traces.size(), state.label);
    }
    if (scores.size() >= 3) state.rho = SpearmanRho(scores, throughput);
    return {};
  }

  Record MakeRecord(const TaskState& state, const Trace& trace,
                    const Measurement& measurement) const {
    Record record;
    record.run_id = outcome_.run_id;
    record.task = state.fingerprint;
    record.trace = trace;
    record.measurement = measurement;
    record.created_utc = context_.clock.NowUtc();
    return record;
  }

  Status Commit(const Record& record) {
    const Result<int64_t> id = context_.database.AddRecord(record);
    return id ? Status() : Status(tl::unexpected<Error>(id.error()));
  }

  // ---- Finals
  // ------------------------------------------------------------------------------------------

  Status Finals() {
    std::vector<size_t> order(states_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return states_[a].uses * states_[a].BestMs() > states_[b].uses * states_[b].BestMs();
    });
    size_t left = order.size();
    for (const size_t t : order) {
      if (StopRequested()) return {};
      size_t limit = options_.finalists;
      if (timed()) {  // fewer finalists, if all tasks are to have their turn; but one at least
        const double each = TimeLeft() / static_cast<double>(left) / SecondsPerFinalist();
        limit = std::clamp<size_t>(static_cast<size_t>(std::max(0.0, each)), 2, limit + 1) - 1;
      }
      --left;
      const auto finalists = Finalists(states_[t], limit);
      if (finalists.empty()) continue;
      if (timed() && TimeLeft() < static_cast<double>(finalists.size()) * SecondsPerFinalist())
        continue;
      RETURN_IF_ERROR(Compare(t, finalists));
    }
    return {};
  }

  Status Compare(size_t t, const std::vector<const MeasuredCandidate*>& finalists) {
    TaskState& state = states_[t];
    Show(t, true);
    const int64_t begin_ns = context_.clock.MonotonicNs();
    std::vector<Trace> traces;
    for (const MeasuredCandidate* finalist : finalists) traces.push_back(finalist->trace);
    ASSIGN_OR_RETURN(const std::vector<Measurement> measurements,
                     context_.measurer.Compare(state.task, traces));
    outcome_.finals_s += static_cast<double>(context_.clock.MonotonicNs() - begin_ns) / 1e9;
    finalists_compared_ += static_cast<int64_t>(finalists.size());
    std::vector<Contender> contenders;
    std::vector<Record> records;
    for (size_t i = 0; i < finalists.size(); ++i) {
      const Measurement& measurement = measurements[i];
      contenders.push_back(
          {measurement.FastQuarterNs(), measurement.MedianNs(), finalists[i]->is_default});
      records.push_back(MakeRecord(state, traces[i], measurement));
      if (measurement.ok() && finalists[i]->time_ns > 0)
        changes_.push_back(std::abs(GainOver(finalists[i]->time_ns, measurement.MinNs())));
      records.back().is_default = finalists[i]->is_default;
    }
    const std::optional<size_t> winner = SelectWinner(contenders);
    for (size_t i = 0; i < records.size(); ++i) {
      // The winner is the fastest of the final records by median: whoever lost with a lower one is
      // no final.
      const bool is_final = winner && contenders[i].median_ns >= contenders[*winner].median_ns;
      records[i].role = is_final ? RecordRole::kFinal : RecordRole::kLostFinal;
      if (winner && !is_final && measurements[i].ok())
        records[i].measurement.message =
            contenders[i].time_ns < contenders[*winner].time_ns
                ? "final comparison: faster than the default by no more than noise"
                : "final comparison: faster than the winner by median, but not in good moments";
      RETURN_IF_ERROR(Commit(records[i]));
      state.candidates.Add(records[i]);
    }
    return {};
  }

  // ---- Telling
  // -----------------------------------------------------------------------------------------

  void Show(size_t t, bool finals) {
    const TaskState& state = states_[t];
    ProgressState progress;
    progress.task = static_cast<int>(t);
    progress.task_count = static_cast<int>(states_.size());
    progress.label = state.label;
    progress.short_label = state.short_label;
    progress.finals = finals;
    progress.round = state.round;
    progress.trials = static_cast<int64_t>(state.candidates.size());
    progress.max_trials = options_.trials;
    progress.best_ms = state.BestMs();
    if (progress.best_ms > 0) progress.gflops = state.flops / progress.best_ms / 1e6;
    progress.peak_share = state.PeakShare(progress.gflops, context_.peak_gflops);
    progress.rho = state.rho;
    progress.failed = state.candidates.failed();
    progress.noise = MedianOf(scatter_);
    if (options_.trials > 0) {
      const auto left = static_cast<double>(scheduler_.TotalTrialsLeft());
      progress.eta_s = left * SecondsPerCandidate() + Reserve();
    }
    if (timed()) progress.eta_s = std::min(TimeLeft(), progress.eta_s.value_or(TimeLeft()));
    context_.progress.Update(progress);
  }

  bool IsOfThisMode(const Record& record) const {
    if (record.run_id == outcome_.run_id) return true;
    const Result<RunRow> run = context_.database.RunById(record.run_id);
    const Result<CacheMode> mode = run ? CacheModeOf(run->info) : CacheMode::kWarm;
    return mode && *mode == options_.cache;
  }

  Status DescribeTasks() {
    for (const TaskState& state : states_) {
      TaskOutcome task;
      task.label = state.label;
      task.short_label = state.short_label;
      task.spelling = state.spelling;
      task.fingerprint = state.fingerprint;
      task.uses = state.uses;
      task.trials = static_cast<int64_t>(state.candidates.size());
      task.failed = state.candidates.failed();
      task.error = state.error;
      task.converged = state.converged;
      ASSIGN_OR_RETURN(const std::optional<Record> best, context_.database.Best(state.fingerprint));
      if (best) {
        const auto best_ns = static_cast<double>(best->measurement.MedianNs());
        task.best_ms = best_ns / 1e6;
        task.best_min_ms = static_cast<double>(best->measurement.MinNs()) / 1e6;
        task.best_record = best->id;
        // As whet bench: over the fastest run, which other programs on the machine disturbed least.
        task.gflops =
            state.flops / static_cast<double>(std::max<int64_t>(1, best->measurement.MinNs()));
      }
      // Times of one comparison compare; times of different moments less so, and those of the other
      // cache mode not at all.
      const bool comparable = !best || IsOfThisMode(*best);
      for (const MeasuredCandidate& candidate : state.candidates.all()) {
        if (!candidate.is_default || !comparable) continue;
        const bool compared = best && best->is_final() && candidate.final_ns > 0;
        task.default_ms =
            static_cast<double>(compared ? candidate.final_ns : candidate.median_ns) / 1e6;
      }
      outcome_.tasks.push_back(std::move(task));
    }
    return {};
  }

  const TuningOptions& options_;
  const TuningContext& context_;
  EvolutionarySearch search_;
  std::vector<TaskState> states_;
  TaskScheduler scheduler_;
  TuningOutcome outcome_;
  int64_t start_ns_ = 0;
  int64_t trained_rows_ = 0;
  int64_t finalists_compared_ = 0;
  std::vector<double> scatter_, changes_;  // what noise and repeatability are the medians of
};

}  // namespace

Result<TuningOutcome> RunTuning(std::span<const TuningTask> tasks, const TuningOptions& options,
                                const TuningContext& context) {
  if (tasks.empty()) return Fail(ErrorCode::kInvalidInput, "there is no task to tune");
  if (options.trials <= 0 && options.time_budget_s <= 0) {
    return Fail(ErrorCode::kInvalidInput,
                "tuning needs a budget: a number of trials a task, or a time");
  }
  if (options.batch < 1)
    return Fail(ErrorCode::kInvalidInput, "a round needs at least one candidate");
  return TuningRun(tasks, options, context).Execute();
}

}  // namespace whet
