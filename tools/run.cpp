// `whet run`: runs a network once on given inputs, writes the outputs, checks them.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>

#include "base/table.h"
#include "graph/evaluate.h"
#include "graph/tensor_io.h"
#include "tools/accuracy_option.h"
#include "tools/compare.h"
#include "tools/runnable.h"
#include "tools/test_data.h"
#include "tools/verbs.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

struct RunOptions {
  std::string network;
  RunnableOptions runnable;
  std::vector<std::string> inputs;
  std::string test_data, output, json;
  bool check = false;
};

std::string SafeFileName(const std::string& name) {
  std::string safe;
  for (char c : name)
    safe +=
        std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' ? c : '_';
  return safe;
}

// One an output; names that would be one file get the output's number behind them.
std::vector<std::string> FileNamesOf(const PlanSpec& plan) {
  std::vector<std::string> names;
  for (const PlanPort& port : plan.outputs) {
    std::string name = SafeFileName(port.name);
    while (std::find(names.begin(), names.end(), name) != names.end())
      name += fmt::format("_{}", names.size());
    names.push_back(std::move(name));
  }
  return names;
}

// What is known about the network's inputs before it is loaded.
struct KnownInputs {
  std::vector<std::string> names;         // of the model's inputs; of a bundle: none
  std::map<std::string, Tensor> tensors;  // of --input files, or the first set of test data
};

// Adds what the inputs at hand tell about a model: the shapes that it leaves open, and the values
// that have to be known in advance.
Status UseKnownInputs(const std::vector<fs::path>& folders, KnownInputs* known,
                      RunOptions* options) {
  if (KindOf(options->network) != ArgumentKind::kModel) return {};
  ASSIGN_OR_RETURN(const std::vector<ModelInput> inputs, ListInputs(options->network));
  for (const ModelInput& input : inputs) known->names.push_back(input.name);
  if (!folders.empty()) {
    ASSIGN_OR_RETURN(known->tensors, ReadTestInputs(folders[0], known->names));
  }
  std::vector<std::string>& shapes = options->runnable.shapes;
  for (std::string& shape : ShapesOfOpenInputs(inputs, shapes, known->tensors))
    shapes.push_back(std::move(shape));
  for (const auto& [name, tensor] : known->tensors) {
    // What must be known in advance is small: shapes, axes, bounds.
    if (tensor.count() <= 4096) options->runnable.values[name] = tensor;
  }
  return {};
}

// The sets of the test data, or one of --input files, and of made-up values where `fill` says so.
Result<std::vector<TestSet>> ReadSets(const std::vector<fs::path>& folders, const PlanSpec& plan,
                                      KnownInputs known, bool fill) {
  std::vector<TestSet> sets;
  if (known.names.empty()) {
    for (const PlanPort& port : plan.inputs) known.names.push_back(port.name);
  }
  for (const fs::path& folder : folders) {
    ASSIGN_OR_RETURN(TestSet set, ReadTestSet(folder, known.names, plan, known.tensors));
    sets.push_back(std::move(set));
  }
  if (!sets.empty()) return sets;
  TestSet& set = sets.emplace_back();
  set.name = "inputs";
  for (const std::string& name : known.names) {
    const bool input = std::any_of(plan.inputs.begin(), plan.inputs.end(),
                                   [&](const PlanPort& port) { return port.name == name; });
    if (!input) known.tensors.erase(name);  // compiled in
  }
  ASSIGN_OR_RETURN(set.inputs, MakeNetworkInputs(plan, std::move(known.tensors), fill));
  return sets;
}

Result<int> RunAll(RunOptions options) {
  std::vector<fs::path> folders;
  KnownInputs known;
  if (!options.test_data.empty()) {
    ASSIGN_OR_RETURN(folders, TestFolders(options.test_data));
  } else {
    ASSIGN_OR_RETURN(known.tensors, ReadInputFiles(options.inputs));
  }
  RETURN_IF_ERROR(UseKnownInputs(folders, &known, &options));
  ASSIGN_OR_RETURN(Runnable runnable, OpenRunnable(options.network, options.runnable));
  const PlanSpec& plan = runnable.executor->plan();
  ASSIGN_OR_RETURN(std::vector<TestSet> sets, ReadSets(folders, plan, std::move(known),
                                                       options.inputs.empty() && options.check));
  if (!options.output.empty()) {
    std::error_code error;
    fs::create_directories(options.output, error);
    if (error) return Fail(ErrorCode::kIo, "--output {}: {}", options.output, error.message());
  }

  const std::vector<std::string> file_names = FileNamesOf(plan);
  Table table({"set", "output", "type", "largest difference", "tolerance", "verdict"});
  Json results = Json::array();
  bool all_good = true;
  for (TestSet& set : sets) {
    ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, RunOnce(*runnable.executor, set.inputs));
    if (options.check && set.expected.empty()) {
      if (!runnable.network) {
        return Fail(ErrorCode::kInvalidInput,
                    "--check of a bundle needs --test-data with recorded outputs");
      }
      std::vector<const Tensor*> inputs;
      for (const Tensor& tensor : set.inputs) inputs.push_back(&tensor);
      ASSIGN_OR_RETURN(set.expected, Evaluate(runnable.network->source, inputs));
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      std::string difference = "-", bound = "-", verdict = "-";
      if (i < set.expected.size()) {
        const fs::path cases = fs::path(options.test_data).empty()
                                   ? fs::path()
                                   : (folders[0].parent_path().parent_path() / "cases.tsv");
        ASSIGN_OR_RETURN(
            const Tolerance tolerance,
            ToleranceOf(cases.string(),
                        folders.empty() ? "" : folders[0].parent_path().filename().string(),
                        set.number, static_cast<int>(i)));
        const Comparison comparison = CompareTensors(outputs[i], set.expected[i], tolerance);
        difference = fmt::format("{:.2e}", comparison.max_abs_diff);
        bound = fmt::format("{} {:.1e}", tolerance.compare, tolerance.value);
        verdict = comparison.ok ? "agrees" : comparison.why;
        all_good &= comparison.ok || !options.check;
        results.push_back({{"set", set.name},
                           {"output", plan.outputs[i].name},
                           {"ok", comparison.ok},
                           {"max_abs_diff", comparison.max_abs_diff},
                           {"error", comparison.error},
                           {"compare", tolerance.compare},
                           {"tolerance", tolerance.value}});
      }
      table.AddRow({set.name, plan.outputs[i].name, ToString(plan.outputs[i].type), difference,
                    bound, verdict});
      if (!options.output.empty()) {
        const std::string prefix = sets.size() > 1 ? set.name + "_" : "";
        const fs::path file = fs::path(options.output) / (prefix + file_names[i] + ".npy");
        RETURN_IF_ERROR(WriteFileAtomically(file, ToNpy(outputs[i])));
      }
    }
  }
  std::fputs(table.ToString().c_str(), stdout);
  if (!options.json.empty()) {
    RETURN_IF_ERROR(WriteJson(options.json, {{"schema_version", 1},
                                             {"context", ReportContext(plan.threads)},
                                             {"id", runnable.id},
                                             {"results", results}}));
  }
  return all_good ? 0 : 2;
}

}  // namespace

void RegisterRun(CLI::App& app, int* exit_code) {
  CLI::App* verb =
      app.add_subcommand("run", "run a network once: inputs in, outputs out, checked if asked");
  auto options = std::make_shared<RunOptions>();
  verb->add_option("network", options->network, "an ONNX file or a bundle's folder")->required();
  verb->add_option("--db", options->runnable.database,
                   "tuning database; without it, schedules that the base model chooses");
  verb->add_option("--shape", options->runnable.shapes,
                   "NAME=SHAPE of an input that the file leaves open: x=1x3x48x192");
  verb->add_option("--target", options->runnable.target, "target (default: host)");
  AddAccuracyOption(verb, &options->runnable.accuracy, "default: fast; a bundle's own");
  verb->add_option("--threads", options->runnable.threads, "threads (default: the target's)")
      ->check(CLI::Range(1, 1024));
  verb->add_option("--input", options->inputs, "NAME=FILE.npy or NAME=FILE.pb");
  verb->add_option("--test-data", options->test_data,
                   "folder of input_J.pb and output_J.pb, or of test_data_set_K");
  verb->add_option("--output", options->output, "folder for one .npy file an output");
  verb->add_option("--json", options->json, "write the comparison as JSON to this file");
  verb->add_flag("--check", options->check,
                 "compare with the recorded outputs (tolerances: cases.tsv beside the case, else "
                 "1e-3), or with the\n"
                 "operators' reference computations; exit code 2 where they differ");
  AddCacheOption(verb, &options->runnable.use_cache);
  verb->footer(
      "Examples:\n  whet run model.onnx --db tuning.db --input x=in.npy --output out\n"
      "  whet run resnet50/model.onnx --test-data resnet50 --check");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    const auto result = RunAll(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
