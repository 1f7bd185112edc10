// Random small tasks for property tests over schedules: chains of operators of every family, with
// extents of which many are 1 or prime, every attribute, broadcasts and values that are read twice.
#pragma once

#include <string>

#include "base/rng.h"
#include "schedules/task.h"

namespace whet {

// The same task for the same state of the generator.
Task RandomTask(Rng& rng, const std::string& target);

}  // namespace whet
