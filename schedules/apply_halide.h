// The compiler's interpreter of traces: directives to calls on Halide Funcs. Internal: includes
// Halide.h.
#pragma once

#include "base/status.h"
#include "schedules/halide_algorithm.h"
#include "schedules/trace.h"

namespace whet {

// Schedules the algorithm's Funcs as the directives say, and then lets a NaN among the elements of
// a maximum or a minimum be its result. kInvalidInput naming the directive that speaks of a stage,
// definition or loop that is not there. Throws Halide::Error for what Halide itself refuses.
// Requires the algorithm to be built with AlgorithmOptionsOf(directives).
Status ApplyHalide(const std::vector<Directive>& directives, HalideAlgorithm* algorithm);

}  // namespace whet
