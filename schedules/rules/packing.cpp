// The layout of inputs that a reduction streams: natural, permuted so that the vectorised dimension
// is contiguous, or panels as wide as the register tile. Constants are packed ahead of time and
// cost nothing then; a variable input is packed by a stage of its own.
#include <algorithm>
#include <optional>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

enum Layout : int64_t { kNatural = 0, kPermuted = 1, kPanels = 2 };

// A stage with an accumulator that reads the input, and the dimension of the input (innermost
// first) that moves by one when the stage's innermost dimension does.
struct VectorReader {
  int owner, accumulator;
  size_t dim;
};

// The accumulator whose update reads `input` so; nothing where there is none.
std::optional<VectorReader> FindVectorReader(const Dag& dag, const Roles& roles, int input) {
  for (size_t owner = 0; owner < dag.stages.size(); ++owner) {
    const int accumulator = roles.accumulator_of[owner];
    if (accumulator < 0) continue;
    for (const Access& access : dag.stages[accumulator].definitions.back().reads) {
      if (access.stage != input) continue;
      for (size_t i = 0; i < access.index.size(); ++i)
        if (access.index[i].IsLoop(0)) return VectorReader{static_cast<int>(owner), accumulator, i};
    }
  }
  return std::nullopt;
}

class PackingStep : public SketchStep {
 public:
  PackingStep(const Dag& dag, int input, const VectorReader& reader)
      : stage_(dag.stages[input]),
        accumulator_(dag.stages[reader.accumulator]),
        owner_(reader.owner),
        vector_dim_(reader.dim) {
    const Definition& update = accumulator_.definitions.back();
    reduction_first_ = accumulator_.dims.size();
    // Which reduction loop drives each dimension of the input; -1: none.
    driver_.assign(stage_.dims.size(), -1);
    for (const Access& access : update.reads) {
      if (access.stage != input) continue;
      for (size_t i = 0; i < access.index.size(); ++i)
        for (size_t l = reduction_first_; l < update.loops.size(); ++l)
          if (access.index[i].Uses(static_cast<int>(l)))
            driver_[i] = static_cast<int>(l - reduction_first_);
    }
    std::vector<std::vector<int64_t>> candidates = {{kPermuted}, {kPanels}};
    if (vector_dim_ == 0) candidates.push_back({kNatural});
    decisions_.push_back({"pack." + stage_.name, "pack", std::move(candidates)});
  }

  std::string name() const override { return "pack(" + stage_.name + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> PlainValues(Outline) const override { return {{kPanels}}; }

  void Expand(DecisionValues values, Expansion* out) const override {
    const int rank = static_cast<int>(stage_.dims.size());
    const auto shape_dim = [&](size_t d) { return rank - 1 - static_cast<int>(d); };
    const int64_t extent = stage_.dims[vector_dim_].extent;
    Directive pack;
    pack.kind = DirectiveKind::kPack;
    pack.stage = stage_.name;
    const int64_t width = out->placed[owner_].register_width;
    const bool panels =
        values[0][0] == kPanels && width > 1 && extent > width && extent % width == 0;
    if (values[0][0] == kNatural) return;
    if (vector_dim_ == 0 && !panels) return;  // permuted is natural
    pack.layout.push_back({shape_dim(vector_dim_), panels ? width : 0});
    // Then the dimensions as the reduction walks them, the innermost loop's first.
    std::vector<size_t> rest;
    for (size_t d = 0; d < stage_.dims.size(); ++d)
      if (d != vector_dim_) rest.push_back(d);
    const std::vector<std::string> order = ReductionOrder(*out);
    std::stable_sort(rest.begin(), rest.end(), [&](size_t a, size_t b) {
      return Position(order, driver_[a]) < Position(order, driver_[b]);
    });
    for (size_t d : rest) pack.layout.push_back({shape_dim(d), 0});
    if (panels) pack.layout.push_back({shape_dim(vector_dim_), 0});
    out->directives.push_back(pack);
  }

 private:
  // Names of the update's loops as last reordered, innermost first.
  std::vector<std::string> ReductionOrder(const Expansion& out) const {
    for (size_t i = out.directives.size(); i-- > 0;) {
      const Directive& d = out.directives[i];
      if (d.kind == DirectiveKind::kReorder && d.definition == 1 && d.stage == accumulator_.name)
        return d.names;
    }
    return {};
  }
  size_t Position(const std::vector<std::string>& order, int driver) const {
    if (driver < 0) return order.size() + 1;
    const std::string& loop = accumulator_.definitions.back().loops[reduction_first_ + driver].name;
    for (size_t i = 0; i < order.size(); ++i)
      if (order[i] == loop || order[i] == loop + "_u" || order[i] == loop + "_o") return i;
    return order.size();
  }

  const Stage stage_, accumulator_;
  const int owner_;
  const size_t vector_dim_;
  size_t reduction_first_ = 0;
  std::vector<int> driver_;
  std::vector<DecisionSpec> decisions_;
};

}  // namespace

std::unique_ptr<SketchStep> MakePackingStep(const Dag& dag, const Roles& roles, int input) {
  const Stage& stage = dag.stages[input];
  if (!stage.constant || stage.dims.size() < 2) return nullptr;
  const auto reader = FindVectorReader(dag, roles, input);
  if (!reader || stage.dims[reader->dim].extent < 2) return nullptr;
  return std::make_unique<PackingStep>(dag, input, *reader);
}

std::vector<std::pair<int, std::vector<PackLevel>>> VariablePanels(const Dag& dag,
                                                                   const Roles& roles,
                                                                   const MachineModel& machine) {
  std::vector<std::pair<int, std::vector<PackLevel>>> result;
  for (size_t s = 0; s < dag.stages.size(); ++s) {
    const Stage& stage = dag.stages[s];
    if (stage.kind != StageKind::kInput || stage.constant || stage.dims.size() < 2) continue;
    const auto reader = FindVectorReader(dag, roles, static_cast<int>(s));
    if (!reader) continue;
    const size_t dim = reader->dim;
    const int64_t lanes = machine.vector_bytes / SizeOf(stage.dtype);
    // Worth a copy where the operand is read many times and rows of it lie far apart.
    int64_t rows = 1;
    const Stage& accumulator = dag.stages[reader->accumulator];
    for (size_t d = 1; d < accumulator.dims.size(); ++d)
      if (d == 1) rows *= accumulator.dims[d].extent;
    if (stage.dims[dim].extent < 2 * lanes || stage.dims[dim].extent % lanes != 0 || rows < 16)
      continue;
    bool also_reduced = false;
    for (const Access& access : accumulator.definitions.back().reads) {
      if (access.stage != static_cast<int>(s)) continue;
      for (const IndexExpr& e : access.index)
        for (size_t l = accumulator.dims.size(); l < accumulator.definitions.back().loops.size();
             ++l)
          also_reduced |= e.IsLoop(static_cast<int>(l));
    }
    if (!also_reduced) continue;
    const int rank = static_cast<int>(stage.dims.size());
    std::vector<PackLevel> levels = {{rank - 1 - static_cast<int>(dim), lanes}};
    for (size_t d = 0; d < stage.dims.size(); ++d)
      if (d != dim) levels.push_back({rank - 1 - static_cast<int>(d), 0});
    levels.push_back({rank - 1 - static_cast<int>(dim), 0});
    result.emplace_back(static_cast<int>(s), std::move(levels));
  }
  return result;
}

}  // namespace whet
