// A worker whose compiler makes wrong kernels on demand.
//
// The environment tells, as the worker inherits it: WHET_TEST_SPOIL, the way of spoilt_kernels.c;
// WHET_TEST_SPOIL_ONCE, a file: only the first kernel, after which the file exists. Thread safety:
// a SpoilKernels changes the environment of the whole program.
#pragma once

#include <string>

#include "codegen/worker_main.h"

namespace whet {

WorkerHandlers SpoilingHandlers();

// While it lives, workers that start make kernels that are wrong in way `how`: all, or with a file
// `once` the first one.
class SpoilKernels {
 public:
  explicit SpoilKernels(const std::string& how, const std::string& once = "");
  ~SpoilKernels();
};

}  // namespace whet
