// All that a worker of the `whet` command can do: build, reference, measure, compare, check.
#pragma once

#include "codegen/build_job.h"
#include "codegen/worker_main.h"
#include "search/check_job.h"
#include "search/measure_job.h"

namespace whet {

inline WorkerHandlers AllWorkerHandlers() {
  WorkerHandlers handlers;
  AddBuildHandler(&handlers);
  AddMeasureHandlers(&handlers);
  AddCheckHandler(&handlers);
  return handlers;
}

}  // namespace whet
