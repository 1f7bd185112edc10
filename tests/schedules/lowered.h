// What Halide makes of a trace, measured on its lowered statement: the truth that the loop nest
// must agree with.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/task.h"
#include "schedules/trace.h"

namespace whet {

struct LoweredStage {
  std::map<std::string, std::set<int64_t>>
      loops;                      // "DEFINITION.NAME" of a loop -> its extents, all constant
  double stores = 0;              // elements stored in one run of the pipeline
  int64_t widest_store = 0;       // lanes
  std::set<int64_t> allocations;  // bytes
};

// By stage name. Loop partitioning is off, so that every loop is one loop. kFailed with Halide's
// words.
Result<std::map<std::string, LoweredStage>> Lower(const Task& task, const Trace& trace,
                                                  const std::string& halide_target);

// Regions that the trace promises to be enough for a stage, and that are not, as Halide sees it.
// Empty as it should be; kFailed with Halide's words.
Result<std::vector<std::string>> BrokenPromises(const Task& task, const Trace& trace);

}  // namespace whet
