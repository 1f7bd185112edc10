// Whether this CPU can run code compiled for a target: a sentence instead of an illegal
// instruction.
#pragma once

#include <string>

#include "base/status.h"

namespace whet {

// `target` as codegen/target.h spells it, "x86-64-linux-avx2-2t". kUnsupported naming what the CPU
// lacks. An instruction set that this runtime does not know of is let through.
Status CheckCpu(const std::string& target);

}  // namespace whet
