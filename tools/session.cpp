#include "tools/session.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "base/fingerprint.h"
#include "costmodel/cost_model.h"
#include "graph/onnx_import.h"
#include "graph/passes.h"
#include "runtime/bundle_loader.h"
#include "runtime/thread_pool.h"
#include "search/guess.h"

namespace whet {
namespace {

void OnSignal(int signal) {
  if (InterruptFlag().exchange(true)) _exit(128 + signal);
}

// The fastest run of the task's best record; nothing where it has none. A block and its parts were
// measured at different moments, and of those minima tell more than medians.
Result<std::optional<int64_t>> BestNs(const Task& task, const Database& database) {
  ASSIGN_OR_RETURN(const std::optional<Record> best, database.Best(task.Fingerprint()));
  if (!best) return std::optional<int64_t>();
  return std::optional<int64_t>(best->measurement.MinNs());
}

// A kernel is measured with its inputs where its own threads left them; in a network another kernel
// wrote them, for about half in another core's cache. Bytes a nanosecond that such a value is read
// at, as measured on chains of small kernels against their sum.
constexpr int64_t kHandOverBytesPerNs = 40;

// Blocks with a record that beats those of their parts together and the handing over between them,
// or whose parts lack one.
Result<std::vector<Block>> FasterBlocks(const Network& network, const Database* database) {
  std::vector<Block> faster;
  if (database == nullptr) return faster;
  for (const Block& block : network.blocks) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> whole, BestNs(block.task, *database));
    if (!whole) continue;
    int64_t parts = 0;
    bool all_known = true;
    for (int use : block.uses) {
      const Task& part = network.partition.tasks[network.partition.uses[use].task];
      ASSIGN_OR_RETURN(const std::optional<int64_t> part_ns, BestNs(part, *database));
      all_known &= part_ns.has_value();
      parts += part_ns.value_or(0);
      if (use == block.uses.back()) continue;
      ASSIGN_OR_RETURN(const TensorType between, part.OutputType());
      parts += between.bytes() / kHandOverBytesPerNs;
    }
    if (!all_known || *whole < parts) faster.push_back(block);
  }
  return faster;
}

}  // namespace

int Report(const Error& error) {
  std::fflush(stdout);
  std::string line = error.message;
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  std::fprintf(stderr, "whet: %s\n", line.c_str());
  return error.code == ErrorCode::kInterrupted ? 130 : 1;
}

std::atomic<bool>& InterruptFlag() {
  static std::atomic<bool> flag{false};
  return flag;
}

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

Result<double> ParseDuration(const std::string& text) {
  double total = 0;
  size_t at = 0;
  const auto bad = [&] {
    return Fail(ErrorCode::kInvalidInput,
                "'{}' is no duration; write seconds (90), 90s, 5m or 1h30m", text);
  };
  while (at < text.size()) {
    const size_t digits = text.find_first_not_of("0123456789.", at);
    const std::string number =
        text.substr(at, digits == std::string::npos ? std::string::npos : digits - at);
    if (number.empty() || number.size() > 12 || number == ".") return bad();
    const char unit = digits == std::string::npos ? 's' : text[digits];
    const double scale = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
    if (scale == 0) return bad();
    total += std::strtod(number.c_str(), nullptr) * scale;
    at = digits == std::string::npos ? text.size() : digits + 1;
  }
  if (!(total > 0)) return bad();
  return total;
}

Result<Target> ResolveTarget(const std::string& text, int threads) {
  ASSIGN_OR_RETURN(Target target,
                   text == "host" ? Target::Host(AllowedCpuCount()) : Target::Parse(text));
  if (threads > 0) target.threads = threads;
  return target;
}

ArgumentKind KindOf(const std::string& argument) {
  std::error_code ignored;
  if (std::filesystem::is_directory(argument, ignored)) return ArgumentKind::kBundle;
  const size_t paren = argument.find('(');
  const bool exists = std::filesystem::exists(argument, ignored);
  return paren != std::string::npos && !exists ? ArgumentKind::kTask : ArgumentKind::kModel;
}

Result<Network> LoadNetworkFile(const std::string& path, const std::vector<std::string>& shapes,
                                const Target& target, const std::map<std::string, Tensor>& values) {
  ImportOptions options;
  options.values = values;
  std::string key;
  for (const std::string& text : shapes) {
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(ErrorCode::kInvalidInput, "--shape '{}': write NAME=SHAPE, as in x=1x3x48x192",
                  text);
    }
    auto shape = ParseShape(text.substr(equals + 1));
    if (!shape) return Prefixed(shape.error(), "--shape '" + text + "'");
    options.shapes[text.substr(0, equals)] = *shape;
    key += ";" + text;
  }
  Network network;
  ASSIGN_OR_RETURN(network.source, ImportOnnxFile(path, options));
  const std::filesystem::path file(path);
  network.id = file.stem() == "model" && file.has_parent_path()
                   ? std::filesystem::absolute(file).parent_path().filename().string()
                   : file.stem().string();
  network.source.name = network.id;
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  network.fingerprint = Fingerprint(bytes + key);
  if (Status status = PrepareNetwork(target, &network); !status)
    return Prefixed(status.error(), path);
  return network;
}

Status PrepareNetwork(const Target& target, Network* network) {
  network->graph = network->source;
  RETURN_IF_ERROR(RunPasses(network->graph));
  ASSIGN_OR_RETURN(network->partition, PartitionGraph(network->graph, target.ToString()));
  ASSIGN_OR_RETURN(network->blocks, FindBlocks(network->graph, network->partition));
  return {};
}

Result<ChosenSchedule> ChooseSchedule(const Task& task, const Database* database, OnMiss on_miss,
                                      const MachineModel& machine) {
  ASSIGN_OR_RETURN(const SketchSpace space, SketchSpace::Create(task, machine));
  if (database != nullptr) {
    ASSIGN_OR_RETURN(const std::optional<Record> best, database->Best(task.Fingerprint()));
    // A record of an earlier version may speak of loops that the algorithm no longer has.
    if (best && space.Nest(best->trace)) return ChosenSchedule{best->trace, best->id};
  }
  if (on_miss == OnMiss::kError) {
    return Fail(ErrorCode::kNotFound,
                "{}: {} has no record of it for target {}; tune it, or take --on-miss default",
                task.Describe(), database ? database->path() : "no database (--db)", task.target);
  }
  // Never destroyed: at the program's end XGBoost's own statics are gone before it.
  static const auto& base = *new std::shared_ptr<CostModel>(MakeBaseModel(1));
  ASSIGN_OR_RETURN(Trace guess, GuessSchedule(task, machine, *base, AllowedCpuCount()));
  return ChosenSchedule{std::move(guess), 0};
}

Result<ChosenKernels> ChooseKernels(const Network& network, const Database* database,
                                    OnMiss on_miss, const MachineModel& machine) {
  ChosenKernels kernels;
  ASSIGN_OR_RETURN(const std::vector<Block> faster, FasterBlocks(network, database));
  kernels.partition = FuseBlocks(network.partition, faster);
  for (const Task& task : kernels.partition.tasks) {
    ASSIGN_OR_RETURN(ChosenSchedule schedule, ChooseSchedule(task, database, on_miss, machine));
    kernels.tuned += schedule.record != 0;
    kernels.schedules.push_back(std::move(schedule));
  }
  return kernels;
}

Result<std::unique_ptr<WorkerClient>> StartWorkers() {
  WorkerOptions options;
  options.stop_requested = [] { return InterruptFlag().load(); };
  return WorkerClient::Start(std::move(options));
}

Result<std::unique_ptr<Executor>> BuildExecutor(const Graph& graph, const ChosenKernels& kernels,
                                                WorkerClient& client) {
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Create("whet"));
  ASSIGN_OR_RETURN(
      const CompiledNetwork compiled,
      CompileNetwork(graph, kernels.partition, kernels.schedules, client, directory.path()));
  ASSIGN_OR_RETURN(std::unique_ptr<Executor> executor, LoadNetwork(compiled));
  SetThreadCount(executor->plan().threads);
  return executor;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

Json ReportContext(int threads) {
  utsname system{};
  uname(&system);
  return {
      {"machine", {{"cpu", CpuName()}, {"cores", AllowedCpuCount()}, {"system", system.sysname}}},
      {"threads", threads},
      {"date", Clock::System().NowUtc()},
      {"versions", {{"whet", kWhetVersion}, {"halide", "21.0.0"}}}};
}

Result<std::vector<NamedTask>> SelectTasks(const std::string& path,
                                           const std::vector<std::string>& only,
                                           const std::string& target) {
  ASSIGN_OR_RETURN(std::vector<NamedTask> all, ReadShapeList(path, target));
  if (only.empty()) return all;
  std::vector<NamedTask> selected;
  for (const std::string& id : only) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const NamedTask& task) { return task.id == id; });
    if (found == all.end()) {
      return Fail(ErrorCode::kNotFound,
                  "--only {}: {} has no such id; it has {} kernels, the first is '{}'", id, path,
                  all.size(), all.empty() ? "" : all[0].id);
    }
    selected.push_back(*found);
  }
  return selected;
}

std::string CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string line, word;
  while (std::getline(file, word, '\0')) {
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n\"'\\$&|;<>()*?[]{}`~#!") == std::string::npos;
    if (!plain) {
      std::string quoted = "'";
      for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      word = quoted + "'";
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

Status CheckWritable(const std::string& path, const std::string& option) {
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  if (access(parent.c_str(), W_OK | X_OK) == 0 && !std::filesystem::is_directory(path)) return {};
  return Fail(ErrorCode::kIo,
              "{} {}: cannot write there; name a file in a folder that exists and is writable",
              option, path);
}

Status WriteJson(const std::string& path, const Json& json) {
  return WriteFileAtomically(path, DumpJson(json, 1) + "\n");
}

}  // namespace whet
