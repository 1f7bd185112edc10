// Reads the DAG of an algorithm off its Halide Funcs. Internal: includes Halide.h.
#pragma once

#include "schedules/dag.h"
#include "schedules/halide_algorithm.h"

namespace whet {

// Stages in the algorithm's order, inputs first. Packed constant inputs must not be in the
// algorithm: accesses are read in natural indices. Throws Halide::Error for a Func that the DAG
// cannot describe (several updates on different coordinates, tuples).
Dag ReadDag(const HalideAlgorithm& algorithm);

}  // namespace whet
