// A network with a schedule for every task, to something that runs: kernels built in worker
// processes, linked, and a plan over them. `whet run`, `whet bench`, `whet compile` and the tuner's
// comparison of networks all come here.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "codegen/plan_builder.h"
#include "codegen/worker.h"
#include "runtime/executor.h"

namespace whet {

struct CompiledNetwork {
  BuiltPlan built;
  std::vector<std::string> object_paths;  // one a kernel
  std::string library_path;  // all of them, to be loaded into this process; empty: there are none
};

// Builds into `directory`, which must exist and outlive the executor. A kernel that does not build
// is an error that names the task. Thread safety: that of the client.
Result<CompiledNetwork> CompileNetwork(const Graph& graph, const Partition& partition,
                                       std::span<const ChosenSchedule> schedules,
                                       WorkerClient& client, const std::filesystem::path& directory,
                                       const std::function<void(size_t done)>& progress = {});

// Loads the library and makes an executor. The network's files may go once this has returned.
Result<std::unique_ptr<Executor>> LoadNetwork(const CompiledNetwork& network);

}  // namespace whet
