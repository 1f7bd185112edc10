// Hints: what was fast for similar tasks, made traces of this task.
//
// Thread safety: reads the states and the database.
#pragma once

#include <vector>

#include "search/tuning_state.h"
#include "tuning_db/database.h"

namespace whet {

// The fastest traces of the most similar tasks, those of this run and those that the database holds
// for the same target, adapted to task `t`; the most similar first, none twice. Requires the source
// of `t`. A database that cannot be read gives no hints.
std::vector<Trace> CollectHints(const std::vector<TaskState>& states, size_t t,
                                const Database& database);

}  // namespace whet
