// The worker that the fault tests start: the real jobs, and jobs that misbehave.
#pragma once

#include "codegen/worker_main.h"

namespace whet {

// A "build" whose trace has the sketch "plant:NAME" compiles the plant NAME of plants.c;
// "compiler:crash", "compiler:hang", "compiler:allocate" and "compiler:refuse" fail like that;
// other traces are built for real.
WorkerHandlers FaultHandlers();

}  // namespace whet
