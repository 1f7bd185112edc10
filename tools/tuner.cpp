#include "tools/tuner.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/cpu.h"
#include "runtime/thread_pool.h"
#include "search/canary.h"
#include "search/peak.h"
#include "search/process_measurer.h"
#include "search/timing.h"
#include "tools/kernels.h"
#include "tools/runnable.h"

namespace whet {

namespace {

bool LeavesOut(const TunerOptions& options, std::string_view part) {
  return std::find(options.without.begin(), options.without.end(), part) != options.without.end();
}

}  // namespace

Result<std::unique_ptr<CostModel>> MakeModel(const TunerOptions& options) {
  if (options.cost_model == "random") return MakeRandomModel(options.seed);
  if (options.cost_model == "analytic") return MakeRooflineModel();
  // One thread predicts half a million rows a second; more would spin beside those that make
  // candidates.
  if (!options.base_model) return MakeXgboostModel(options.seed, 1);
  return MakeXgboostModel(options.seed, 1, MakeBaseModel(1));
}

std::shared_ptr<CostModel> MakeGuesser(const TunerOptions& options) {
  const bool guesses =
      options.base_model && options.search == "evolutionary" && options.cost_model == "xgboost";
  return guesses ? MakeBaseModel(1) : nullptr;
}

Result<TuningOptions> SearchOptions(const TunerOptions& options) {
  TuningOptions tuning;
  tuning.trials = options.trials;
  tuning.time_budget_s = options.time_budget_s;
  tuning.seed = options.seed;
  tuning.transfer = options.transfer;
  tuning.patience = options.patience;
  ASSIGN_OR_RETURN(tuning.cache, ParseCacheMode(options.cache));
  tuning.restarts = !LeavesOut(options, "restarts");
  if (LeavesOut(options, "crossover")) tuning.evolution.crossover_share = 0;
  if (LeavesOut(options, "explorers")) tuning.evolution.explorer_share = 0;
  if (LeavesOut(options, "niches")) tuning.evolution.niche_share = 1;
  if (LeavesOut(options, "mutation-weights")) tuning.evolution.learn_mutations = false;
  ASSIGN_OR_RETURN(tuning.evolution.strategy, ParseSearchStrategy(options.search));
  tuning.evolution.threads = AllowedCpuCount();
  return tuning;
}

namespace {

// What ReplayRun (tools/replay_run.h) needs to decide as this run does.
Json SearchJson(const TunerOptions& options, std::span<const TuningTask> tasks) {
  Json list = Json::array();
  for (const TuningTask& task : tasks) list.push_back({task.task.Fingerprint(), task.uses});
  return {{"trials", options.trials},         {"time_budget_s", options.time_budget_s},
          {"search", options.search},         {"cost_model", options.cost_model},
          {"base_model", options.base_model}, {"transfer", options.transfer},
          {"patience", options.patience},     {"without", options.without},
          {"cache", options.cache},           {"tasks", std::move(list)}};
}

RunInfo InfoOf(const TunerOptions& options, std::span<const TuningTask> tasks,
               const Network* network, const Target& target, const MachineModel& machine) {
  RunInfo info;
  info.command = options.command;
  info.model = network ? network->id : "";
  info.version = kWhetVersion;
  info.halide_version = kHalideVersion;
  info.target = target.ToString();
  info.threads = target.threads;
  info.machine = {{"cpu", CpuName()},
                  {"cores", AllowedCpuCount()},
                  {"l1_bytes", machine.l1_bytes},
                  {"l2_bytes", machine.l2_bytes},
                  {"l3_bytes", machine.l3_bytes}};
  info.settings = SearchJson(options, tasks);
  return info;
}

// The network's tasks in the database: those of `partition`, its own or with blocks fused.
Status RememberNetwork(const Network& network, const Partition& partition, Database& database) {
  return database.InTransaction([&]() -> Status {
    std::vector<std::pair<std::string, int>> uses;
    for (size_t t = 0; t < partition.tasks.size(); ++t) {
      RETURN_IF_ERROR(database.AddTask(partition.tasks[t]));
      uses.emplace_back(partition.tasks[t].Fingerprint(), partition.use_counts[t]);
    }
    return database.AddModel(network.fingerprint, network.id, uses);
  });
}

// The threads end again: there is no work for them while candidates are measured elsewhere.
double MeasurePeak(const Target& target) {
  SetThreadCount(std::min(target.threads, AllowedCpuCount()));
  const double gflops = MeasurePeakGflops(target.isa);
  SetThreadCount(1);
  return gflops;
}

// How long building two networks of so many kernels and running them against each other takes, on a
// slow core: kernels of networks take 0.1 to 0.5 s to compile, a schedule without trials 0.15.
double ComparisonSeconds(const Network& network, int jobs) {
  constexpr double kRunningS = 5, kCompileS = 0.35, kGuessS = 0.15;
  const auto kernels = static_cast<double>(network.partition.tasks.size());
  return kRunningS + kernels * (2 * kCompileS / std::max(1, jobs) + kGuessS);
}

// The network untuned and with the database's schedules, run in turns.
Status CompareNetworks(const Network& network, const Target& target, const TunerOptions& options,
                       const LoadedNetwork& tuned, WorkerClient& workers, TunerReport* report) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Kernels> kernels,
                   Kernels::Create(target, {.use_cache = options.use_cache}, &workers));
  ASSIGN_OR_RETURN(const LoadedNetwork untuned,
                   LoadWithKernels(network.graph, network.partition, kernels->maker()));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs,
                   MakeNetworkInputs(untuned.executor->plan(), {}, true));
  std::vector<std::function<void()>> runs;
  for (Executor* executor : {untuned.executor.get(), tuned.executor.get()}) {
    if (Result<std::vector<Tensor>> first = RunOnce(*executor, inputs); !first)
      return tl::unexpected<Error>(first.error());
    runs.push_back([executor, &inputs] { (void)RunOnce(*executor, inputs); });
  }
  TimingOptions timing;
  timing.time_cap_ns = 2'000'000'000;
  timing.accuracy = 0.005;
  timing.min_samples = 20;
  const std::vector<Timing> times = TimeInterleaved(runs, Clock::System(), timing);
  for (size_t i = 0; i < times.size(); ++i) {  // as finals compare: medians scatter more
    Measurement measurement;
    measurement.samples_ns = times[i].samples_ns;
    (i == 0 ? report->untuned_ms : report->tuned_ms) = measurement.FastQuarterNs() / 1e6;
  }
  return {};
}

}  // namespace

std::vector<TuningTask> TasksOf(const Network& network) {
  std::vector<TuningTask> tasks;
  for (size_t t = 0; t < network.partition.tasks.size(); ++t)
    tasks.push_back({network.partition.tasks[t], network.partition.use_counts[t], ""});
  std::map<std::string, size_t> index_of;  // of a block's task, by fingerprint
  for (const Block& block : network.blocks) {
    const auto [at, added] = index_of.try_emplace(block.task.Fingerprint(), tasks.size());
    if (added) tasks.push_back({block.task, 0, ""});
    ++tasks[at->second].uses;
  }
  return tasks;
}

Result<TunerReport> Tune(std::span<const TuningTask> tasks, const Network* network,
                         const Target& target, const TunerOptions& options) {
  ASSIGN_OR_RETURN(const ProgressMode mode, ParseProgressMode(options.progress));
  RETURN_IF_ERROR(CheckRunsOn(target, LargestIsaHere()));
  ASSIGN_OR_RETURN(TuningOptions tuning, SearchOptions(options));
  ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(options.database));

  // Before there are workers, which take cores to warm up.
  const double peak_gflops = mode == ProgressMode::kNone ? 0 : MeasurePeak(target);
  ProcessMeasurerOptions measuring;
  measuring.worker.stop_requested = [] { return InterruptFlag().load(); };
  measuring.timing.cache = measuring.comparison.cache = tuning.cache;
  if (LeavesOut(options, "glance"))
    measuring.timing.loser_factor = std::numeric_limits<double>::max();
  ASSIGN_OR_RETURN(const std::unique_ptr<ProcessMeasurer> measurer,
                   ProcessMeasurer::Create(measuring));
  if (network != nullptr) RETURN_IF_ERROR(RememberNetwork(*network, network->partition, *database));
  ASSIGN_OR_RETURN(const std::unique_ptr<CostModel> model, MakeModel(options));
  const std::unique_ptr<Progress> progress = MakeProgress(mode, Clock::System(), StandardError());
  if (target.threads > AllowedCpuCount())
    progress->Message(
        fmt::format("target {}: kernels get {} threads here on {} CPUs, so that times "
                    "are not those of such a machine",
                    target.ToString(), target.threads, AllowedCpuCount()));

  RETURN_IF_ERROR(RunCanary(target, *measurer));
  if (network != nullptr && options.time_budget_s > 0) {
    const double reserve = ComparisonSeconds(*network, measurer->client().jobs());
    tuning.time_budget_s = std::max(options.time_budget_s - reserve, 0.5 * options.time_budget_s);
  }
  tuning.info = InfoOf(options, tasks, network, target, machine);
  TuningContext context{Clock::System(), *measurer, *database,       *model,
                        *progress,       machine,   &InterruptFlag()};
  const std::shared_ptr<CostModel> base = MakeGuesser(options);
  context.base = base.get();
  context.peak_gflops = peak_gflops;
  TunerReport report;
  ASSIGN_OR_RETURN(report.outcome, RunTuning(tasks, tuning, context));
  if (network == nullptr) return report;
  ASSIGN_OR_RETURN(
      const std::unique_ptr<Kernels> kernels,
      Kernels::Create(target, {.database = options.database, .use_cache = options.use_cache},
                      &measurer->client()));
  ASSIGN_OR_RETURN(const Partition partition,
                   FuseFasterBlocks(network->partition, network->blocks, database.get()));
  RETURN_IF_ERROR(RememberNetwork(*network, partition, *database));
  if (report.outcome.interrupted) return report;
  ASSIGN_OR_RETURN(const LoadedNetwork tuned,
                   LoadWithKernels(network->graph, partition, kernels->maker()));
  RETURN_IF_ERROR(CompareNetworks(*network, target, options, tuned, measurer->client(), &report));
  return report;
}

Status TuneMissing(const Network& network, const std::string& database_path, const Target& target,
                   int64_t trials) {
  std::vector<TuningTask> missing;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(database_path));
    for (const TuningTask& task : TasksOf(network)) {
      ASSIGN_OR_RETURN(const std::optional<Record> best, database->Best(task.task.Fingerprint()));
      if (!best) missing.push_back(task);
    }
  }
  if (missing.empty()) return {};
  TunerOptions options;
  options.database = database_path;
  options.trials = trials;
  options.command = fmt::format("whet compile {} --on-miss tune", network.id);
  ASSIGN_OR_RETURN(const TunerReport report, Tune(missing, nullptr, target, options));
  if (report.outcome.interrupted)
    return Fail(ErrorCode::kInterrupted, "interrupted; what was measured is saved");
  return {};
}

}  // namespace whet
