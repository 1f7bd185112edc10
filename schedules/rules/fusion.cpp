// The rule that inlines cheap stages and fuses elementwise consumers onto the reduction they
// follow.
#include <algorithm>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

constexpr int64_t kManyResults = 16;

// True where every access of the definition, one of `reader`'s, to `stage` reads exactly the
// element that is being written: the same for no two elements, and under the same names.
bool ReadElementwise(const Dag& dag, const Stage& reader, const Definition& definition, int stage) {
  const std::vector<Loop>&written = reader.dims, &read = dag.stages[stage].dims;
  for (const Access& access : definition.reads) {
    if (access.stage != stage) continue;
    for (size_t i = 0; i < std::max(read.size(), written.size()); ++i) {
      const bool only_element = i >= written.size() || written[i].extent == 1;
      if (i >= read.size()) {
        if (!only_element) return false;
        continue;
      }
      const IndexExpr& e = access.index[i];
      const bool same = i < written.size() && e.IsLoop(static_cast<int>(i)) &&
                        (only_element || read[i].name == written[i].name);
      const bool constant = e.nodes.size() == 1 && e.nodes[0].op == IndexExpr::Op::kConst;
      if (!same && !(constant && only_element)) return false;
    }
  }
  return true;
}

bool Expensive(const Stage& stage) {
  return stage.definitions[0].ops.transcendental > 0 || stage.definitions[0].ops.div > 0;
}

class RoleAssigner {
 public:
  explicit RoleAssigner(const Dag& dag) : dag_(dag) {
    roles_.owner = dag.output();
    roles_.of_stage.assign(dag.stages.size(), StageRole::kInline);
    roles_.accumulator_of.assign(dag.stages.size(), -1);
    roles_.of_stage[roles_.owner] = StageRole::kOwner;
    tile_of_.assign(dag.stages.size(), -1);
    tile_of_[roles_.owner] = roles_.owner;
    FindCarriers();
  }

  Roles Assign() {
    for (int s = dag_.output() - 1; s >= 0; --s) {
      const StageKind kind = dag_.stages[s].kind;
      if (kind == StageKind::kInput) {
        roles_.of_stage[s] = StageRole::kInput;
      } else if (kind == StageKind::kReduction) {
        AssignReduction(s);
      } else {
        AssignPure(s);
      }
    }
    return std::move(roles_);
  }

 private:
  // Pure stages whose elements each come from the same element of a reduction.
  void FindCarriers() {
    carries_.assign(dag_.stages.size(), false);
    for (size_t s = 0; s < dag_.stages.size(); ++s) {
      const Stage& stage = dag_.stages[s];
      if (stage.kind != StageKind::kPure) continue;
      for (const Access& access : stage.definitions[0].reads) {
        const bool from_reduction = dag_.stages[access.stage].kind == StageKind::kReduction;
        if ((from_reduction || carries_[access.stage]) &&
            ReadElementwise(dag_, stage, stage.definitions[0], access.stage))
          carries_[s] = true;
      }
    }
  }

  // The stage in whose tiles `s` can be computed element by element; -1: its readers do not agree,
  // or want other elements.
  int TileOf(int s) const {
    int tile = -2;
    for (int c : dag_.Consumers(s)) {
      for (const Definition& definition : dag_.stages[c].definitions)
        if (!ReadElementwise(dag_, dag_.stages[c], definition, s)) return -1;
      const bool pure = dag_.stages[c].kind == StageKind::kPure;
      if (!pure || tile_of_[c] < 0 || (tile != -2 && tile_of_[c] != tile)) return -1;
      tile = tile_of_[c];
    }
    return std::max(tile, -1);
  }

  void AssignReduction(int s) {
    const int tile = TileOf(s);
    if (tile >= 0 && roles_.accumulator_of[tile] < 0) {
      roles_.of_stage[s] = StageRole::kAccumulator;
      roles_.accumulator_of[tile] = s;
    } else {
      roles_.of_stage[s] = StageRole::kLocated;
    }
  }

  void AssignPure(int s) {
    const Stage& stage = dag_.stages[s];
    tile_of_[s] = TileOf(s);
    bool read_by_reduction = false, read_at_several = false;
    for (int c : dag_.Consumers(s)) {
      for (const Definition& definition : dag_.stages[c].definitions) {
        read_at_several |= ReadAtSeveralPlaces(definition, s);
        for (const Access& access : definition.reads)
          read_by_reduction |= access.stage == s && dag_.stages[c].kind == StageKind::kReduction;
      }
    }
    // Worth storing: what is read again and again and is more than a load, what is chosen by its
    // own loops, and where a reduction's tile ends.
    const bool again = ReducedAgainAndAgain(s) && (ComputesSomething(stage) || IsCopy(dag_, s));
    const bool costs = stage.pads || Expensive(stage) || again;
    const bool computes =
        costs || ComputesSomething(stage) || stage.definitions[0].reads.size() > 1;
    if ((read_by_reduction && costs) || (read_at_several && computes) ||
        !stage.definitions[0].choosing_loops.empty() || (carries_[s] && tile_of_[s] < 0)) {
      roles_.of_stage[s] = StageRole::kLocated;
      tile_of_[s] = s;
    }
  }

  static bool ComputesSomething(const Stage& stage) { return stage.definitions[0].ops.Flops() > 0; }

  // Whether a reduction reads each of its elements for many results.
  bool ReducedAgainAndAgain(int s) const {
    for (int c : dag_.Consumers(s)) {
      const Stage& reader = dag_.stages[c];
      if (reader.kind != StageKind::kReduction) continue;
      for (const Access& access : reader.definitions.back().reads) {
        if (access.stage != s) continue;
        int64_t times = 1;
        for (size_t d = 0; d < reader.dims.size(); ++d) {
          const bool used =
              std::any_of(access.index.begin(), access.index.end(),
                          [&](const IndexExpr& index) { return index.Uses(static_cast<int>(d)); });
          if (!used) times *= reader.dims[d].extent;
        }
        if (times >= kManyResults) return true;
      }
    }
    return false;
  }

  static bool ReadAtSeveralPlaces(const Definition& definition, int stage) {
    const Access* first = nullptr;
    for (const Access& access : definition.reads) {
      if (access.stage != stage) continue;
      if (first == nullptr) {
        first = &access;
      } else if (first->index != access.index) {
        return true;
      }
    }
    return false;
  }

  const Dag& dag_;
  Roles roles_;
  std::vector<bool> carries_;
  std::vector<int> tile_of_;  // the owner or located stage that a pure stage is computed with
};

}  // namespace

bool IsCopy(const Dag& dag, int stage) {
  const Stage& s = dag.stages[stage];
  if (s.kind != StageKind::kPure || s.pads || s.definitions[0].reads.size() != 1) return false;
  return s.definitions[0].ops.Flops() == 0 &&
         dag.stages[s.definitions[0].reads[0].stage].kind == StageKind::kInput;
}

Roles AssignRoles(const Dag& dag) { return RoleAssigner(dag).Assign(); }

}  // namespace whet
