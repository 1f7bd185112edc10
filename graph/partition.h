// A graph cut into tasks: each a reduction or movement operator with the elementwise nodes that
// follow it.
//
// An elementwise node joins the task of the value that it reads if the value keeps its shape,
// everything else that it reads is known by then, and one value alone leaves the task: so y = a *
// f(a) joins as a whole, and a residual Add joins the later of its two producers. Elementwise nodes
// without a producer to join form a task of their own.
//
// Tasks are deduplicated; a task's inputs are named i0, i1, .. and its values t0, t1, .. so that
// equal work has one fingerprint. Views (Reshape) are no tasks: their output is an alias of their
// input. Thread safety: plain values.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "schedules/task.h"

namespace whet {

struct TaskUse {
  int task = 0;                   // index into Partition::tasks
  std::string name;               // of the node whose value the kernel writes
  std::vector<ValueId> operands;  // one a task input, aliases resolved
  ValueId output = kNoValue;
};

struct Partition {
  std::string target;             // what the tasks are for
  std::vector<Task> tasks;        // distinct, in order of first use; none: the graph has only views
  std::vector<int> use_counts;    // by task
  std::vector<TaskUse> uses;      // in execution order
  std::vector<ValueId> alias_of;  // by value: the value whose bytes it has (itself, if no alias)
};

// Nodes that one task may hold: kernels of longer chains gain nothing and compile slowly.
inline constexpr int kMaxTaskNodes = 12;

// Requires a graph that RunPasses left. `target` and `accuracy` go into the tasks.
Result<Partition> PartitionGraph(const Graph& graph, const std::string& target,
                                 Accuracy accuracy = Accuracy::kFast);

}  // namespace whet
