// The kernels of a whole network: which groups of nodes run as one kernel, and an executor over
// kernels that were all checked.
//
// Thread safety: one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "driver/kernel_maker.h"
#include "graph/blocks.h"
#include "graph/graph.h"
#include "graph/partition.h"
#include "runtime/executor.h"
#include "tuning_db/database.h"

namespace whet {

// The partition with those of its blocks as one use each that records tell to be faster than their
// parts. `database` may be null: then no block is.
Result<Partition> FuseFasterBlocks(const Partition& partition, std::span<const Block> blocks,
                                   const Database* database);

// Makes the partition's kernels and loads the network: what runs is what was checked.
struct LoadedNetwork {
  std::unique_ptr<Executor> executor;
  MadeKernels kernels;  // their object files are gone
};
Result<LoadedNetwork> LoadWithKernels(const Graph& graph, const Partition& partition,
                                      KernelMaker& maker);

}  // namespace whet
