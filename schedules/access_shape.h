// How what an access touches moves with the loops of the definition around it.
//
// Read off the index expressions once and shared by all candidates: nothing here depends on a
// schedule. Everything lies in fixed arrays; what exceeds them (more loops or dimensions than any
// schedule we know) is left out. Thread safety: plain values. Pointers refer to the index
// expressions that it was read off.
#pragma once

#include <cstdint>
#include <vector>

#include "schedules/dag.h"

namespace whet {

inline constexpr int kMaxLoops = 12;  // of a definition
inline constexpr int kMaxDims = 6;    // of a buffer

struct AccessShape {
  int stage = -1;
  int dims = 0;
  bool duplicate = false;                 // touches what an earlier read of its definition touches
  const IndexExpr* index[kMaxDims] = {};  // null where the index is simply loop `d`
  bool affine[kMaxDims] = {};             // up to clamping against constants
  int64_t steps[kMaxDims][kMaxLoops] = {};  // elements along the dimension a step of the loop
  uint32_t moved_by[kMaxDims] = {};         // bit l: steps[d][l] is not 0, or the index uses loop l
  uint32_t loops = 0;                       // bit l: some index depends on loop l
  bool DependsOn(int loop) const { return (loops >> loop & 1) != 0; }
};

// Of a read of `stage` at `index` by a definition of `loops` loops. `index` has to outlive it.
AccessShape ShapeOfRead(const Dag& dag, int stage, const std::vector<IndexExpr>& index, int loops);
// Of the store of a definition of `stage`: its pure loops are the dimensions.
AccessShape ShapeOfStore(const Dag& dag, int stage, int loops);
// Whether they touch the same but for constant distances.
bool SameShape(const AccessShape& a, const AccessShape& b);

}  // namespace whet
