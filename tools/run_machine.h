// The machine that a tuning run measured on, as its run in the database remembers it.
#pragma once

#include "base/json.h"
#include "base/status.h"
#include "codegen/target.h"

namespace whet {

// The target's machine with the caches that `machine` (RunInfo::machine) names; where it is null,
// or names none, those of this machine. kCorrupt if one of them is no number.
Result<MachineModel> MachineOfRun(const Target& target, const Json& machine);

}  // namespace whet
