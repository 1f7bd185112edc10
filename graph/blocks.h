// Blocks: several uses of a partition, one after the other, that could run as one kernel: thin
// kernels whose values stay in a cache, a gate (a few numbers computed of a value and multiplied
// with it, as squeeze-and-excitation has them) with the kernels before and after it, or a kernel
// with the conversions around it, which then computes in the layout that comes and goes
// (channels_first.h).
//
// Whether that is faster is for measurements to say: a block's task is tuned beside the tasks of
// its parts, and a network runs the one or the other (FuseBlocks). Thread safety: plain values.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "graph/partition.h"

namespace whet {

struct Block {
  Task task;
  std::vector<int> uses;          // its parts: indices into Partition::uses, in execution order
  std::vector<ValueId> operands;  // one an input of the task, aliases resolved
};

// A block saves the writing and reading of the values between its parts. It is offered where its
// arithmetic is at most this many floating point operations a byte so saved: at 330 GFLOP/s and 40
// GB/s, where the saving is a tenth of the arithmetic's time. An inverted residual has 20, two
// 3x3 convolutions of 64 channels 140.
inline constexpr double kMaxFlopsPerByteSaved = 80;
inline constexpr int kMaxBlockKernels = 3;  // conversions and gates beside them
// A gate: uses one after the other from a value to the only other use that reads it, with at most
// this much arithmetic for each of the value's elements.
inline constexpr double kMaxGateFlopsPerElement = 8;

// The blocks worth trying, no two with a use in common. A value between two parts is read by the
// second alone (or by a gate), in the shape in which the first writes it; edges with most bytes are
// taken first.
Result<std::vector<Block>> FindBlocks(const Graph& graph, const Partition& partition);

// The partition with each of `blocks` (no two with a use in common) as one use.
Partition FuseBlocks(const Partition& partition, std::span<const Block> blocks);

}  // namespace whet
