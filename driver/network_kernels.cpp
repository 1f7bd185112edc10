#include "driver/network_kernels.h"

#include <optional>
#include <utility>

#include "base/file.h"
#include "codegen/network_compiler.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

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

}  // namespace

// Blocks with a record that beats those of their parts together and the handing over between them,
// or whose parts lack one.
Result<Partition> FuseFasterBlocks(const Partition& partition, std::span<const Block> blocks,
                                   const Database* database) {
  std::vector<Block> faster;
  if (database == nullptr) return FuseBlocks(partition, faster);
  for (const Block& block : blocks) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> whole, BestNs(block.task, *database));
    if (!whole) continue;
    int64_t parts = 0;
    bool all_known = true;
    for (int use : block.uses) {
      const Task& part = partition.tasks[partition.uses[use].task];
      ASSIGN_OR_RETURN(const std::optional<int64_t> part_ns, BestNs(part, *database));
      all_known &= part_ns.has_value();
      parts += part_ns.value_or(0);
      if (use == block.uses.back()) continue;
      ASSIGN_OR_RETURN(const TensorType between, part.OutputType());
      parts += between.bytes() / kHandOverBytesPerNs;
    }
    if (!all_known || *whole < parts) faster.push_back(block);
  }
  return FuseBlocks(partition, faster);
}

Result<LoadedNetwork> LoadWithKernels(const Graph& graph, const Partition& partition,
                                      KernelMaker& maker) {
  ASSIGN_OR_RETURN(const TemporaryDirectory directory, TemporaryDirectory::Create("whet"));
  LoadedNetwork loaded;
  ASSIGN_OR_RETURN(loaded.kernels, maker.Make(partition.tasks, directory.path()));
  RETURN_IF_ERROR(loaded.kernels.AllRight());
  ASSIGN_OR_RETURN(const CompiledNetwork compiled,
                   CompileNetwork(graph, partition, loaded.kernels.schedules,
                                  loaded.kernels.object_paths, directory.path()));
  ASSIGN_OR_RETURN(loaded.executor, LoadNetwork(compiled));
  SetThreadCount(loaded.executor->plan().threads);
  return loaded;
}

}  // namespace whet
