// Strided vector loads of neighbours, as dense loads and a transpose in registers.
//
// A vector load whose lanes lie a row apart becomes one scalar load a lane in Halide. Where a block
// of stores (an unrolled loop) reads R such vectors of L lanes that begin at R neighbouring
// elements, the same L x R elements are L dense vectors of R. This pass loads those and transposes
// them by log2(L) rounds of interleaving: element (l, r) lies at position l * R + r, and
// interleaving the first half of all positions with the second rotates the bits of a position by
// one, so that after log2(L) rounds it lies at r * L + l. Works on whatever schedule leads there:
// a Transpose of its own, or a stage that reads its producer across its rows. Internal: includes
// Halide.h.
#pragma once

#include <Halide.h>

namespace whet {

// Rewrites all functions of a lowered module. `vector_bytes`: of a native vector register. Loads
// under a predicate and groups of fewer than four neighbours stay as they are.
void TransposeLoads(int vector_bytes, Halide::Module* module);

}  // namespace whet
