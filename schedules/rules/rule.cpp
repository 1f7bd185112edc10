#include "schedules/rules/rule.h"

#include <algorithm>
#include <numeric>

namespace whet {

Directive SplitOf(const std::string& stage, int definition, const std::string& loop,
                  const std::string& outer, const std::string& inner, int64_t factor, Tail tail) {
  Directive d;
  d.kind = DirectiveKind::kSplit;
  d.stage = stage;
  d.definition = definition;
  d.loop = loop;
  d.names = {outer, inner};
  d.factor = factor;
  d.tail = tail;
  return d;
}

Directive LoopDirective(DirectiveKind kind, const std::string& stage, int definition,
                        const std::string& loop) {
  Directive d;
  d.kind = kind;
  d.stage = stage;
  d.definition = definition;
  d.loop = loop;
  return d;
}

Directive BoundExtent(const std::string& stage, const std::string& dim, int64_t extent) {
  Directive d = LoopDirective(DirectiveKind::kBoundExtent, stage, 0, dim);
  d.factor = extent;
  return d;
}

bool PadsSomewhere(const Dag& dag) {
  return std::any_of(dag.stages.begin(), dag.stages.end(), [](const Stage& s) { return s.pads; });
}

void NeverPartition(const std::string& stage, const PlacedStage& placed,
                    std::vector<Directive>* directives) {
  for (const auto* loops : {&placed.outer_loops, &placed.mid_loops})
    for (const std::string& loop : *loops)
      directives->push_back(LoopDirective(DirectiveKind::kNeverPartition, stage, 0, loop));
}

std::vector<int64_t> VectorWidths(int64_t extent, int64_t element_bytes,
                                  const MachineModel& machine) {
  std::vector<int64_t> widths;
  const int64_t full = machine.vector_bytes / element_bytes;
  for (int64_t width : {full, full / 2, full / 4})
    if (width > 1 && width <= extent) widths.push_back(width);
  // A short dimension that no width divides is one odd vector: the compiler splits it better than a
  // tail.
  if (widths.empty() || (extent < full && extent % widths.front() != 0)) widths.push_back(extent);
  return widths;
}

std::vector<std::vector<int64_t>> Permutations(size_t n) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<int64_t>> all;
  do {
    all.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

}  // namespace whet
