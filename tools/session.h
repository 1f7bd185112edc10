// What several verbs need: networks loaded and cut into tasks, schedules looked up, workers,
// interrupts, reports.
//
// Thread safety: one thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/status.h"
#include "base/version.h"
#include "codegen/target.h"
#include "codegen/worker.h"
#include "graph/blocks.h"
#include "graph/graph.h"
#include "graph/partition.h"
#include "tuning_db/database.h"

namespace whet {

// Prints "whet: MESSAGE" to standard error and returns the exit code of the error: 1, 2 where a
// result is wrong, or 130 if interrupted.
int Report(const Error& error);

// Set by Ctrl-C and SIGTERM once CatchInterrupts was called; a second Ctrl-C ends the process at
// once.
std::atomic<bool>& InterruptFlag();
void CatchInterrupts();

// "90", "90s", "5m", "1h30m": seconds.
Result<double> ParseDuration(const std::string& text);

// "host" or a target's spelling; `threads` above 0 replaces the target's.
Result<Target> ResolveTarget(const std::string& text, int threads);

// What a positional argument is.
enum class ArgumentKind { kModel, kBundle, kTask };
// A directory with a manifest is a bundle, "Op(" starts a task, everything else names an ONNX file.
ArgumentKind KindOf(const std::string& argument);

struct Network {
  Graph source;  // as imported
  Graph graph;   // after the passes
  Partition partition;
  std::vector<Block> blocks;  // of the partition's uses: what could run as one kernel
  std::string fingerprint;    // of the file's bytes and the static shapes
  std::string id;  // the file's name without extension; its folder's where that is "model"
};
// From `source`: the graph after the passes, its tasks and blocks.
Status PrepareNetwork(const Target& target, Accuracy accuracy, Network* network);
// `shapes` are "NAME=1x3x48x192" texts; `values`: what inputs will be, where that must be known.
Result<Network> LoadNetworkFile(const std::string& path, const std::vector<std::string>& shapes,
                                const Target& target, Accuracy accuracy = Accuracy::kFast,
                                const std::map<std::string, Tensor>& values = {});

// Workers of this program that stop when the user interrupts.
Result<std::unique_ptr<WorkerClient>> StartWorkers();

// {"machine", "threads", "date", "versions"}: what every report of ours carries.
Json ReportContext(int threads);

// The tasks of a shape list; with `only`, those ids in that order. kNotFound names an id that the
// list lacks.
Result<std::vector<NamedTask>> SelectTasks(const std::string& path,
                                           const std::vector<std::string>& only,
                                           const std::string& target,
                                           Accuracy accuracy = Accuracy::kFast);

// How this process was started, as a shell would read it.
std::string CommandLine();

// kIo where a file could not be written to `path`, said before hours of work; `option` names where
// it came from.
Status CheckWritable(const std::string& path, const std::string& option);

// Writes JSON to `path` atomically.
Status WriteJson(const std::string& path, const Json& json);

}  // namespace whet
