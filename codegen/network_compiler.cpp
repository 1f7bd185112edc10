#include "codegen/network_compiler.h"

#include "codegen/bundle.h"
#include "codegen/kernel_builder.h"
#include "codegen/kernel_compiler.h"

namespace whet {
Result<CompiledNetwork> CompileNetwork(const Graph& graph, const Partition& partition,
                                       std::span<const ChosenSchedule> schedules,
                                       std::vector<std::string> object_paths,
                                       const std::filesystem::path& directory) {
  const std::string name = BundleName(graph.name);
  CompiledNetwork network;
  ASSIGN_OR_RETURN(network.built, BuildPlan(graph, partition, schedules, name, partition.target));
  if (partition.tasks.empty()) return network;  // inputs and constants are passed on: no code
  network.object_paths = std::move(object_paths);
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
