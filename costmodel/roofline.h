// An analytic estimate of a loop nest's cycles: what arithmetic and each level of the memory need
// at least.
//
// Traffic follows the footprint model: the outermost loop body whose working set fits a cache keeps
// it there, so the cache is filled once by each run of the loop around that body. Arithmetic is
// body_model.h's. Cycles are of one run on the machine's threads. Figures of bandwidth are typical
// of x86-64 cores; ratios are what matters. Reference: Williams, Waterman, Patterson, "Roofline"
// (2009); footprints as in Ding and Kennedy (2001). Thread safety: pure functions.
#pragma once

#include <memory>

#include "costmodel/body_model.h"
#include "costmodel/nest_analysis.h"

namespace whet {

enum CacheLevel : int { kL1, kL2, kL3, kCacheLevels };

// Cache lines that the accesses of one definition touch in one iteration of each level,
// [access][level]; the last access is the store. Only levels up to the body are filled in, and no
// lines of duplicate reads.
struct Footprints {
  double lines[kMaxReads + 1][kMaxLevels];
  double working_set[kMaxLevels];  // bytes, duplicates once
  int fits[kCacheLevels];          // outermost level whose working set fits; body + 1: none
  double traffic[kMaxReads + 1][kCacheLevels];  // bytes from beyond each cache in one run
  double total[kCacheLevels];
};

struct DefinitionCost {
  BodyModel body;
  Footprints footprints;
  double speedup = 1;   // by its parallel loops
  double parallel = 1;  // their iterations, one launch
  double launches = 0;
  bool parallel_outermost = true;
  double grain_trips = 1;  // executions of the parallel loop's body in one run
  int parallel_level = 0;  // the innermost of the outer parallel loops; 0: none
  double compute = 0, l2 = 0, l3 = 0, dram = 0, launch = 0, total = 0;  // cycles
};

struct NestCost {
  std::unique_ptr<DefinitionCost[]> definitions;
  int capacity = 0;
  double compute = 0, l2 = 0, l3 = 0, dram = 0, launch = 0, total = 0;  // cycles
  double serial = 0;  // cycles of definitions outside parallel loops
  double least = 1;   // cycles that no schedule of the task could beat
};

// `cost` keeps its memory, as Analyse's result does.
void EstimateCost(const Dag& dag, const NestAnalysis& analysis, const MachineModel& machine,
                  NestCost* cost);

}  // namespace whet
