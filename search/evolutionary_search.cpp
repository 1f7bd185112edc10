#include "search/evolutionary_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/fingerprint.h"
#include "search/population.h"

namespace whet {
namespace {

constexpr size_t kLittleMeasured = 12;  // candidates below which half of a batch explores
constexpr double kEarlyExplorerShare = 0.4;
constexpr size_t kMeasuredParents = 24;
constexpr size_t kRankedParents = 128;
constexpr size_t kPopulationPerProposal = 40;
constexpr size_t kLeastPopulation = 128;
constexpr size_t kAttemptsPerProposal = 100;

// A rank below `count`, low ones more likely: the square of a uniform number.
size_t DrawRank(size_t count, Rng& rng) {
  const double u = rng.Uniform();
  return std::min(count - 1, static_cast<size_t>(u * u * static_cast<double>(count)));
}

using Plan = Population::Plan;

// One proposal under way.
class Evolution {
 public:
  Evolution(const EvolutionOptions& options, const CandidateSource& source,
            const CandidateSet& measured, CostModel& model, bool afresh, size_t batch,
            uint64_t seed)
      : options_(options),
        afresh_(afresh),
        parents_(measured.Fastest(afresh ? 0 : kMeasuredParents)),
        size_(std::clamp(batch * kPopulationPerProposal,
                         std::min(kLeastPopulation, options.population), options.population)),
        rng_(seed),
        population_(source, measured, model, options.threads, options.learn_mutations) {}

  Status Run(std::span<const Trace> hints, const Trace& first) {
    RETURN_IF_ERROR(population_.Grow(FirstPlans(hints, first)));
    for (int g = 0; g < options_.generations; ++g) RETURN_IF_ERROR(population_.Grow(NextPlans()));
    return {};
  }

  const Population& population() const { return population_; }
  Rng& rng() { return rng_; }

 private:
  // Half samples; hints and mutants of what is known to be fast.
  std::vector<Plan> FirstPlans(std::span<const Trace> hints, const Trace& first) {
    std::vector<Plan> plans;
    for (const Trace& hint : hints) plans.push_back({&hint, nullptr, true, rng_.Fork()});
    for (const Trace& hint : hints) plans.push_back({&hint, nullptr, false, rng_.Fork()});
    while (plans.size() < size_ / 2 && !afresh_) {
      const Trace* parent =
          parents_.empty() ? &first : &parents_[DrawRank(parents_.size(), rng_)]->trace;
      plans.push_back({parent, nullptr, false, rng_.Fork()});
    }
    while (plans.size() < size_) plans.push_back({nullptr, nullptr, false, rng_.Fork()});
    return plans;
  }

  std::vector<Plan> NextPlans() {
    std::vector<Plan> plans;
    const size_t fresh = size_ / 16;
    while (plans.size() + fresh < size_) {
      const auto [a, score] = Parent();
      if (a == nullptr) break;
      const Trace* b = rng_.Chance(options_.crossover_share) ? Parent().first : nullptr;
      plans.push_back({a, a == b ? nullptr : b, false, rng_.Fork(), score});
    }
    while (plans.size() < size_) plans.push_back({nullptr, nullptr, false, rng_.Fork()});
    return plans;
  }

  // What is measured is known, what is scored is only believed: a quarter of the parents are
  // measured ones.
  std::pair<const Trace*, std::optional<float>> Parent() {
    const auto& ranked = population_.ranked();
    if (!parents_.empty() && (ranked.empty() || rng_.Chance(0.25))) {
      return {&parents_[DrawRank(parents_.size(), rng_)]->trace, {}};
    }
    if (ranked.empty()) return {nullptr, {}};
    const auto& parent = ranked[DrawRank(std::min(ranked.size(), kRankedParents), rng_)];
    return {&parent.trace, parent.score};
  }

  const EvolutionOptions& options_;
  bool afresh_;
  std::vector<const MeasuredCandidate*> parents_;
  size_t size_;
  Rng rng_;
  Population population_;
};

// The batch under construction: no candidate twice.
class Batch {
 public:
  Batch(size_t size, ProposalBatch& out) : size_(size), out_(out) {}
  bool full() const { return out_.proposals.size() >= size_; }

  void Add(Proposal proposal) {
    if (full() || !hashes_.insert(proposal.hash).second) return;
    if (!proposal.features.empty()) rows_.insert(RowKey(proposal.features));
    out_.proposals.push_back(std::move(proposal));
  }
  void Add(const Population::Individual& individual) {
    if (full() || hashes_.contains(individual.hash)) return;  // before the trace is copied
    Add(Proposal{individual.trace, individual.hash, individual.score, false, individual.features});
  }
  // A candidate whose features equal a chosen one's: the model cannot tell them apart, measuring
  // both teaches little.
  bool Resembles(const Population::Individual& individual) const {
    return rows_.contains(RowKey(individual.features));
  }

 private:
  static std::string RowKey(const std::vector<float>& row) {
    return Fingerprint(
        std::string_view(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float)));
  }

  size_t size_;
  ProposalBatch& out_;
  std::unordered_set<uint64_t> hashes_;
  std::unordered_set<std::string> rows_;
};

void AddKnown(Trace trace, bool is_default, const CandidateSource& source,
              const CandidateSet& measured, CostModel* model, Batch& batch) {
  Draft draft(std::move(trace));
  Proposal proposal;
  proposal.hash = draft.trace.DirectivesHash();
  proposal.is_default = is_default;
  if (measured.Contains(proposal.hash)) return;
  proposal.features.resize(static_cast<size_t>(source.width()));
  if (!source.Features(draft, proposal.features)) proposal.features.clear();
  proposal.trace = std::move(draft.trace);
  if (model != nullptr && !proposal.features.empty()) {
    if (auto scores = model->Predict(proposal.features, source.width()))
      proposal.score = scores->front();
  }
  batch.Add(std::move(proposal));
}

void AddDefault(const CandidateSource& source, const CandidateSet& measured, CostModel* model,
                Batch& batch) {
  if (!measured.has_default()) AddKnown(source.Default(), true, source, measured, model, batch);
}

// Fills the batch with what `next` makes, the implausible left out.
void FillWith(const std::function<Draft()>& next, const CandidateSource& source,
              const CandidateSet& measured, size_t attempts, Batch& batch) {
  for (size_t attempt = 0; attempt < attempts && !batch.full(); ++attempt) {
    Draft draft = next();
    Proposal proposal;
    proposal.hash = draft.trace.DirectivesHash();
    if (measured.Contains(proposal.hash)) continue;
    proposal.features.resize(static_cast<size_t>(source.width()));
    if (!source.Features(draft, proposal.features)) continue;
    proposal.trace = std::move(draft.trace);
    batch.Add(std::move(proposal));
  }
}

}  // namespace

std::string_view Name(SearchStrategy strategy) {
  switch (strategy) {
    case SearchStrategy::kRandom:
      return "random";
    case SearchStrategy::kGrid:
      return "grid";
    case SearchStrategy::kEvolutionary:
      break;
  }
  return "evolutionary";
}

Result<SearchStrategy> ParseSearchStrategy(std::string_view name) {
  if (name == "evolutionary") return SearchStrategy::kEvolutionary;
  if (name == "random") return SearchStrategy::kRandom;
  if (name == "grid") return SearchStrategy::kGrid;
  return Fail(ErrorCode::kInvalidInput,
              "there is no search strategy '{}'; there are evolutionary, random and grid", name);
}

Result<ProposalBatch> EvolutionarySearch::Propose(const CandidateSource& source,
                                                  const CandidateSet& measured, const Known& known,
                                                  CostModel& model, size_t batch_size,
                                                  uint64_t seed) const {
  ProposalBatch result;
  Batch batch(batch_size, result);
  if (options_.strategy != SearchStrategy::kEvolutionary) {
    const bool random = options_.strategy == SearchStrategy::kRandom;
    Rng rng(seed);
    int64_t point = 0;
    const auto next = [&] {
      return random ? source.Sample(rng) : Draft(source.LatticePoint(point++));
    };
    AddDefault(source, measured, nullptr, batch);
    // The lattice begins at its first point each time: what is measured is passed over.
    const size_t passed_over = random ? 0 : measured.size();
    FillWith(next, source, measured, (batch_size + passed_over) * kAttemptsPerProposal, batch);
    return result;
  }

  AddDefault(source, measured, &model, batch);
  for (const Trace& must : known.musts) AddKnown(must, false, source, measured, &model, batch);
  std::vector<Trace> starts(known.hints.begin(), known.hints.end());
  if (measured.size() < kLittleMeasured) {
    for (Trace& seed_trace : source.Seeds()) {
      AddKnown(seed_trace, false, source, measured, &model, batch);
      starts.push_back(std::move(seed_trace));
    }
  }
  Evolution evolution(options_, source, measured, model, known.stagnates, batch_size, seed);
  RETURN_IF_ERROR(evolution.Run(starts, source.Default()));
  const auto& ranked = evolution.population().ranked();
  result.scored = evolution.population().scored();
  result.scoring_s = evolution.population().scoring_s();

  // What was fast for a similar task is worth a trial whatever the model thinks.
  if (measured.size() < kLittleMeasured) {
    size_t trusted = std::max<size_t>(1, batch_size / 4);
    for (const Trace& hint : known.hints) {
      if (trusted == 0) break;
      const uint64_t hash = hint.DirectivesHash();
      const auto found =
          std::find_if(ranked.begin(), ranked.end(), [&](const auto& i) { return i.hash == hash; });
      if (found == ranked.end()) continue;
      batch.Add(*found);
      --trusted;
    }
  }
  const bool knows_little = measured.size() < kLittleMeasured || known.stagnates;
  const double share = knows_little && options_.explorer_share > 0
                           ? std::max(options_.explorer_share, kEarlyExplorerShare)
                           : options_.explorer_share;
  const auto explorers = static_cast<size_t>(std::lround(share * static_cast<double>(batch_size)));
  const auto most_of_a_niche = static_cast<size_t>(
      std::max(1.0, std::ceil(options_.niche_share * static_cast<double>(batch_size))));
  std::unordered_map<uint64_t, size_t> niches;
  for (const auto& individual : ranked) {
    if (result.proposals.size() + explorers >= batch_size) break;
    if (batch.Resembles(individual)) continue;
    size_t& of_its_niche = niches[source.NicheOf(individual.trace)];
    if (of_its_niche == most_of_a_niche) continue;
    const size_t before = result.proposals.size();
    batch.Add(individual);
    of_its_niche += result.proposals.size() - before;
  }
  std::vector<const Population::Individual*> samples;
  for (const auto& individual : ranked) {
    if (individual.sampled) samples.push_back(&individual);
  }
  Rng& rng = evolution.rng();
  while (!batch.full() && !samples.empty()) {
    const auto pick = static_cast<size_t>(rng.Below(static_cast<int64_t>(samples.size())));
    batch.Add(*samples[pick]);
    samples.erase(samples.begin() + static_cast<ptrdiff_t>(pick));
  }
  for (const auto& individual : ranked) batch.Add(individual);  // whatever is left
  return result;
}

}  // namespace whet
