// `whet replay --run`: the decisions of a tuning run again, from its records, with no hardware.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "tuning_db/database.h"

namespace whet {

struct ReplayedRun {
  int64_t run = 0;
  int64_t records = 0;     // of the run
  int64_t replayed = 0;    // that the search asked for again, in order
  std::string difference;  // the first; empty: every proposal, prediction and decision is the same
};

// Runs the search of tuning run `run` again on what the database held before it, and answers what
// it wants measured with the run's own records. kUnsupported for a run whose course depended on the
// clock (a time budget), or that did not keep its settings; kNotFound for a run that is not there.
Result<ReplayedRun> ReplayRun(const Database& database, int64_t run);

}  // namespace whet
