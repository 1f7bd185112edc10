#include "codegen/network_compiler.h"

#include "codegen/bundle.h"
#include "codegen/kernel_builder.h"
#include "codegen/kernel_compiler.h"

namespace whet {
namespace {

// Generous: the schedules are defaults, or have been compiled before.
constexpr int64_t kCompileLimitMs = 120'000;

}  // namespace

Result<CompiledNetwork> CompileNetwork(const Graph& graph, const Partition& partition,
                                       std::span<const ChosenSchedule> schedules,
                                       WorkerClient& client, const std::filesystem::path& directory,
                                       const std::function<void(size_t done)>& progress) {
  const std::string name = BundleName(graph.name);
  CompiledNetwork network;
  ASSIGN_OR_RETURN(network.built, BuildPlan(graph, partition, schedules, name, partition.target));
  if (partition.tasks.empty()) return network;  // inputs and constants are passed on: no code
  std::vector<KernelRequest> requests;
  for (size_t t = 0; t < partition.tasks.size(); ++t) {
    const std::string symbol = KernelSymbol(name, t);
    network.object_paths.push_back((directory / (symbol + ".o")).string());
    requests.push_back(
        {partition.tasks[t], schedules[t].trace, symbol, network.object_paths.back(), ""});
  }
  ASSIGN_OR_RETURN(const std::vector<KernelBuild> builds,
                   BuildKernels(requests, client, kCompileLimitMs, progress));
  for (size_t t = 0; t < builds.size(); ++t) {
    if (Status status = builds[t].ToStatus(); !status)
      return Prefixed(status.error(), partition.tasks[t].Describe());
  }
  network.library_path = (directory / ("lib" + name + "_kernels.so")).string();
  RETURN_IF_ERROR(LinkSharedObject(network.object_paths, network.library_path));
  return network;
}

Result<std::unique_ptr<Executor>> LoadNetwork(const CompiledNetwork& network) {
  std::shared_ptr<KernelLibrary> library;
  if (!network.library_path.empty()) {
    ASSIGN_OR_RETURN(library, KernelLibrary::Open(network.library_path));
  }
  std::vector<KernelFunction> kernels;
  for (const PlanKernel& kernel : network.built.plan.kernels) {
    ASSIGN_OR_RETURN(const KernelFunction function, library->Find(kernel.symbol));
    kernels.push_back(function);
  }
  return Executor::Create(network.built.plan, network.built.constants, std::move(kernels), library);
}

}  // namespace whet
