// Proposes the candidates to measure next: evolution over traces, scored by the cost model.
//
// A population of samples and of mutants of the fastest measured candidates goes through
// generations of mutation and crossover; parents are drawn by rank, and kinds of decisions whose
// change raised scores are changed more often. The best-scored candidates that were never measured
// make the batch, each different to the cost model, no niche with more than its share, with a part
// of random explorers. Where nothing better has turned up for long, a batch begins afresh. Without
// a model: samples, or the points of a lattice. The same inputs give the same batch, on any number
// of threads. Thread safety: const; Propose uses the model, one call at a time per model.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "costmodel/cost_model.h"
#include "search/candidate_set.h"
#include "search/candidate_source.h"

namespace whet {

enum class SearchStrategy : uint8_t { kEvolutionary, kRandom, kGrid };
std::string_view Name(SearchStrategy strategy);  // "evolutionary", "random", "grid"
Result<SearchStrategy> ParseSearchStrategy(std::string_view name);

struct EvolutionOptions {
  SearchStrategy strategy = SearchStrategy::kEvolutionary;
  size_t population = 512;  // candidates scored a generation, at most; small batches take fewer
  int generations = 4;
  double explorer_share = 0.125;  // of a batch; more while little is measured
  double crossover_share = 0.3;   // of the children
  double niche_share = 0.25;      // of a batch, for each niche at most
  bool learn_mutations = true;
  int threads = 2;
};

struct Proposal {
  Trace trace;
  uint64_t hash = 0;
  std::optional<float> score;  // the model's; none for random search
  bool is_default = false;
  std::vector<float> features;  // empty: the default schedule can be implausible
};

// What is known of a task beside its own measurements.
struct Known {
  std::span<const Trace> musts = {};  // to be measured whatever the model says
  std::span<const Trace> hints = {};  // traces of similar tasks, the most promising first
  bool stagnates = false;             // begin afresh: no mutants of what was measured
};

struct ProposalBatch {
  std::vector<Proposal> proposals;  // empty: the space is exhausted
  int64_t scored = 0;               // candidates whose features went through the model
  double scoring_s = 0;             // that features and predictions took
};

class EvolutionarySearch {
 public:
  explicit EvolutionarySearch(const EvolutionOptions& options) : options_(options) {}

  // Up to `batch` candidates, none of them in `measured`, no two the same. The default schedule
  // comes first as long as it is not measured, then whatever else must be.
  Result<ProposalBatch> Propose(const CandidateSource& source, const CandidateSet& measured,
                                const Known& known, CostModel& model, size_t batch,
                                uint64_t seed) const;

 private:
  EvolutionOptions options_;
};

}  // namespace whet
