// `whet run`: runs a network once on given inputs, writes the outputs, checks them.
#include <cctype>
#include <cstdio>
#include <filesystem>

#include "base/table.h"
#include "graph/evaluate.h"
#include "graph/tensor_io.h"
#include "tools/accuracy_option.h"
#include "tools/compare.h"
#include "tools/runnable.h"
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

// One set of inputs, with what must come out where that is known.
struct TestSet {
  std::string name;
  int number = 0;
  std::vector<Tensor> inputs, expected;
};

std::string SafeFileName(const std::string& name) {
  std::string safe;
  for (char c : name)
    safe +=
        std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' ? c : '_';
  return safe;
}

Result<TestSet> ReadTestSet(const fs::path& folder, const PlanSpec& plan) {
  TestSet set;
  set.name = folder.filename().string();
  const size_t digits = set.name.find_last_not_of("0123456789") + 1;
  if (digits < set.name.size() && set.name.size() - digits < 9)
    set.number = std::stoi(set.name.substr(digits));
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const fs::path file = folder / fmt::format("input_{}.pb", i);
    ASSIGN_OR_RETURN(Tensor tensor, ReadTensorFile(file.string()));
    if (tensor.type() != plan.inputs[i].type) {
      return Fail(ErrorCode::kInvalidInput, "{}: input '{}' is {}, the file holds {}{}",
                  file.string(), plan.inputs[i].name, ToString(plan.inputs[i].type),
                  ToString(tensor.type()),
                  tensor.dtype() == plan.inputs[i].type.dtype
                      ? fmt::format("; --shape {}={} would fit it", plan.inputs[i].name,
                                    ToString(tensor.shape()))
                      : "");
    }
    set.inputs.push_back(std::move(tensor));
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const fs::path file = folder / fmt::format("output_{}.pb", i);
    if (!fs::exists(file)) break;
    ASSIGN_OR_RETURN(Tensor tensor, ReadTensorFile(file.string()));
    set.expected.push_back(std::move(tensor));
  }
  return set;
}

// A folder with input_0.pb, or one with folders test_data_set_K of that kind.
Result<std::vector<fs::path>> TestFolders(const std::string& path) {
  if (fs::exists(fs::path(path) / "input_0.pb")) return std::vector<fs::path>{fs::path(path)};
  std::vector<fs::path> folders;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error))
    if (entry.path().filename().string().rfind("test_data_set_", 0) == 0)
      folders.push_back(entry.path());
  if (folders.empty()) {
    return Fail(
        ErrorCode::kNotFound,
        "--test-data {}: expected a folder with input_0.pb, or with folders test_data_set_0, ..",
        path);
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Without --shape, the shapes of the inputs in the test data are the static shapes.
void AddShapesOfTestData(const RunOptions& options, const std::vector<fs::path>& folders,
                         std::vector<std::string>* shapes) {
  if (!shapes->empty() || KindOf(options.network) != ArgumentKind::kModel) return;
  const auto network = LoadNetworkFile(options.network, {}, Target::Host(1));
  if (network) return;  // static already
  // Single-input networks need no name matching beyond the message's own list; try each recorded
  // name.
  for (int i = 0;; ++i) {
    const fs::path file = folders[0] / fmt::format("input_{}.pb", i);
    if (!fs::exists(file)) return;
    const auto bytes = ReadFile(file);
    const auto tensor = ReadTensorFile(file.string());
    if (!bytes || !tensor) return;
    const std::string& message = network.error().message;
    const size_t quote = message.find('\'');
    const size_t end = quote == std::string::npos ? quote : message.find('\'', quote + 1);
    if (end == std::string::npos) return;
    shapes->push_back(message.substr(quote + 1, end - quote - 1) + "=" + ToString(tensor->shape()));
  }
}

Result<int> RunAll(RunOptions options) {
  std::vector<fs::path> folders;
  if (!options.test_data.empty()) {
    ASSIGN_OR_RETURN(folders, TestFolders(options.test_data));
    AddShapesOfTestData(options, folders, &options.runnable.shapes);
  }
  ASSIGN_OR_RETURN(Runnable runnable, OpenRunnable(options.network, options.runnable));
  const PlanSpec& plan = runnable.executor->plan();
  std::vector<TestSet> sets;
  for (const fs::path& folder : folders) {
    ASSIGN_OR_RETURN(TestSet set, ReadTestSet(folder, plan));
    sets.push_back(std::move(set));
  }
  if (sets.empty()) {
    TestSet set;
    set.name = "inputs";
    ASSIGN_OR_RETURN(set.inputs, MakeNetworkInputs(plan, options.inputs,
                                                   options.inputs.empty() && options.check));
    sets.push_back(std::move(set));
  }
  if (!options.output.empty()) {
    std::error_code error;
    fs::create_directories(options.output, error);
    if (error) return Fail(ErrorCode::kIo, "--output {}: {}", options.output, error.message());
  }

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
        const fs::path file =
            fs::path(options.output) / (prefix + SafeFileName(plan.outputs[i].name) + ".npy");
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
