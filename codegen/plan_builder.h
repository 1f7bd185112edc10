// A partitioned graph with a schedule for every task, to a plan and its constants.
//
// Constants are stored as their kernels want them: packed ahead of time as each schedule says.
// Thread safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "graph/partition.h"
#include "runtime/plan.h"
#include "schedules/trace.h"

namespace whet {

// The schedule that a task is compiled with.
struct ChosenSchedule {
  Trace trace;
  int64_t record = 0;  // the tuning record that it came from; 0: the default schedule
};

struct BuiltPlan {
  PlanSpec plan;
  std::string constants;  // plan.constant_bytes bytes
};

// `schedules` has one entry a task of the partition. Kernel i of the plan is task i; its symbol is
// KernelSymbol(task, trace). `name` is a C identifier.
Result<BuiltPlan> BuildPlan(const Graph& graph, const Partition& partition,
                            std::span<const ChosenSchedule> schedules, const std::string& name,
                            const std::string& target);

// What the kernel of a task under a trace is called, by content: "whet_kernel_" and 32 hexadecimal
// digits. Equal kernels of two networks have one name.
std::string KernelSymbol(const Task& task, const Trace& trace);

}  // namespace whet
