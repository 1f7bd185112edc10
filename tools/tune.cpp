// `whet tune`: searches for the fastest schedules of a network's kernels, or of single tasks.
#include <algorithm>
#include <cstdio>
#include <map>

#include "base/file.h"
#include "base/table.h"
#include "codegen/kernel_compiler.h"
#include "schedules/pipeline_task.h"
#include "tools/accuracy_option.h"
#include "tools/task_network.h"
#include "tools/tune_plan.h"
#include "tools/tuner.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct TuneOptions {
  std::vector<std::string> what, only, shapes, scalars;
  std::string tasks_file, target = "host", time_budget, json, pipeline, output;
  int threads = 0;
  int64_t trials = -1;
  bool onnx_layout = false, dry_run = false;
  std::optional<Accuracy> accuracy;
  TunerOptions tuner;
};

// What is to be tuned: a network's tasks, or named ones.
struct Work {
  std::optional<Network> network;
  std::vector<TuningTask> tasks;
};

// With each task, what computes it in ONNX's layout: the conversions, and one kernel in their
// stead.
Result<std::vector<TuningTask>> WithOnnxLayout(const std::vector<TuningTask>& tasks,
                                               const Target& target) {
  std::vector<TuningTask> all;
  std::map<std::string, size_t> index_of;  // by fingerprint
  for (const TuningTask& task : tasks) {
    ASSIGN_OR_RETURN(const Network network, NetworkOfTask(task.label, task.task, target));
    for (TuningTask& part : TasksOf(network)) {
      const auto [at, added] = index_of.try_emplace(part.task.Fingerprint(), all.size());
      if (added) {
        all.push_back(std::move(part));
      } else {
        all[at->second].uses += part.uses;
      }
    }
  }
  return all;
}

Result<Work> ReadWork(const TuneOptions& options, const Target& target) {
  Work work;
  const Accuracy accuracy = options.accuracy.value_or(Accuracy::kFast);
  if (!options.tasks_file.empty()) {
    ASSIGN_OR_RETURN(const std::vector<NamedTask> named,
                     SelectTasks(options.tasks_file, options.only, target.ToString()));
    for (const NamedTask& task : named) work.tasks.push_back({task.task, 1, task.id});
  }
  if (!options.pipeline.empty()) {
    ASSIGN_OR_RETURN(Task task, ReadPipelineTask(options.pipeline, target.ToString(),
                                                 options.shapes, options.scalars));
    work.tasks.push_back({std::move(task), 1, ""});
  }
  for (const std::string& text : options.what) {
    switch (KindOf(text)) {
      case ArgumentKind::kBundle:
        return Fail(ErrorCode::kInvalidInput,
                    "{}: this is a folder; tune takes ONNX files and tasks", text);
      case ArgumentKind::kTask: {
        ASSIGN_OR_RETURN(Task task, ParseTaskSpelling(text, target.ToString()));
        work.tasks.push_back({std::move(task), 1, ""});
        break;
      }
      case ArgumentKind::kModel:
        if (options.what.size() > 1 || !options.tasks_file.empty()) {
          return Fail(ErrorCode::kInvalidInput,
                      "{}: a network is tuned alone; name one ONNX file, or tasks", text);
        }
        ASSIGN_OR_RETURN(work.network, LoadNetworkFile(text, options.shapes, target, accuracy));
        work.tasks = TasksOf(*work.network);
        if (work.tasks.empty()) {
          return Fail(
              ErrorCode::kInvalidInput,
              "{}: there is nothing to tune: the network needs no kernel, since its outputs "
              "are its inputs or constants, at most under another shape",
              text);
        }
    }
  }
  for (TuningTask& task : work.tasks) task.task.accuracy = accuracy;
  if (options.onnx_layout) {
    if (work.network || !options.pipeline.empty())
      return Fail(ErrorCode::kInvalidInput,
                  "--onnx-layout is for tasks; networks are always tuned as ONNX has them");
    ASSIGN_OR_RETURN(work.tasks, WithOnnxLayout(work.tasks, target));
  }
  if (work.tasks.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "nothing to tune: name an ONNX file, tasks such as 'MatMul(a=64x64,b=64x64)', "
                "--tasks FILE or --pipeline FILE.hlpipe");
  }
  if (!work.network && options.pipeline.empty() && !options.shapes.empty())
    return Fail(ErrorCode::kInvalidInput,
                "--shape sets inputs of an ONNX file; a task's spelling has its shapes");
  return work;
}

std::string Ms(double ms) {
  return ms > 0 ? fmt::format("{:.{}f}", ms, ms < 0.1 ? 5 : ms < 10 ? 4 : 2) : "-";
}

void PrintTasks(const TuningOutcome& outcome) {
  Table table({"task", "uses", "trials", "failed", "default ms", "best ms", "speedup", "min ms",
               "GFLOP/s"});
  for (const TaskOutcome& task : outcome.tasks) {
    table.AddRow({task.short_label, std::to_string(task.uses), std::to_string(task.trials),
                  std::to_string(task.failed), Ms(task.default_ms), Ms(task.best_ms),
                  task.best_ms > 0 && task.default_ms > 0
                      ? fmt::format("{:.2f}", task.default_ms / task.best_ms)
                      : "-",
                  Ms(task.best_min_ms),
                  task.gflops > 0 ? fmt::format("{:.1f}", task.gflops) : "-"});
  }
  std::fputs(table.ToString().c_str(), stdout);
  for (const TaskOutcome& task : outcome.tasks)
    if (!task.error.empty()) std::printf("%s: %s\n", task.label.c_str(), task.error.c_str());
  const auto converged = std::count_if(outcome.tasks.begin(), outcome.tasks.end(),
                                       [](const TaskOutcome& task) { return task.converged; });
  if (converged > 0)
    std::printf("%lld of %zu tasks ended before their budget: no gain for long (--patience)\n",
                static_cast<long long>(converged), outcome.tasks.size());
}

void PrintSummary(const TunerReport& report, const std::string& database) {
  const TuningOutcome& outcome = report.outcome;
  std::printf("\nrun %lld in %s: %lld candidates measured in %.1f s (%.1f a second",
              static_cast<long long>(outcome.run_id), database.c_str(),
              static_cast<long long>(outcome.measured), outcome.seconds,
              outcome.CandidatesPerSecond());
  if (outcome.scored > 0)
    std::printf("), %lld scored (%.0f a second", static_cast<long long>(outcome.scored),
                outcome.ScoredPerSecond());
  std::printf(")\n");
  if (outcome.noise && outcome.repeatability)
    std::printf(
        "noise: samples of a kernel scatter by %.1f %%, finals differ from trials by %.1f %% "
        "(medians)\n",
        100 * *outcome.noise, 100 * *outcome.repeatability);
  if (report.tuned_ms > 0) {
    std::printf("network: %s ms untuned, %s ms tuned: %.2f times as fast\n",
                Ms(report.untuned_ms).c_str(), Ms(report.tuned_ms).c_str(),
                report.untuned_ms / report.tuned_ms);
  }
  if (outcome.interrupted)
    std::printf("interrupted: all measurements are saved; the same command goes on\n");
}

Status WriteReport(const std::string& path, const TunerReport& report, int threads) {
  Json json = ToJson(report.outcome);
  json["schema_version"] = 1;
  json["context"] = ReportContext(threads);
  if (report.tuned_ms > 0) {
    json["untuned_ms"] = report.untuned_ms;
    json["tuned_ms"] = report.tuned_ms;
  }
  return WriteJson(path, json);
}

// The best schedule of the pipeline as PREFIX.schedule.h, as PREFIX.o and as the PREFIX.h to call
// that.
Status WritePipeline(const Task& task, const std::string& database_path,
                     const std::string& prefix) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                   Database::Open(database_path, Database::Mode::kReadOnly));
  ASSIGN_OR_RETURN(const std::optional<Record> best, database->Best(task.Fingerprint()));
  if (!best) return {};  // the table has said so
  ASSIGN_OR_RETURN(const std::string schedule, PipelineScheduleToCpp(task, best->trace));
  const std::string symbol = task.nodes[0].attributes.String("name");
  RETURN_IF_ERROR(CompileKernel(task, best->trace, symbol, {prefix + ".o", "", ""}));
  std::string parameters;
  for (const TaskInput& input : task.inputs)
    parameters += fmt::format("struct halide_buffer_t *{}, ", input.name);
  const std::string header = fmt::format(
      "// {}, compiled by whet for {}; needs the Halide runtime.\n#pragma once\n"
      "struct halide_buffer_t;\n#ifdef __cplusplus\nextern \"C\"\n#endif\n"
      "int {}({}struct halide_buffer_t *{});\n",
      task.Describe(), task.target, symbol, parameters, task.output);
  RETURN_IF_ERROR(WriteFileAtomically(prefix + ".schedule.h", schedule));
  RETURN_IF_ERROR(WriteFileAtomically(prefix + ".h", header));
  std::printf("wrote %s.schedule.h, %s.o and %s.h\n", prefix.c_str(), prefix.c_str(),
              prefix.c_str());
  return {};
}

Result<int> TuneVerb(TuneOptions options) {
  ASSIGN_OR_RETURN(const Target target, ResolveTarget(options.target, options.threads));
  if (!options.time_budget.empty()) {
    auto seconds = ParseDuration(options.time_budget);
    if (!seconds) return Prefixed(seconds.error(), "--time-budget");
    options.tuner.time_budget_s = *seconds;
  }
  options.tuner.trials = options.trials >= 0           ? options.trials
                         : options.time_budget.empty() ? 64
                                                       : 0;
  if (!options.json.empty()) RETURN_IF_ERROR(CheckWritable(options.json, "--json"));
  if (!options.only.empty() && options.tasks_file.empty())
    return Fail(ErrorCode::kInvalidInput,
                "--only selects from a shape list; give --tasks FILE with it");
  if (!options.output.empty()) {
    if (options.pipeline.empty())
      return Fail(ErrorCode::kInvalidInput,
                  "-o names what --pipeline writes; a network is shipped by whet compile");
    RETURN_IF_ERROR(CheckWritable(options.output + ".schedule.h", "-o"));
  }
  if (!options.pipeline.empty() && (!options.what.empty() || !options.tasks_file.empty()))
    return Fail(ErrorCode::kInvalidInput, "--pipeline {}: a pipeline is tuned alone",
                options.pipeline);
  ASSIGN_OR_RETURN(const Work work, ReadWork(options, target));
  if (options.dry_run) {
    const bool blocks = work.network && !work.network->blocks.empty();
    RETURN_IF_ERROR(
        PrintTuningPlan(work.tasks, blocks, options.tuner.database, options.json, target.threads));
    return 0;
  }
  ASSIGN_OR_RETURN(
      const TunerReport report,
      Tune(work.tasks, work.network ? &*work.network : nullptr, target, options.tuner));
  PrintTasks(report.outcome);
  PrintSummary(report, options.tuner.database);
  if (!options.output.empty()) {
    RETURN_IF_ERROR(WritePipeline(work.tasks[0].task, options.tuner.database, options.output));
  }
  if (!options.json.empty()) RETURN_IF_ERROR(WriteReport(options.json, report, target.threads));
  if (report.outcome.interrupted) return 130;
  for (const TaskOutcome& task : report.outcome.tasks)
    if (task.best_record == 0) return 3;
  return 0;
}

}  // namespace

void RegisterTune(CLI::App& app, int* exit_code) {
  CLI::App* verb = app.add_subcommand(
      "tune", "search for the fastest schedules of a network's kernels, or of tasks");
  auto options = std::make_shared<TuneOptions>();
  verb->add_option("what", options->what,
                   "an ONNX file, or tasks: 'Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu'")
      ->type_name("MODEL|TASK...");
  verb->add_option("--tasks", options->tasks_file, "a list of kernel shapes (JSON) to tune")
      ->type_name("FILE");
  verb->add_option("--only", options->only, "of that list, these ids")->type_name("ID...");
  verb->add_flag("--onnx-layout", options->onnx_layout,
                 "tune tasks as operators of a network in ONNX's layout: with the conversions that "
                 "they need,\nand in that layout itself where that may be faster");
  verb->add_option("--pipeline", options->pipeline,
                   "a Halide pipeline (Halide::serialize_pipeline, with estimates) to tune")
      ->type_name("FILE.hlpipe");
  verb->add_option("--scalar", options->scalars,
                   "value of a scalar parameter of the pipeline: alpha=0.5")
      ->type_name("NAME=NUMBER");
  verb->add_option("-o,--output", options->output,
                   "with --pipeline: write the best schedule as C++ to PREFIX.schedule.h, compiled "
                   "to PREFIX.o\nwith PREFIX.h")
      ->type_name("PREFIX");
  verb->add_option("--db", options->tuner.database,
                   "tuning database; made if it is missing, gone on with if not")
      ->type_name("FILE")
      ->required();
  verb->add_option("--trials", options->trials,
                   "candidates to measure for each task, those already in the database included\n"
                   "(default: 64, or no limit with --time-budget)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{1000000000}));
  verb->add_option("--time-budget", options->time_budget,
                   "for the whole run: 90s, 5m, 1h30m (default: no limit)")
      ->type_name("TIME");
  verb->add_option("--shape", options->shapes,
                   "shape of an input that the file leaves open: x=1x3x48x192; of a pipeline's, "
                   "dimension 0 first")
      ->type_name("NAME=SHAPE");
  verb->add_option("--target", options->target,
                   "what to compile for: host, or as whet env spells it (default: host)")
      ->type_name("T");
  verb->add_option("--threads", options->threads, "threads a kernel may use (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddAccuracyOption(verb, &options->accuracy);
  verb->add_option("--seed", options->tuner.seed, "seed of all random choices (default: 0)")
      ->type_name("S");
  verb->add_option("--search", options->tuner.search,
                   "evolutionary (default), random, or grid: the points of a lattice, in order")
      ->type_name("NAME")
      ->check(CLI::IsMember({"evolutionary", "random", "grid"}));
  verb->add_option("--cost-model", options->tuner.cost_model,
                   "xgboost (default), analytic (the roofline alone) or random")
      ->type_name("NAME")
      ->check(CLI::IsMember({"xgboost", "analytic", "random"}));
  verb->add_flag("!--no-base-model", options->tuner.base_model,
                 "xgboost: begin with the analytic estimate instead of the pretrained model");
  verb->add_flag("!--no-transfer", options->tuner.transfer,
                 "do not begin with what was fast for similar tasks of the database");
  verb->add_option("--patience", options->tuner.patience,
                   "a task is done after N trials without a gain of 2 % (default: 256; 0: never)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{1000000000}));
  verb->add_option("--without", options->tuner.without,
                   "leave parts of the search out, to see what they earn")
      ->type_name("PART...")
      ->check(CLI::IsMember(
          std::vector<std::string>(std::begin(kSearchParts), std::end(kSearchParts))));
  verb->add_option("--cache", options->tuner.cache,
                   "warm (default): calls of a kernel follow each other, and find in the caches "
                   "what the last one left.\ncold: before every timed call the caches are emptied, "
                   "as if much else ran between; slower to measure.\nRecords of the other mode do "
                   "not count as trials: their times do not compare")
      ->type_name("MODE")
      ->check(
          CLI::IsMember(std::vector<std::string>(std::begin(kCacheModes), std::end(kCacheModes))));
  verb->add_flag(
      "--dry-run", options->dry_run,
      "list the tasks, their FLOPs and the share of time that they have now; tune nothing");
  verb->add_option("--progress", options->tuner.progress,
                   "auto (default: tty on a terminal, else plain), tty, plain, json or none; to "
                   "standard error")
      ->type_name("MODE")
      ->check(CLI::IsMember({"auto", "tty", "plain", "json", "none"}));
  verb->add_option("--json", options->json, "also write the report as JSON to this file")
      ->type_name("FILE");
  AddCacheOption(verb, &options->tuner.use_cache);
  verb->footer(
      "Ctrl-C stops the run with everything saved; the same command goes on where it stopped.\n"
      "Exit codes: 0 done, 1 a mistake in what was asked, 2 a kernel to compare with is wrong "
      "under "
      "all its schedules,\n3 no schedule of some task worked, 130 interrupted.\n"
      "Examples:\n"
      "  whet tune model.onnx --db tuning.db --time-budget 5m\n"
      "  whet tune 'Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu' --db tuning.db --trials 64\n"
      "  whet tune --tasks shapes.json --only resnet50.conv3x3_56_64 --db tuning.db\n"
      "  whet tune --pipeline blur.hlpipe --db tuning.db -o blur");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    options->tuner.command = CommandLine();
    const auto result = TuneVerb(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
