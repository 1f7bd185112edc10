// A network with a schedule and a compiled kernel for every task, to something that runs: the
// kernels linked, and a plan over them. `whet run`, `whet bench`, `whet compile` and the tuner's
// comparison of networks all come here.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "codegen/plan_builder.h"
#include "runtime/executor.h"

namespace whet {

struct CompiledNetwork {
  BuiltPlan built;
  std::vector<std::string> object_paths;  // one a kernel
  std::string library_path;  // all of them, to be loaded into this process; empty: there are none
};

// `object_paths` has one object a task, which defines KernelSymbol(task, trace). Links into
// `directory`, which must exist until the network is loaded. Thread safety: pure function.
Result<CompiledNetwork> CompileNetwork(const Graph& graph, const Partition& partition,
                                       std::span<const ChosenSchedule> schedules,
                                       std::vector<std::string> object_paths,
                                       const std::filesystem::path& directory);

// Loads the library and makes an executor. The network's files may go once this has returned.
Result<std::unique_ptr<Executor>> LoadNetwork(const CompiledNetwork& network);

}  // namespace whet
