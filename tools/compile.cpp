// `whet compile`: a network to a bundle.
#include <cstdio>
#include <filesystem>

#include "base/table.h"
#include "codegen/bundle.h"
#include "codegen/kernel_compiler.h"
#include "codegen/network_compiler.h"
#include "tools/accuracy_option.h"
#include "tools/kernels.h"
#include "tools/session.h"
#include "tools/tuner.h"
#include "tools/verbs.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

struct CompileOptions {
  std::string model, database, output, target = "host", on_miss = "default", emit = "static,shared",
                                       license, description;
  std::vector<std::string> shapes;
  std::optional<Accuracy> accuracy;
  int threads = 0;
  int64_t trials = 16;
  bool use_cache = true;
};

struct Emit {
  bool object = false, static_library = false, shared_object = false, stmt = false,
       assembly = false;
};

Result<Emit> ParseEmit(const std::string& text) {
  Emit emit;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, comma - begin);
    if (item == "object")
      emit.object = true;
    else if (item == "static")
      emit.static_library = true;
    else if (item == "shared")
      emit.shared_object = true;
    else if (item == "stmt")
      emit.stmt = true;
    else if (item == "asm")
      emit.assembly = true;
    else
      return Fail(ErrorCode::kInvalidInput,
                  "--emit '{}': expected object, static, shared, stmt or asm, with commas", item);
    begin = comma + 1;
  }
  return emit;
}

Json Provenance(const Network& network, const Partition& partition, const MadeKernels& kernels,
                Accuracy accuracy) {
  Json tasks = Json::array();
  for (size_t t = 0; t < kernels.schedules.size(); ++t) {
    const ChosenSchedule& schedule = kernels.schedules[t];
    tasks.push_back({{"task", partition.tasks[t].ToJson()},
                     {"trace", schedule.trace.ToJson()},
                     {"uses", partition.use_counts[t]}});
    if (schedule.record != 0) tasks.back()["record"] = schedule.record;
  }
  return {{"model_fingerprint", network.fingerprint},
          {"whet", kWhetVersion},
          {"halide", kHalideVersion},
          {"accuracy", Name(accuracy)},
          {"tasks", tasks}};
}

// Kernels' objects, lowered statements and assembly beside the bundle, in DIR.kernels.
Status EmitKernels(const Partition& partition, const MadeKernels& kernels,
                   const CompiledNetwork& compiled, const Emit& emit, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Fail(ErrorCode::kIo, "{}: {}", folder.string(), error.message());
  for (size_t t = 0; t < kernels.schedules.size(); ++t) {
    const std::string symbol = compiled.built.plan.kernels[t].symbol;
    const std::string base = (folder / symbol).string();
    if (emit.object) {
      fs::copy_file(compiled.object_paths[t], base + ".o", fs::copy_options::overwrite_existing,
                    error);
      if (error) return Fail(ErrorCode::kIo, "{}.o: {}", base, error.message());
    }
    if (emit.stmt || emit.assembly) {
      RETURN_IF_ERROR(
          CompileKernel(partition.tasks[t], kernels.schedules[t].trace, symbol,
                        {"", emit.stmt ? base + ".stmt" : "", emit.assembly ? base + ".s" : ""}));
    }
  }
  return {};
}

Status CheckOutput(const std::string& output) {
  const fs::path path = fs::absolute(output);
  const fs::path parent =
      path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  std::error_code error;
  if (!fs::is_directory(parent, error)) {
    return Fail(ErrorCode::kIo, "-o {}: there is no folder {}", output, parent.string());
  }
  return {};
}

Result<int> Compile(const CompileOptions& options) {
  ASSIGN_OR_RETURN(const Emit emit, ParseEmit(options.emit));
  RETURN_IF_ERROR(CheckOutput(options.output));
  ASSIGN_OR_RETURN(const Target target, ResolveTarget(options.target, options.threads));
  const OnMiss on_miss = options.on_miss == "error"  ? OnMiss::kError
                         : options.on_miss == "tune" ? OnMiss::kTune
                                                     : OnMiss::kDefault;
  if (on_miss == OnMiss::kTune && options.database.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                "--on-miss tune wants --db FILE to keep what it measures");
  }
  const Accuracy accuracy = options.accuracy.value_or(Accuracy::kFast);
  ASSIGN_OR_RETURN(const Network network,
                   LoadNetworkFile(options.model, options.shapes, target, accuracy));
  if (on_miss == OnMiss::kTune)
    RETURN_IF_ERROR(TuneMissing(network, options.database, target, options.trials));
  ASSIGN_OR_RETURN(const std::unique_ptr<Kernels> source,
                   Kernels::Create(target, {options.database, on_miss, options.use_cache}));
  ASSIGN_OR_RETURN(const Partition partition,
                   FuseFasterBlocks(network.partition, network.blocks, source->database()));
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Create("whet"));
  ASSIGN_OR_RETURN(const MadeKernels kernels,
                   source->maker().Make(partition.tasks, directory.path()));
  RETURN_IF_ERROR(kernels.AllRight());
  WarnOfUnchecked(kernels, target);
  ASSIGN_OR_RETURN(const CompiledNetwork compiled,
                   CompileNetwork(network.graph, partition, kernels.schedules, kernels.object_paths,
                                  directory.path()));
  BundleRequest request;
  request.plan = compiled.built.plan;
  request.constants = compiled.built.constants;
  request.object_paths = compiled.object_paths;
  request.name = BundleName(network.graph.name);
  request.license = options.license;
  request.description = options.description;
  request.provenance = Provenance(network, partition, kernels, accuracy);
  RETURN_IF_ERROR(WriteBundle(request, options.output, {emit.static_library, emit.shared_object}));
  if (emit.object || emit.stmt || emit.assembly) {
    std::string folder = options.output;
    while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
    RETURN_IF_ERROR(EmitKernels(partition, kernels, compiled, emit, folder + ".kernels"));
  }

  std::printf(
      "%s: %zu kernels (%d tuned, %zu default), %.1f MB of weights, %.1f MB arena, for %s\n",
      options.output.c_str(), kernels.schedules.size(), kernels.tuned,
      kernels.schedules.size() - static_cast<size_t>(kernels.tuned),
      static_cast<double>(request.constants.size()) / 1e6,
      static_cast<double>(request.plan.arena_bytes) / 1e6, request.plan.target.c_str());
  std::printf("kernels: %s\n", MakingText(kernels).c_str());
  Table table({"file", "bytes"});
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(options.output))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files)
    table.AddRow({file.filename().string(), std::to_string(fs::file_size(file))});
  std::fputs(table.ToString().c_str(), stdout);
  return 0;
}

}  // namespace

void RegisterCompile(CLI::App& app, int* exit_code) {
  CLI::App* verb = app.add_subcommand(
      "compile", "compile a network to a bundle: library, weights, header, manifest");
  auto options = std::make_shared<CompileOptions>();
  verb->add_option("model", options->model, "an ONNX file")->required();
  verb->add_option("-o,--output", options->output,
                   "the bundle's folder; replaced if it is a bundle")
      ->required();
  verb->add_option("--db", options->database, "tuning database with the records to compile");
  verb->add_option("--shape", options->shapes,
                   "NAME=SHAPE of an input that the file leaves open: x=1x3x48x192");
  verb->add_option("--target", options->target, "target (default: host), as x86-64-linux-avx2-4t");
  verb->add_option("--threads", options->threads, "threads (default: the target's)")
      ->check(CLI::Range(1, 1024));
  AddAccuracyOption(verb, &options->accuracy);
  verb->add_option(
          "--on-miss", options->on_miss,
          "for a task without a record: default (what the base model chooses), tune, error")
      ->check(CLI::IsMember({"default", "tune", "error"}));
  verb->add_option("--trials", options->trials,
                   "trials a missing task with --on-miss tune (default: 16)")
      ->check(CLI::Range(1, 1000000));
  verb->add_option(
      "--emit", options->emit,
      "with commas: static, shared (both by default), and into DIR.kernels object, stmt, asm");
  verb->add_option("--license", options->license, "licence text for the manifest");
  verb->add_option("--description", options->description, "description for the manifest");
  AddCacheOption(verb, &options->use_cache);
  verb->footer(
      "Example:\n  whet compile model.onnx --db tuning.db -o bundle\n"
      "  g++ main.cpp -I bundle bundle/libmodel.a -lpthread -ldl");
  verb->callback([options, exit_code] {
    CatchInterrupts();
    const auto result = Compile(*options);
    *exit_code = result ? *result : Report(result.error());
  });
}

}  // namespace whet
