// Runs another program and waits for it: no shell, its output captured, killed with its children
// when it takes too long.
//
// Thread safety: RunProcess may be called from any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/status.h"

namespace whet {

struct ProcessOptions {
  std::chrono::milliseconds timeout = std::chrono::minutes(5);
  std::string directory;  // to run in; empty: the current one
  bool own_group = true;  // false: it stays in the caller's process group and ends with that
};

struct ProcessResult {
  int exit_code = 0;       // 128 + the signal's number if a signal ended it
  bool timed_out = false;  // killed after options.timeout; exit_code is 137
  std::string output;      // stdout and stderr as they came, the first MiB
};

// `argv[0]` is looked up in $PATH. Standard input is empty. kNotFound if there is no such program;
// a program that fails is a result, not an error.
Result<ProcessResult> RunProcess(const std::vector<std::string>& argv,
                                 const ProcessOptions& options = {});

}  // namespace whet
