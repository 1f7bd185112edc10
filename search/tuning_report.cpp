// What a tuning run found, as JSON.
#include "search/tuning_run.h"

namespace whet {
namespace {

Json OrNull(double value) { return value > 0 ? Json(value) : Json(nullptr); }

Json ToJson(const TaskOutcome& task) {
  Json json = {{"label", task.label},
               {"task", task.spelling},
               {"fingerprint", task.fingerprint},
               {"uses", task.uses},
               {"trials", task.trials},
               {"failed", task.failed},
               {"default_ms", OrNull(task.default_ms)},
               {"best_ms", OrNull(task.best_ms)},
               {"best_min_ms", OrNull(task.best_min_ms)},
               {"gflops", OrNull(task.gflops)},
               {"best_record", nullptr},
               {"converged", task.converged},
               {"error", nullptr}};
  if (task.best_record > 0) json["best_record"] = task.best_record;
  if (!task.error.empty()) json["error"] = task.error;
  return json;
}

}  // namespace

Json ToJson(const TuningOutcome& outcome) {
  Json tasks = Json::array();
  for (const TaskOutcome& task : outcome.tasks) tasks.push_back(ToJson(task));
  return {{"run", outcome.run_id},
          {"outcome", outcome.interrupted ? "interrupted" : "done"},
          {"seconds", outcome.seconds},
          {"measured", outcome.measured},
          {"measuring_s", outcome.measuring_s},
          {"candidates_per_s", outcome.CandidatesPerSecond()},
          {"scored", outcome.scored},
          {"scoring_s", outcome.scoring_s},
          {"scored_per_s", outcome.ScoredPerSecond()},
          {"proposing_s", outcome.proposing_s},
          {"training_s", outcome.training_s},
          {"finals_s", outcome.finals_s},
          {"noise", outcome.noise ? Json(*outcome.noise) : Json(nullptr)},
          {"repeatability", outcome.repeatability ? Json(*outcome.repeatability) : Json(nullptr)},
          {"tasks", std::move(tasks)}};
}

}  // namespace whet
