#include <functional>

#include "costmodel/features.h"
#include "search/candidate_source.h"

namespace whet {
namespace {

class SketchSource : public CandidateSource {
 public:
  explicit SketchSource(SketchSpace space) : space_(std::move(space)) {}

  Trace Default() const override { return space_.Default(); }
  std::vector<Trace> Seeds() const override { return space_.PlainTraces(); }
  Draft Sample(Rng& rng) const override {
    Draft draft;
    draft.trace = space_.Sample(rng, &draft.nest);
    return draft;
  }
  Trace LatticePoint(int64_t number) const override { return space_.LatticePoint(number); }
  Draft Mutate(const Trace& trace, Rng& rng, MutationChoice* choice) const override {
    Draft draft;
    draft.trace = space_.Mutate(trace, rng, choice, &draft.nest);
    return draft;
  }
  size_t kinds() const override { return space_.kinds().size(); }
  // A sketch with its register tiles: what stands in the innermost loops.
  uint64_t NicheOf(const Trace& trace) const override {
    uint64_t niche = std::hash<std::string>()(trace.sketch);
    for (const Decision& decision : trace.decisions) {
      if (!decision.name.starts_with("register")) continue;
      for (const int64_t value : decision.value)
        niche = (niche ^ static_cast<uint64_t>(value)) * 0x100000001b3ULL;  // as FNV-1a mixes
    }
    return niche;
  }
  Draft Crossover(const Trace& a, const Trace& b, Rng& rng) const override {
    Draft draft;
    draft.trace = space_.Crossover(a, b, rng, &draft.nest);
    return draft;
  }
  bool Adapt(const Trace& foreign, Trace* adapted) const override {
    return space_.Adapt(foreign, adapted);
  }
  int64_t width() const override { return static_cast<int64_t>(FeatureTable().size()); }

  bool Features(const Draft& candidate, std::span<float> row) const override {
    if (!candidate.nest.stages.empty()) return FeaturesOf(candidate.nest, row);
    const Result<LoopNest> nest = space_.Nest(candidate.trace);
    return nest && FeaturesOf(*nest, row);
  }

 private:
  bool FeaturesOf(const LoopNest& nest, std::span<float> row) const {
    std::string why;
    if (!space_.IsPlausible(nest, &why)) return false;
    ExtractFeatures(nest.inlined->dag(), nest, space_.machine(), row);
    return true;
  }

  SketchSpace space_;
};

}  // namespace

Result<std::unique_ptr<CandidateSource>> MakeSketchSource(const Task& task,
                                                          const MachineModel& machine) {
  ASSIGN_OR_RETURN(SketchSpace space, SketchSpace::Create(task, machine));
  return std::make_unique<SketchSource>(std::move(space));
}

}  // namespace whet
