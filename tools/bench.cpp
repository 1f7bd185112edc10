// `whet bench`: how fast networks, bundles and tasks run.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/table.h"
#include "codegen/kernel_compiler.h"
#include "runtime/thread_pool.h"
#include "schedules/pipeline_task.h"
#include "schedules/task_label.h"
#include "tools/accuracy_option.h"
#include "tools/bench_item.h"
#include "tools/kernels.h"
#include "tools/runnable.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct BenchOptions {
  std::vector<std::string> what, only, pipelines, scalars;
  RunnableOptions runnable;
  std::string tasks_file, json, trace;
  double seconds = 1;
  int rounds = 3;
  bool profile = false, onnx_layout = true;
};

struct BenchReport {
  Table table{{"id", "engine", "min ms", "p50 ms", "p90 ms", "GFLOP/s", "runs", "schedules"}};
  Json results = Json::array(), errors = Json::array();

  void Add(const BenchItem& item, const BenchTimes& times, const std::string& schedules) {
    table.AddRow({item.id, item.engine, fmt::format("{:.4f}", times.min_ms),
                  fmt::format("{:.4f}", times.p50_ms), fmt::format("{:.4f}", times.p90_ms),
                  item.dense_flops > 0
                      ? fmt::format("{:.1f}", item.dense_flops / (times.min_ms * 1e6))
                      : "-",
                  std::to_string(times.runs), schedules});
    results.push_back(ToJson(item, times));
  }
  void AddError(const std::string& id, const std::string& message) {
    errors.push_back({{"id", id}, {"engine", "whet"}, {"error", message}});
  }
};

std::string TunedCount(const PlanSpec& plan) {
  const auto tuned = std::count_if(plan.kernels.begin(), plan.kernels.end(),
                                   [](const PlanKernel& kernel) { return kernel.record > 0; });
  return fmt::format("{} of {} tuned", tuned, plan.kernels.size());
}

Json ProfileJson(const PlanSpec& plan, const std::vector<int64_t>& step_ns) {
  Json rows = Json::array();
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    Json row = {{"node", step.name}, {"ms", static_cast<double>(step_ns[s]) / 1e6}};
    if (step.kernel >= 0) {
      const PlanKernel& kernel = plan.kernels[step.kernel];
      row["task"] = kernel.describe;
      row["fingerprint"] = kernel.task;
      row["record"] = kernel.record > 0 ? Json(kernel.record) : Json();
      row["flops"] = kernel.flops;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void PrintProfile(const std::string& id, const PlanSpec& plan,
                  const std::vector<int64_t>& step_ns) {
  int64_t total = 0;
  for (int64_t ns : step_ns) total += ns;
  std::vector<NamedFingerprint> names;
  for (const PlanKernel& kernel : plan.kernels) names.push_back({kernel.describe, kernel.task});
  const std::vector<std::string> labels = TableLabels(names);
  Table table({"node", "task", "ms", "%", "GFLOP/s", "record"});
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanKernel* kernel =
        plan.steps[s].kernel >= 0 ? &plan.kernels[plan.steps[s].kernel] : nullptr;
    const double ns = static_cast<double>(std::max<int64_t>(step_ns[s], 1));
    table.AddRow(
        {plan.steps[s].name, kernel ? labels[plan.steps[s].kernel] : "copy",
         fmt::format("{:.4f}", ns / 1e6),
         fmt::format("{:.1f}", 100 * ns / static_cast<double>(std::max<int64_t>(total, 1))),
         kernel && kernel->flops > 0 ? fmt::format("{:.1f}", kernel->flops / ns) : "-",
         !kernel              ? "-"
         : kernel->record > 0 ? std::to_string(kernel->record)
                              : "untuned"});
  }
  std::printf("\n%s, node by node (medians; the sum is %.4f ms)\n%s", id.c_str(),
              static_cast<double>(total) / 1e6, table.ToString().c_str());
}

Status BenchNetwork(const std::string& what, const BenchOptions& options, BenchReport* report) {
  ASSIGN_OR_RETURN(Runnable runnable, OpenRunnable(what, options.runnable));
  BenchItem item;
  item.id = runnable.id;
  item.executor = std::move(runnable.executor);
  const PlanSpec& plan = item.executor->plan();
  ASSIGN_OR_RETURN(item.inputs, MakeNetworkInputs(plan, {}, true));
  ASSIGN_OR_RETURN(const BenchTimes times, TimeItem(item, options.seconds));
  report->Add(item, times, TunedCount(plan));
  if (runnable.network) report->results.back()["kernels"] = ToJson(runnable.kernels);
  if (!options.profile && options.trace.empty()) return {};
  const int runs =
      std::clamp(static_cast<int>(options.seconds * 1e3 / std::max(times.p50_ms, 1e-3)), 5, 200);
  ASSIGN_OR_RETURN(const std::vector<int64_t> step_ns, ProfileItem(item, runs));
  if (options.profile) {
    PrintProfile(item.id, plan, step_ns);
    report->results.back()["profile"] = ProfileJson(plan, step_ns);
  }
  if (!options.trace.empty()) return WriteJson(options.trace, ChromeTrace(plan, step_ns));
  return {};
}

// Builds all the tasks' kernels at once, then times one after the other.
Status BenchTasks(const std::vector<NamedTask>& tasks, const BenchOptions& options,
                  const Target& target, BenchReport* report) {
  RETURN_IF_ERROR(CheckRunsOn(target, LargestIsaHere()));
  ASSIGN_OR_RETURN(const std::unique_ptr<Kernels> kernels,
                   Kernels::Create(target, {.database = options.runnable.database,
                                            .use_cache = options.runnable.use_cache}));
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Create("whet"));
  std::vector<Task> plain;
  for (const NamedTask& task : tasks) plain.push_back(task.task);
  ASSIGN_OR_RETURN(const MadeKernels made, kernels->maker().Make(plain, directory.path()));
  SetThreadCount(target.threads);
  // The items take turns in slices: a machine's bad second hits a slice of each, not one item.
  struct Timed {
    BenchItem item;
    std::string schedules;
    std::vector<BenchTimes> slices;
  };
  std::vector<Timed> timed;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const auto prepare = [&]() -> Status {
      RETURN_IF_ERROR(made.statuses[i]);
      const ChosenSchedule& schedule = made.schedules[i];
      const std::string path = directory.path() / fmt::format("bench_{}.so", i);
      RETURN_IF_ERROR(LinkSharedObject({made.object_paths[i]}, path));
      ASSIGN_OR_RETURN(std::shared_ptr<KernelLibrary> library, KernelLibrary::Open(path));
      ASSIGN_OR_RETURN(BenchItem item, MakeTaskItem(tasks[i].id, tasks[i].task, schedule.trace,
                                                    KernelSymbol(tasks[i].task, schedule.trace),
                                                    std::move(library)));
      timed.push_back(
          {std::move(item),
           schedule.record > 0 ? fmt::format("record {}", schedule.record) : std::string("untuned"),
           {}});
      if (!options.onnx_layout || tasks[i].task.nodes[0].op == "Pipeline") return {};
      ASSIGN_OR_RETURN(BenchItem alone,
                       MakeOnnxLayoutItem(tasks[i].id, tasks[i].task, target, *kernels));
      std::string tuned = TunedCount(alone.executor->plan());
      timed.push_back({std::move(alone), std::move(tuned), {}});
      return {};
    };
    if (InterruptFlag()) return Fail(ErrorCode::kInterrupted, "interrupted");
    if (const Status status = prepare(); !status)
      report->AddError(tasks[i].id, status.error().message);
  }
  for (int round = 0; round < options.rounds; ++round) {
    for (Timed& one : timed) {
      if (InterruptFlag()) return Fail(ErrorCode::kInterrupted, "interrupted");
      ASSIGN_OR_RETURN(const BenchTimes slice,
                       TimeItem(one.item, options.seconds / options.rounds));
      one.slices.push_back(slice);
    }
  }
  for (const Timed& one : timed) report->Add(one.item, Merge(one.slices), one.schedules);
  return {};
}

Result<int> Bench(const BenchOptions& options) {
  ASSIGN_OR_RETURN(const Target target,
                   ResolveTarget(options.runnable.target, options.runnable.threads));
  for (const auto& [path, option] :
       {std::pair(options.json, "--json"), std::pair(options.trace, "--trace")})
    if (!path.empty()) RETURN_IF_ERROR(CheckWritable(path, option));
  if (!options.only.empty() && options.tasks_file.empty())
    return Fail(ErrorCode::kInvalidInput,
                "--only selects from a shape list; give --tasks FILE with it");
  std::vector<NamedTask> tasks;
  std::vector<std::string> networks;
  for (const std::string& path : options.pipelines) {
    ASSIGN_OR_RETURN(Task task, ReadPipelineTask(path, target.ToString(), options.runnable.shapes,
                                                 options.scalars));
    tasks.push_back({std::filesystem::path(path).stem().string(), std::move(task)});
  }
  if (!options.tasks_file.empty()) {
    ASSIGN_OR_RETURN(tasks, SelectTasks(options.tasks_file, options.only, target.ToString()));
  }
  for (const std::string& text : options.what) {
    if (KindOf(text) != ArgumentKind::kTask) {
      networks.push_back(text);
      continue;
    }
    ASSIGN_OR_RETURN(Task task, ParseTaskSpelling(text, target.ToString()));
    tasks.push_back({text, std::move(task)});
  }
  for (NamedTask& task : tasks)
    task.task.accuracy = options.runnable.accuracy.value_or(Accuracy::kFast);
  if (networks.empty() && tasks.empty()) {
    return Fail(
        ErrorCode::kInvalidInput,
        "nothing to time: name ONNX files, bundles, tasks, --tasks FILE or --pipeline FILE");
  }
  if (networks.empty() && (options.profile || !options.trace.empty()))
    return Fail(ErrorCode::kInvalidInput,
                "--profile and --trace look into networks and bundles; a task is one kernel");

  BenchReport report;
  for (const std::string& network : networks)
    RETURN_IF_ERROR(BenchNetwork(network, options, &report));
  if (!tasks.empty()) RETURN_IF_ERROR(BenchTasks(tasks, options, target, &report));
  if (options.profile) std::printf("\n");
  std::fputs(report.table.ToString().c_str(), stdout);
  for (const Json& error : report.errors) {
    std::fprintf(stderr, "whet: %s: %s\n", error["id"].get<std::string>().c_str(),
                 error["error"].get<std::string>().c_str());
  }
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(target.threads)},
                                             {"results", report.results},
                                             {"errors", report.errors}}));
  }
  return report.errors.empty() ? 0 : 3;
}

}  // namespace

void RegisterBench(CLI::App& app, int* exit_code) {
  CLI::App* verb =
      app.add_subcommand("bench", "time networks, bundles and tasks; where the time goes");
  auto options = std::make_shared<BenchOptions>();
  verb->add_option("what", options->what,
                   "ONNX files, bundles' folders, tasks: 'MatMul(a=64x64,b=64x64)'")
      ->type_name("MODEL|BUNDLE|TASK...");
  verb->add_option("--tasks", options->tasks_file, "a list of kernel shapes (JSON)")
      ->type_name("FILE");
  verb->add_option("--pipeline", options->pipelines, "Halide pipelines")
      ->type_name("FILE.hlpipe...");
  verb->add_option("--scalar", options->scalars,
                   "value of a scalar parameter of the pipelines: alpha=0.5")
      ->type_name("NAME=NUMBER");
  verb->add_option("--only", options->only, "of that list, these ids")->type_name("ID...");
  verb->add_flag("!--no-onnx-layout", options->onnx_layout,
                 "tasks in their own layout only, not with conversions from and to ONNX's");
  verb->add_option(
          "--db", options->runnable.database,
          "tuning database with the schedules; without it, those that the base model chooses")
      ->type_name("FILE");
  verb->add_option("--shape", options->runnable.shapes,
                   "shape of an input that the file leaves open: x=1x3x48x192")
      ->type_name("NAME=SHAPE");
  verb->add_option("--target", options->runnable.target, "target (default: host)")->type_name("T");
  verb->add_option("--threads", options->runnable.threads, "threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddAccuracyOption(verb, &options->runnable.accuracy, "default: fast; a bundle's own");
  verb->add_option("--seconds", options->seconds,
                   "how long to run each of them, in seconds (default: 1)")
      ->type_name("S")
      ->check(CLI::Range(0.01, 3600.0));
  verb->add_option("--rounds", options->rounds,
                   "tasks: in so many slices of that time, in turns (default: 3)")
      ->type_name("N")
      ->check(CLI::Range(1, 100));
  verb->add_option("--json", options->json, "also write the report as JSON to this file")
      ->type_name("FILE");
  verb->add_flag("--profile", options->profile, "time of each node of a network");
  verb->add_option("--trace", options->trace,
                   "write the nodes of one run for chrome://tracing or Perfetto")
      ->type_name("FILE");
  AddCacheOption(verb, &options->runnable.use_cache);
  verb->footer(
      "A task is timed in its own layout (engine whet), and as an operator that stands alone in "
      "ONNX's\nlayout, conversions included (engine whet-onnx-layout). "
      "Times are milliseconds of one run. GFLOP/s: 2 x multiply-adds over the minimum, padding "
      "counted.\n"
      "Examples:\n"
      "  whet bench model.onnx --db tuning.db --profile\n"
      "  whet bench --tasks shapes.json --db tuning.db --json whet.json");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    const auto result = Bench(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
