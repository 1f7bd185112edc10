#include "tools/session.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/fingerprint.h"
#include "graph/onnx_import.h"
#include "graph/passes.h"
#include "runtime/bundle_loader.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

void OnSignal(int signal) {
  if (InterruptFlag().exchange(true)) _exit(128 + signal);
}

}  // namespace

int Report(const Error& error) {
  std::fflush(stdout);
  std::string line = error.message;
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  std::fprintf(stderr, "whet: %s\n", line.c_str());
  if (error.code == ErrorCode::kInterrupted) return 130;
  return error.code == ErrorCode::kWrongResult ? 2 : 1;
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
                                const Target& target, Accuracy accuracy,
                                const std::map<std::string, Tensor>& values) {
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
  if (Status status = PrepareNetwork(target, accuracy, &network); !status)
    return Prefixed(status.error(), path);
  return network;
}

Status PrepareNetwork(const Target& target, Accuracy accuracy, Network* network) {
  network->graph = network->source;
  RETURN_IF_ERROR(RunPasses(network->graph));
  ASSIGN_OR_RETURN(network->partition, PartitionGraph(network->graph, target.ToString(), accuracy));
  ASSIGN_OR_RETURN(network->blocks, FindBlocks(network->graph, network->partition));
  return {};
}

Result<std::unique_ptr<WorkerClient>> StartWorkers() {
  WorkerOptions options;
  options.stop_requested = [] { return InterruptFlag().load(); };
  return WorkerClient::Start(std::move(options));
}

Json ReportContext(int threads) {
  utsname system{};
  uname(&system);
  return {
      {"machine", {{"cpu", CpuName()}, {"cores", AllowedCpuCount()}, {"system", system.sysname}}},
      {"threads", threads},
      {"date", Clock::System().NowUtc()},
      {"versions", {{"whet", kWhetVersion}, {"halide", kHalideVersion}}}};
}

Result<std::vector<NamedTask>> SelectTasks(const std::string& path,
                                           const std::vector<std::string>& only,
                                           const std::string& target, Accuracy accuracy) {
  ASSIGN_OR_RETURN(std::vector<NamedTask> all, ReadShapeList(path, target));
  for (NamedTask& named : all) named.task.accuracy = accuracy;
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
