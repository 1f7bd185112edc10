// Candidates that were scored in one proposal: the state of one evolution.
//
// Makes children, extracts their features on several threads and scores them in one call of the
// model. Each child has its own random generator, so that the number of threads changes nothing.
// Thread safety: one thread; it uses others inside.
#pragma once

#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "search/evolutionary_search.h"
#include "search/mutation_weights.h"

namespace whet {

class Population {
 public:
  struct Individual {
    Trace trace;
    uint64_t hash = 0;
    float score = 0;
    bool sampled = false;  // drawn uniformly, not bred
    std::vector<float> features;
    int64_t features_ns = 0;  // that the features took
    uint64_t changed = 0;     // MutationChoice's, of a mutant
    std::optional<float> parent_score;
  };
  // How to make a child: sample (no parents), mutate (one) or cross over (two).
  struct Plan {
    const Trace* a = nullptr;
    const Trace* b = nullptr;
    bool copy = false;  // `a` as it is
    Rng rng;
    std::optional<float> score = {};  // the model's of `a`, where it has one
  };

  // `learns`: mutation prefers kinds of decisions that have paid so far.
  Population(const CandidateSource& source, const CandidateSet& measured, CostModel& model,
             int threads, bool learns)
      : source_(source),
        measured_(measured),
        model_(model),
        threads_(threads),
        learns_(learns),
        mutations_(source.kinds()) {}

  // Makes the planned children and keeps those that are new, plausible and not measured.
  Status Grow(std::vector<Plan> plans);
  // All kept so far, the best score first; ties by hash, so that order does not depend on history.
  const std::vector<Individual>& ranked() const { return ranked_; }
  int64_t scored() const { return scored_; }
  // Seconds of extracting features and predicting, of the threads together over their number;
  // making the candidates is not in it.
  double scoring_s() const { return scoring_s_; }

 private:
  Individual Make(Plan& plan) const;
  // The planned child; `changed` is MutationChoice's.
  Draft Breed(Plan& plan, uint64_t* changed) const;

  const CandidateSource& source_;
  const CandidateSet& measured_;
  CostModel& model_;
  int threads_;
  bool learns_;
  MutationWeights mutations_;
  std::vector<double> weights_;  // of this generation's mutations
  std::unordered_set<uint64_t> seen_;
  std::vector<Individual> ranked_;
  int64_t scored_ = 0;
  double scoring_s_ = 0;
};

}  // namespace whet
