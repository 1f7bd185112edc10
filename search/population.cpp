#include "search/population.h"

#include <algorithm>
#include <thread>

#include "base/clock.h"

namespace whet {
namespace {

// Runs work(i) for i in [0, count), interleaved over threads: neighbours cost alike.
// The number of threads is returned.
template <typename Work>
size_t ParallelOver(size_t count, int threads, const Work& work) {
  constexpr size_t kWorthAThread = 32;
  const size_t used = std::min<size_t>(std::max(1, threads), count / kWorthAThread + 1);
  const auto run = [&](size_t first) {
    for (size_t i = first; i < count; i += used) work(i);
  };
  std::vector<std::jthread> helpers;
  for (size_t t = 1; t < used; ++t) helpers.emplace_back(run, t);
  run(0);
  return used;
}

}  // namespace

Draft Population::Breed(Plan& plan, uint64_t* changed) const {
  if (plan.a == nullptr) return source_.Sample(plan.rng);
  if (plan.copy) return *plan.a;
  if (plan.b == nullptr) {
    MutationChoice choice{weights_};
    Draft child = source_.Mutate(*plan.a, plan.rng, &choice);
    *changed = choice.changed;
    return child;
  }
  Draft child = source_.Crossover(*plan.a, *plan.b, plan.rng);
  if (plan.rng.Chance(0.3)) return source_.Mutate(child.trace, plan.rng, nullptr);
  return child;
}

Population::Individual Population::Make(Plan& plan) const {
  Individual child;
  child.sampled = plan.a == nullptr;
  if (plan.a != nullptr && plan.b == nullptr && !plan.copy) child.parent_score = plan.score;
  Draft draft = Breed(plan, &child.changed);
  child.hash = draft.trace.DirectivesHash();
  if (!measured_.Contains(child.hash) && !seen_.contains(child.hash)) {
    child.features.resize(static_cast<size_t>(source_.width()));
    const int64_t begin_ns = Clock::System().MonotonicNs();
    if (!source_.Features(draft, child.features)) child.features.clear();
    child.features_ns = Clock::System().MonotonicNs() - begin_ns;
  }
  child.trace = std::move(draft.trace);
  return child;
}

Status Population::Grow(std::vector<Plan> plans) {
  std::vector<Individual> children(plans.size());
  if (learns_) weights_ = mutations_.Weights();
  const size_t threads =
      ParallelOver(plans.size(), threads_, [&](size_t i) { children[i] = Make(plans[i]); });
  int64_t features_ns = 0;
  for (const Individual& child : children) features_ns += child.features_ns;
  scoring_s_ += static_cast<double>(features_ns) / 1e9 / static_cast<double>(threads);
  std::erase_if(children, [&](const Individual& child) {
    const bool useless = child.features.empty() || !seen_.insert(child.hash).second;
    if (useless && child.parent_score) mutations_.Learn(child.changed, false);
    return useless;
  });
  std::vector<float> rows;
  rows.reserve(children.size() * static_cast<size_t>(source_.width()));
  for (const Individual& child : children) {
    rows.insert(rows.end(), child.features.begin(), child.features.end());
  }
  if (!children.empty()) {
    const int64_t begin_ns = Clock::System().MonotonicNs();
    ASSIGN_OR_RETURN(const std::vector<float> scores, model_.Predict(rows, source_.width()));
    for (size_t i = 0; i < children.size(); ++i) {
      Individual& child = children[i];
      child.score = scores[i];
      if (child.parent_score) mutations_.Learn(child.changed, child.score > *child.parent_score);
    }
    scoring_s_ += static_cast<double>(Clock::System().MonotonicNs() - begin_ns) / 1e9;
  }
  scored_ += static_cast<int64_t>(children.size());
  const auto before = [](const Individual& a, const Individual& b) {
    return a.score != b.score ? a.score > b.score : a.hash < b.hash;
  };
  std::sort(children.begin(), children.end(), before);
  const auto known = static_cast<ptrdiff_t>(ranked_.size());
  std::move(children.begin(), children.end(), std::back_inserter(ranked_));
  std::inplace_merge(ranked_.begin(), ranked_.begin() + known, ranked_.end(), before);
  return {};
}

}  // namespace whet
