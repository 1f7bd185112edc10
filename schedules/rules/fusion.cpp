// The rule that inlines cheap stages and fuses elementwise consumers onto the reduction they
// follow.
#include <algorithm>
#include <functional>

#include "schedules/rules/rule.h"

namespace whet {
namespace {

// True where every access to `stage` reads exactly the element that is being written.
bool ReadElementwise(const Definition& definition, int stage) {
  for (const Access& access : definition.reads) {
    if (access.stage != stage) continue;
    for (size_t i = 0; i < access.index.size(); ++i) {
      const IndexExpr& e = access.index[i];
      const bool same = e.IsLoop(static_cast<int>(i));
      const bool only_element = e.nodes.size() == 1 && e.nodes[0].op == IndexExpr::Op::kConst &&
                                definition.loops[i].extent == 1;
      if (!same && !only_element) return false;
    }
  }
  return true;
}

bool Expensive(const Stage& stage) {
  return stage.definitions[0].ops.transcendental > 0 || stage.definitions[0].ops.div > 0;
}

}  // namespace

Roles AssignRoles(const Dag& dag) {
  Roles roles;
  roles.of_stage.assign(dag.stages.size(), StageRole::kInline);
  roles.owner = dag.output();
  roles.of_stage[roles.owner] = StageRole::kOwner;
  // Consumers before producers: whether every path from a stage to the output is elementwise and
  // inlined.
  std::vector<bool> reaches_output_elementwise(dag.stages.size(), false);
  reaches_output_elementwise[roles.owner] = true;
  for (int s = dag.output() - 1; s >= 0; --s) {
    const Stage& stage = dag.stages[s];
    if (stage.kind == StageKind::kInput) {
      roles.of_stage[s] = StageRole::kInput;
      continue;
    }
    bool elementwise = true, read_by_reduction = false;
    for (int c : dag.Consumers(s)) {
      const StageRole role = roles.of_stage[c];
      elementwise &= reaches_output_elementwise[c] &&
                     (role == StageRole::kInline || role == StageRole::kOwner);
      for (const Definition& definition : dag.stages[c].definitions) {
        elementwise &= ReadElementwise(definition, s);
        for (const Access& access : definition.reads)
          read_by_reduction |= access.stage == s && dag.stages[c].kind == StageKind::kReduction;
      }
    }
    if (stage.kind == StageKind::kReduction) {
      if (elementwise && roles.accumulator < 0) {
        roles.of_stage[s] = StageRole::kAccumulator;
        roles.accumulator = s;
      } else {
        roles.of_stage[s] = StageRole::kLocated;
      }
      continue;
    }
    // A pure stage is worth storing where a reduction reads its elements again and again.
    const bool stored = read_by_reduction && (stage.pads || Expensive(stage));
    roles.of_stage[s] = stored ? StageRole::kLocated : StageRole::kInline;
    reaches_output_elementwise[s] = elementwise && !stored;
  }
  return roles;
}

}  // namespace whet
