// The layout of inputs that a reduction streams: natural, permuted so that the vectorised dimension
// is contiguous, or panels as wide as the register tile. Constants are packed ahead of time and
// cost nothing then; a variable input is packed by a stage of its own.
#include <algorithm>
#include <optional>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

enum Layout : int64_t { kNatural = 0, kPermuted = 1, kPanels = 2 };

// The dimension of `input` (innermost first) that moves by one when the owner's innermost dimension
// does, in the accumulator's update. Nothing where the update does not read it so.
std::optional<size_t> VectorDimension(const Dag& dag, const Roles& roles, int input) {
  if (roles.accumulator < 0) return std::nullopt;
  for (const Access& access : dag.stages[roles.accumulator].definitions.back().reads) {
    if (access.stage != input) continue;
    for (size_t i = 0; i < access.index.size(); ++i)
      if (access.index[i].IsLoop(0)) return i;
  }
  return std::nullopt;
}

class PackingStep : public SketchStep {
 public:
  PackingStep(const Dag& dag, const Roles& roles, int input, size_t vector_dim)
      : stage_(dag.stages[input]), vector_dim_(vector_dim) {
    const Definition& update = dag.stages[roles.accumulator].definitions.back();
    reduction_first_ = dag.stages[roles.accumulator].dims.size();
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
    if (vector_dim == 0) candidates.push_back({kNatural});
    decisions_.push_back({"pack." + stage_.name, "pack", std::move(candidates)});
  }

  std::string name() const override { return "pack(" + stage_.name + ")"; }
  const std::vector<DecisionSpec>& decisions() const override { return decisions_; }
  std::vector<std::vector<int64_t>> DefaultValues() const override { return {{kPermuted}}; }

  void Expand(DecisionValues values, Expansion* out) const override {
    const int rank = static_cast<int>(stage_.dims.size());
    const auto shape_dim = [&](size_t d) { return rank - 1 - static_cast<int>(d); };
    const int64_t extent = stage_.dims[vector_dim_].extent;
    Directive pack;
    pack.kind = DirectiveKind::kPack;
    pack.stage = stage_.name;
    const bool panels = values[0][0] == kPanels && out->register_width > 1 &&
                        extent > out->register_width && extent % out->register_width == 0;
    if (values[0][0] == kNatural) return;
    if (vector_dim_ == 0 && !panels) return;  // permuted is natural
    pack.layout.push_back({shape_dim(vector_dim_), panels ? out->register_width : 0});
    // Then the dimensions as the reduction walks them, the innermost loop's first.
    std::vector<size_t> rest;
    for (size_t d = 0; d < stage_.dims.size(); ++d)
      if (d != vector_dim_) rest.push_back(d);
    const std::vector<std::string> order = ReductionOrder(*out);
    std::stable_sort(rest.begin(), rest.end(), [&](size_t a, size_t b) {
      return Position(order, driver_[a], *out) < Position(order, driver_[b], *out);
    });
    for (size_t d : rest) pack.layout.push_back({shape_dim(d), 0});
    if (panels) pack.layout.push_back({shape_dim(vector_dim_), 0});
    out->directives.push_back(pack);
  }

 private:
  // Names of the update's loops as last reordered, innermost first.
  static std::vector<std::string> ReductionOrder(const Expansion& out) {
    for (size_t i = out.directives.size(); i-- > 0;) {
      const Directive& d = out.directives[i];
      if (d.kind == DirectiveKind::kReorder && d.definition == 1) return d.names;
    }
    return {};
  }
  size_t Position(const std::vector<std::string>& order, int driver, const Expansion& out) const {
    if (driver < 0) return order.size() + 1;
    for (const Stage& stage : out.dag->stages) {
      if (stage.definitions.size() < 2) continue;
      const std::vector<Loop>& loops = stage.definitions.back().loops;
      if (reduction_first_ + driver >= loops.size()) continue;
      const std::string& loop = loops[reduction_first_ + driver].name;
      for (size_t i = 0; i < order.size(); ++i)
        if (order[i] == loop || order[i] == loop + "_u" || order[i] == loop + "_o") return i;
    }
    return order.size();
  }

  const Stage stage_;
  const size_t vector_dim_;
  size_t reduction_first_ = 0;
  std::vector<int> driver_;
  std::vector<DecisionSpec> decisions_;
};

}  // namespace

std::unique_ptr<SketchStep> MakePackingStep(const Dag& dag, const Roles& roles, int input) {
  const Stage& stage = dag.stages[input];
  if (!stage.constant || stage.dims.size() < 2) return nullptr;
  const std::optional<size_t> dim = VectorDimension(dag, roles, input);
  if (!dim || stage.dims[*dim].extent < 2) return nullptr;
  return std::make_unique<PackingStep>(dag, roles, input, *dim);
}

std::vector<std::pair<int, std::vector<PackLevel>>> VariablePanels(const Dag& dag,
                                                                   const Roles& roles,
                                                                   const MachineModel& machine) {
  std::vector<std::pair<int, std::vector<PackLevel>>> result;
  for (size_t s = 0; s < dag.stages.size(); ++s) {
    const Stage& stage = dag.stages[s];
    if (stage.kind != StageKind::kInput || stage.constant || stage.dims.size() < 2) continue;
    const std::optional<size_t> dim = VectorDimension(dag, roles, static_cast<int>(s));
    if (!dim) continue;
    const int64_t lanes = machine.vector_bytes / SizeOf(stage.dtype);
    // Worth a copy where the operand is read many times and rows of it lie far apart.
    int64_t rows = 1;
    const Stage& accumulator = dag.stages[roles.accumulator];
    for (size_t d = 1; d < accumulator.dims.size(); ++d)
      if (d == 1) rows *= accumulator.dims[d].extent;
    if (stage.dims[*dim].extent < 2 * lanes || stage.dims[*dim].extent % lanes != 0 || rows < 16)
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
    std::vector<PackLevel> levels = {{rank - 1 - static_cast<int>(*dim), lanes}};
    for (size_t d = 0; d < stage.dims.size(); ++d)
      if (d != *dim) levels.push_back({rank - 1 - static_cast<int>(d), 0});
    levels.push_back({rank - 1 - static_cast<int>(*dim), 0});
    result.emplace_back(static_cast<int>(s), std::move(levels));
  }
  return result;
}

}  // namespace whet
