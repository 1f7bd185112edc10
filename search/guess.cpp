#include "search/guess.h"

#include <algorithm>

#include "search/evolutionary_search.h"

namespace whet {

Result<Trace> GuessSchedule(const Task& task, const MachineModel& machine, CostModel& model,
                            int threads) {
  ASSIGN_OR_RETURN(const std::unique_ptr<CandidateSource> source, MakeSketchSource(task, machine));
  return GuessSchedule(*source, model, threads);
}

Result<Trace> GuessSchedule(const CandidateSource& source, CostModel& model, int threads) {
  // On 13 kernels, the first of 5 x 1024 candidates took 0.93 of the time of that of 5 x 256.
  constexpr size_t kPopulation = 1024, kBatch = 32;
  constexpr uint64_t kSeed = 1;
  EvolutionOptions options;
  options.population = kPopulation;
  options.explorer_share = 0;
  options.threads = threads;
  ASSIGN_OR_RETURN(
      const ProposalBatch batch,
      EvolutionarySearch(options).Propose(source, CandidateSet(), {}, model, kBatch, kSeed));
  const auto best = std::max_element(batch.proposals.begin(), batch.proposals.end(),
                                     [](const Proposal& a, const Proposal& b) {
                                       return a.score.value_or(0) < b.score.value_or(0);
                                     });
  return best == batch.proposals.end() ? source.Default() : best->trace;
}

}  // namespace whet
