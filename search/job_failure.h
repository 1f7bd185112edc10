// What a job that did not end well says of the candidate that it was about.
//
// Thread safety: pure functions.
#pragma once

#include "codegen/worker_protocol.h"
#include "tuning_db/record.h"

namespace whet {

// Of a job that compiled: compile_error with the compiler's message, compile_crash, .. Requires
// that the job is not ok.
Measurement BuildFailure(const JobResult& result);
// Of a job that ran a kernel: run_crash, run_timeout, ..
Measurement RunFailure(const JobResult& result);

}  // namespace whet
