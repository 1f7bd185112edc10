// `whet inspect`: what a network, a bundle, a task, a record or the feature table consists of.
#include <cctype>
#include <cstdio>
#include <map>

#include "base/cpu.h"
#include "base/table.h"
#include "codegen/kernel_compiler.h"
#include "costmodel/features.h"
#include "runtime/bundle_loader.h"
#include "schedules/pipeline_task.h"
#include "schedules/task_label.h"
#include "tools/accuracy_option.h"
#include "tools/session.h"
#include "tools/tuner.h"
#include "tools/verbs.h"

namespace whet {
namespace {

struct InspectOptions {
  std::string what, database, target = "host", trace, emit, output, json;
  std::vector<std::string> shapes, scalars;
  std::optional<Accuracy> accuracy;
  int threads = 0;
  bool features = false;
};

void PrintPorts(const char* label, const std::vector<std::pair<std::string, TensorType>>& ports) {
  for (const auto& [name, type] : ports)
    std::printf("%-8s%s  %s\n", label, name.c_str(), ToString(type).c_str());
}

std::string Mflop(double flops) { return flops > 0 ? fmt::format("{:.2f}", flops / 1e6) : "-"; }

Result<int> InspectModel(const InspectOptions& options, Json* json) {
  ASSIGN_OR_RETURN(const Target target, ResolveTarget(options.target, options.threads));
  ASSIGN_OR_RETURN(const Network network,
                   LoadNetworkFile(options.what, options.shapes, target,
                                   options.accuracy.value_or(Accuracy::kFast)));
  std::vector<std::pair<std::string, TensorType>> inputs, outputs;
  for (ValueId id : network.graph.inputs)
    inputs.emplace_back(network.graph.values[id].name, network.graph.values[id].type);
  for (ValueId id : network.graph.outputs)
    outputs.emplace_back(network.graph.values[id].name, network.graph.values[id].type);
  double flops = 0;
  for (size_t t = 0; t < network.partition.tasks.size(); ++t)
    flops += network.partition.tasks[t].Flops() * network.partition.use_counts[t];
  std::printf(
      "%s: %zu nodes as imported, %zu after the passes, %zu kernels of %zu tasks, %s MFLOP\n",
      network.id.c_str(), network.source.nodes.size(), network.graph.nodes.size(),
      network.partition.uses.size(), network.partition.tasks.size(), Mflop(flops).c_str());
  PrintPorts("input", inputs);
  PrintPorts("output", outputs);
  std::printf("target  %s\n\n", target.ToString().c_str());
  Table table({"task", "fingerprint", "uses", "MFLOP each"});
  Table blocks({"block: several of these as one kernel, where that is measured to be faster",
                "fingerprint", "uses", "MFLOP each"});
  *json = {{"id", network.id},
           {"fingerprint", network.fingerprint},
           {"tasks", Json::array()},
           {"blocks", Json::array()}};
  const std::vector<TuningTask> tasks = TasksOf(network);
  const size_t parts = network.partition.tasks.size();
  for (size_t t = 0; t < tasks.size(); ++t) {
    const Task& task = tasks[t].task;
    (t < parts ? table : blocks)
        .AddRow({ShortLabel(task.Describe()), task.Fingerprint().substr(0, 8),
                 std::to_string(tasks[t].uses), Mflop(task.Flops())});
    (*json)[t < parts ? "tasks" : "blocks"].push_back({{"task", task.ToJson()},
                                                       {"describe", task.Describe()},
                                                       {"spelling", SpellTask(task)},
                                                       {"fingerprint", task.Fingerprint()},
                                                       {"uses", tasks[t].uses},
                                                       {"flops", task.Flops()}});
  }
  std::fputs(table.ToString().c_str(), stdout);
  if (tasks.size() > parts) std::printf("\n%s", blocks.ToString().c_str());
  return 0;
}

Result<int> InspectBundle(const InspectOptions& options, Json* json) {
  ASSIGN_OR_RETURN(Bundle bundle, OpenBundle(options.what));
  const PlanSpec& plan = bundle.executor->plan();
  std::printf("%s: %zu steps of %zu kernels for %s, %d threads\n", plan.model.c_str(),
              plan.steps.size(), plan.kernels.size(), plan.target.c_str(), plan.threads);
  std::vector<std::pair<std::string, TensorType>> inputs, outputs;
  for (const PlanPort& port : plan.inputs) inputs.emplace_back(port.name, port.type);
  for (const PlanPort& port : plan.outputs) outputs.emplace_back(port.name, port.type);
  PrintPorts("input", inputs);
  PrintPorts("output", outputs);
  std::printf("memory  %.2f MB of weights, %.2f MB arena\n\n",
              static_cast<double>(plan.constant_bytes) / 1e6,
              static_cast<double>(plan.arena_bytes) / 1e6);
  std::vector<int> uses(plan.kernels.size(), 0);
  for (const PlanStep& step : plan.steps)
    if (step.kernel >= 0) ++uses[step.kernel];
  Table table({"kernel", "task", "uses", "MFLOP each", "record"});
  for (size_t k = 0; k < plan.kernels.size(); ++k) {
    const PlanKernel& kernel = plan.kernels[k];
    table.AddRow({kernel.symbol, ShortLabel(kernel.describe), std::to_string(uses[k]),
                  Mflop(kernel.flops),
                  kernel.record > 0 ? std::to_string(kernel.record) : "untuned"});
  }
  std::fputs(table.ToString().c_str(), stdout);
  *json = bundle.manifest;
  return 0;
}

int InspectFeatures(Json* json) {
  Table table({"feature", "unit", "meaning"});
  *json = {{"feature_version", kFeatureVersion}, {"features", Json::array()}};
  for (const FeatureInfo& feature : FeatureTable()) {
    table.AddRow({feature.name, feature.unit, feature.meaning});
    (*json)["features"].push_back(
        {{"name", feature.name}, {"unit", feature.unit}, {"meaning", feature.meaning}});
  }
  std::fputs(table.ToString().c_str(), stdout);
  return 0;
}

Status EmitCode(const Task& task, const Trace& trace, const InspectOptions& options) {
  EmitRequest emit;
  const std::string prefix = options.output.empty() ? "kernel" : options.output;
  size_t begin = 0;
  while (begin <= options.emit.size()) {
    const size_t comma = std::min(options.emit.find(',', begin), options.emit.size());
    const std::string item = options.emit.substr(begin, comma - begin);
    if (item == "object")
      emit.object_path = prefix + ".o";
    else if (item == "stmt")
      emit.stmt_path = prefix + ".stmt";
    else if (item == "asm")
      emit.assembly_path = prefix + ".s";
    else
      return Fail(ErrorCode::kInvalidInput,
                  "--emit '{}': expected object, stmt or asm, with commas", item);
    begin = comma + 1;
  }
  RETURN_IF_ERROR(CompileKernel(task, trace, "whet_kernel", emit));
  for (const std::string& path : {emit.object_path, emit.stmt_path, emit.assembly_path})
    if (!path.empty()) std::printf("\nwrote %s", path.c_str());
  std::printf("\n");
  return {};
}

// A task under one schedule: its loop nest and the Halide calls that make it.
Result<int> InspectCandidate(Task task, const Trace* trace, const InspectOptions& options,
                             Json* json) {
  task.accuracy = options.accuracy.value_or(task.accuracy);
  ASSIGN_OR_RETURN(const Target target, Target::Parse(task.target));
  ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
  ASSIGN_OR_RETURN(const SketchSpace space, SketchSpace::Create(task, machine));
  std::printf("task    %s\n        %s, %s, %s MFLOP, fingerprint %s\n", task.Describe().c_str(),
              task.target.c_str(), std::string(Name(task.accuracy)).c_str(),
              Mflop(task.Flops()).c_str(), task.Fingerprint().c_str());
  const Trace chosen = trace ? *trace : space.Default();
  *json = {
      {"task", task.ToJson()}, {"fingerprint", task.Fingerprint()}, {"trace", chosen.ToJson()}};
  if (!trace) {
    std::printf("\n%zu sketch%s, %.3g schedules\n", space.sketches().size(),
                space.sketches().size() == 1 ? "" : "es", space.Size());
    for (const Sketch& sketch : space.sketches()) {
      std::printf("\n%s\n", sketch.name.c_str());
      Table table({"decision", "kind", "candidates"});
      for (const DecisionSpec& decision : sketch.decisions)
        table.AddRow({decision.name, decision.kind, std::to_string(decision.candidates.size())});
      std::fputs(table.ToString().c_str(), stdout);
    }
  }
  ASSIGN_OR_RETURN(const LoopNest nest, space.Nest(chosen));
  ASSIGN_OR_RETURN(const Dag* const dag, space.DagFor(chosen));
  std::printf("\n%s schedule: %s\n\n%s\n%s", trace ? "the" : "default",
              chosen.sketch.empty() ? "written by hand" : chosen.sketch.c_str(),
              ToString(*dag, nest).c_str(), chosen.ToCpp().c_str());
  if (options.features) {
    std::vector<float> row(FeatureTable().size());
    ExtractFeatures(*dag, nest, machine, row);
    Table table({"feature", "value", "unit"});
    for (size_t i = 0; i < row.size(); ++i) {
      table.AddRow({FeatureTable()[i].name, fmt::format("{:.6g}", row[i]), FeatureTable()[i].unit});
      (*json)["features"][FeatureTable()[i].name] = row[i];
    }
    std::printf("\n%s", table.ToString().c_str());
  }
  if (!options.emit.empty()) RETURN_IF_ERROR(EmitCode(task, chosen, options));
  return 0;
}

Result<int> InspectTask(const InspectOptions& options, Json* json) {
  ASSIGN_OR_RETURN(const Target target, ResolveTarget(options.target, options.threads));
  ASSIGN_OR_RETURN(const Task task, options.what.ends_with(".hlpipe")
                                        ? ReadPipelineTask(options.what, target.ToString(),
                                                           options.shapes, options.scalars)
                                        : ParseTaskSpelling(options.what, target.ToString()));
  if (options.trace.empty()) return InspectCandidate(task, nullptr, options, json);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(options.trace));
  auto parsed = ParseJson(text);
  if (!parsed) return Prefixed(parsed.error(), options.trace);
  auto trace = Trace::FromJson(*parsed);
  if (!trace) return Prefixed(trace.error(), options.trace);
  return InspectCandidate(task, &*trace, options, json);
}

// A file with a task and its trace, as `inspect --json` writes one and `db export` one a line, of
// which the first is shown.
Result<int> InspectTraceFile(const InspectOptions& options, Json* json) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(options.what));
  auto parsed = ParseJson(text);
  if (!parsed && options.what.ends_with(".jsonl"))
    parsed = ParseJson(text.substr(0, text.find('\n')));
  if (!parsed) return Prefixed(parsed.error(), options.what);
  if (!parsed->is_object() || !parsed->contains("trace") || !parsed->contains("task")) {
    return Fail(ErrorCode::kInvalidInput,
                "{}: expected a JSON object with \"task\" and \"trace\", as inspect --json and db "
                "export write it; for a trace alone, name the task and give --trace {}",
                options.what, options.what);
  }
  auto task = Task::FromJson((*parsed)["task"]);
  if (!task) return Prefixed(task.error(), options.what);
  auto trace = Trace::FromJson((*parsed)["trace"]);
  if (!trace) return Prefixed(trace.error(), options.what);
  return InspectCandidate(*task, &*trace, options, json);
}

Result<int> InspectRecord(const InspectOptions& options, Json* json) {
  if (options.database.empty())
    return Fail(ErrorCode::kInvalidInput,
                "record {}: give the tuning database that holds it with --db FILE", options.what);
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                   Database::Open(options.database, Database::Mode::kReadOnly));
  ASSIGN_OR_RETURN(const Record record, database->RecordById(std::stoll(options.what)));
  ASSIGN_OR_RETURN(const Task task, database->TaskByFingerprint(record.task));
  return InspectCandidate(task, &record.trace, options, json);
}

Result<int> Inspect(const InspectOptions& options) {
  if (!options.json.empty()) RETURN_IF_ERROR(CheckWritable(options.json, "--json"));
  const bool number = !options.what.empty() && options.what.size() < 18 &&
                      options.what.find_first_not_of("0123456789") == std::string::npos;
  if (options.accuracy &&
      (options.what == "features" || KindOf(options.what) == ArgumentKind::kBundle))
    return Fail(ErrorCode::kInvalidInput,
                "--accuracy: {} is inspected as it is; networks, tasks and records take it",
                options.what == "features" ? "the table of features" : "a bundle");
  Json json;
  const bool trace_file = options.what.ends_with(".json") || options.what.ends_with(".jsonl");
  Result<int> code = options.what == "features"          ? Result<int>(InspectFeatures(&json))
                     : number                            ? InspectRecord(options, &json)
                     : trace_file                        ? InspectTraceFile(options, &json)
                     : options.what.ends_with(".hlpipe") ? InspectTask(options, &json)
                     : KindOf(options.what) == ArgumentKind::kBundle ? InspectBundle(options, &json)
                     : KindOf(options.what) == ArgumentKind::kTask   ? InspectTask(options, &json)
                                                                     : InspectModel(options, &json);
  if (code && !options.json.empty()) {
    json["schema_version"] = 1;
    json["context"] = ReportContext(AllowedCpuCount());
    RETURN_IF_ERROR(WriteJson(options.json, json));
  }
  return code;
}

}  // namespace

void RegisterInspect(CLI::App& app, int* exit_code) {
  CLI::App* verb = app.add_subcommand(
      "inspect", "show what a network, bundle, task, record or the features consist of");
  auto options = std::make_shared<InspectOptions>();
  verb->add_option("what", options->what,
                   "an ONNX file, a bundle's folder, a task ('MatMul(a=64x64,b=64x64)'), a "
                   "Halide pipeline\n"
                   "(.hlpipe), a record's id, a file with a task and its trace (.json, .jsonl: of "
                   "inspect --json,\n"
                   "db export), or the word features for the table of what the cost model sees")
      ->type_name("MODEL|BUNDLE|TASK|PIPELINE|RECORD-ID|TRACE|features")
      ->required();
  verb->add_option("--db", options->database, "tuning database that holds the record")
      ->type_name("FILE");
  verb->add_option("--shape", options->shapes,
                   "shape of an input that the file leaves open: x=1x3x48x192")
      ->type_name("NAME=SHAPE");
  verb->add_option("--scalar", options->scalars,
                   "value of a scalar parameter of a pipeline: alpha=0.5")
      ->type_name("NAME=NUMBER");
  verb->add_option("--trace", options->trace,
                   "a task: under this trace (JSON) instead of the default schedule")
      ->type_name("FILE");
  verb->add_flag("--features", options->features, "a task or record: its features");
  verb->add_option("--emit", options->emit,
                   "a task or record: also write object, stmt (lowered), asm; with commas");
  verb->add_option("-o,--output", options->output, "prefix of what --emit writes (default: kernel)")
      ->type_name("PREFIX");
  verb->add_option("--target", options->target, "target (default: host)")->type_name("T");
  verb->add_option("--threads", options->threads, "threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddAccuracyOption(verb, &options->accuracy, "default: fast; a record's own");
  verb->add_option("--json", options->json, "also write it as JSON to this file")
      ->type_name("FILE");
  verb->footer(
      "Examples:\n"
      "  whet inspect model.onnx\n"
      "  whet inspect 'Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu' --emit stmt,asm -o conv\n"
      "  whet inspect 42 --db tuning.db --features --json winner.json\n"
      "  whet inspect winner.json --emit stmt,asm -o winner");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    const auto result = Inspect(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
