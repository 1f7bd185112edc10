// Whether this machine can build, load and run what a target promises, tried with one small kernel
// before a tuning run: without it, every candidate would fail for the same reason.
#pragma once

#include "base/status.h"
#include "codegen/target.h"
#include "search/process_measurer.h"

namespace whet {

// Takes some 0.1 s. kUnsupported, with what the kernel came to, where it does not work; errors of
// the measurer as they are.
Status RunCanary(const Target& target, ProcessMeasurer& measurer);

}  // namespace whet
