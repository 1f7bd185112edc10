// Kernels that were refused, in the tuning database: a record of a failure each.
#pragma once

#include <string>

#include "base/status.h"
#include "driver/kernel_maker.h"
#include "tuning_db/rows.h"

namespace whet {

// Adds a record of the kernel's failure to the database at `path`, under a run of its own that
// `info` describes, unless the same candidate's failure is there already. kIo and the like where
// the file cannot be written: whoever only reads it goes on. Thread safety: any process may write.
Status RecordRefusal(const std::string& path, const RunInfo& info, const RefusedKernel& refused);

}  // namespace whet
