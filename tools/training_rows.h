// Training sets read from a tuning database, and cut into what is learnt from and what is judged.
//
// Thread safety: plain values and pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "costmodel/cost_model.h"
#include "tuning_db/database.h"

namespace whet {

// Feature rows of a database's measured candidates; `labels` gets what each task is. Times of
// different machines or cache modes do not compare: each is a task of its own, with the features of
// the machine that its run names. Candidates that make no loop nest any more are left out.
// kNotFound where there are none.
Result<TrainingSet> ReadTrainingSet(const Database& database, std::vector<std::string>* labels);

// Sets the features of these groups to 0: "acc.vector.lanes" and "read0.bytes" are of the groups
// "acc" and "read". kInvalidInput for a group that there is not.
Status LeaveOut(const std::vector<std::string>& groups, TrainingSet* set);

// Two parts of a set: what is learnt from, and what is judged.
struct Fold {
  TrainingSet train, test;
};

// Within tasks: a part of each task's candidates, drawn by the seed, is kept from the training.
std::vector<Fold> SplitWithinTasks(const TrainingSet& set, double held_out, uint64_t seed);

// By task: each task is judged by a model that was trained on others; a part of the tasks at a
// time.
std::vector<Fold> SplitByTask(const TrainingSet& set, double held_out, uint64_t seed);

}  // namespace whet
