// What a tuning run would work on: `whet tune --dry-run`.
#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "search/tuning_run.h"

namespace whet {

// Prints the tasks, their uses, FLOPs, and what share of the FLOPs and of the time they have now:
// the time of the best record in `database`, which need not exist. `blocks`: some of them are made
// of others. Also as JSON to `json`, unless that is empty.
Status PrintTuningPlan(std::span<const TuningTask> tasks, bool blocks, const std::string& database,
                       const std::string& json, int threads);

}  // namespace whet
