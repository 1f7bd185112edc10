#include "graph/blocks.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "graph/channels_first.h"
#include "schedules/operators/operator.h"

namespace whet {
namespace {

// From one use to the only other that reads its output.
struct Edge {
  int from = 0, to = 0;  // indices into Partition::uses
  double bytes = 0;      // of the value between them
};

// Movement operators are views or copies of their own, but for conversions between layouts;
// everything else may be part of a block.
bool MayJoin(const Task& task) {
  if (task.nodes.size() == 1 && ConversionOf(task.nodes[0])) return true;
  return std::all_of(task.nodes.begin(), task.nodes.end(), [](const TaskNode& node) {
    const OperatorDef* def = FindOperator(node.op);
    return def != nullptr && (def->op_class == OperatorClass::kElementwise ||
                              def->op_class == OperatorClass::kReduction);
  });
}

// Whether every input of `reader` that is `value` has the type in which it was written.
bool ReadsAsWritten(const Task& reader, const TaskUse& use, ValueId value, const TensorType& type) {
  for (size_t i = 0; i < use.operands.size(); ++i)
    if (use.operands[i] == value && reader.inputs[i].type != type) return false;
  return true;
}

// Who reads what in a partition.
struct Readers {
  Readers(const Graph& graph, const Partition& partition) : partition(partition) {
    for (size_t u = 0; u < partition.uses.size(); ++u)
      for (ValueId operand : partition.uses[u].operands) of[operand].insert(static_cast<int>(u));
    for (ValueId output : graph.outputs) kept.insert(partition.alias_of[output]);
  }
  ValueId Output(int use) const { return partition.alias_of[partition.uses[use].output]; }
  // The uses that read what `use` writes; none where the graph gives it away.
  std::set<int> After(int use) const {
    const auto found = of.find(Output(use));
    return kept.contains(Output(use)) || found == of.end() ? std::set<int>{} : found->second;
  }
  // Whether the value that `use` writes may stay inside a block with `reader`.
  bool MayPass(int use, int reader) const {
    const Task& task = partition.tasks[partition.uses[use].task];
    const Task& next = partition.tasks[partition.uses[reader].task];
    const auto type = task.OutputType();
    return MayJoin(task) && MayJoin(next) && type &&
           ReadsAsWritten(next, partition.uses[reader], Output(use), *type);
  }

  const Partition& partition;
  std::map<ValueId, std::set<int>> of;
  std::set<ValueId> kept;
};

// The gate of what `use` writes, in execution order; empty: there is none.
std::vector<int> FindGate(const Readers& readers, int use) {
  const std::set<int> after = readers.After(use);
  if (after.size() != 2) return {};
  const int first = *after.begin(), last = *after.rbegin();
  const auto value = readers.partition.tasks[readers.partition.uses[use].task].OutputType();
  if (!value || !readers.MayPass(use, first) || !readers.MayPass(use, last)) return {};
  std::vector<int> gate = {first};
  double flops = 0;
  while (gate.back() != last) {
    const std::set<int> next = readers.After(gate.back());
    if (next.size() != 1 || !readers.MayPass(gate.back(), *next.begin())) return {};
    gate.push_back(*next.begin());
  }
  for (int u : gate) flops += readers.partition.tasks[readers.partition.uses[u].task].Flops();
  const bool little =
      flops <= kMaxGateFlopsPerElement * static_cast<double>(ElementCount(value->shape));
  return little && gate.size() > 1 ? gate : std::vector<int>{};
}

// From each value to its only reader, or to the gate (by use: which one it is in) that reads it.
std::vector<Edge> FindEdges(const Readers& readers, const std::vector<int>& gate_of) {
  std::vector<Edge> edges;
  for (int u = 0; u < static_cast<int>(readers.partition.uses.size()); ++u) {
    const std::set<int> after = readers.After(u);
    if (after.empty()) continue;
    const int reader = *after.begin();
    const bool one = std::all_of(after.begin(), after.end(), [&](int other) {
      return other == reader || (gate_of[other] >= 0 && gate_of[other] == gate_of[reader]);
    });
    const bool inside = gate_of[u] >= 0 && gate_of[u] == gate_of[reader];
    if (!one || inside || !readers.MayPass(u, reader)) continue;
    const auto type = readers.partition.tasks[readers.partition.uses[u].task].OutputType();
    edges.push_back({u, reader, static_cast<double>(type->bytes())});
  }
  return edges;
}

// The tasks of `uses` as one.
Block Merge(const Partition& partition, std::vector<int> uses) {
  Block block;
  std::map<std::pair<ValueId, Shape>, std::string> names;  // of a value as it is read
  for (int index : uses) {
    const TaskUse& use = partition.uses[index];
    const Task& part = partition.tasks[use.task];
    std::map<std::string, std::string> renamed;  // names in the part to names in the block
    for (size_t i = 0; i < part.inputs.size(); ++i) {
      const auto [at, added] = names.try_emplace({use.operands[i], part.inputs[i].type.shape},
                                                 fmt::format("i{}", block.task.inputs.size()));
      renamed[part.inputs[i].name] = at->second;
      if (!added) continue;
      block.task.inputs.push_back({at->second, part.inputs[i].type, part.inputs[i].constant});
      block.operands.push_back(use.operands[i]);
    }
    for (TaskNode node : part.nodes) {
      for (std::string& input : node.inputs) input = renamed.at(input);
      const std::string name = fmt::format("t{}", block.task.nodes.size());
      renamed[node.output] = name;
      node.output = name;
      block.task.nodes.push_back(std::move(node));
    }
    block.task.target = part.target;
    block.task.accuracy = part.accuracy;
    block.task.output = block.task.nodes.back().output;
    const TensorType type = *part.OutputType();
    names[{partition.alias_of[use.output], type.shape}] = block.task.output;
  }
  // Between two conversions: computed in the layout that comes and goes.
  if (std::optional<Task> direct = WithoutConversions(block.task)) block.task = std::move(*direct);
  block.task = block.task.Canonical();
  block.uses = std::move(uses);
  return block;
}

}  // namespace

Result<std::vector<Block>> FindBlocks(const Graph& graph, const Partition& partition) {
  const Readers readers(graph, partition);
  const auto uses = static_cast<int>(partition.uses.size());
  std::vector<int> gate_of(partition.uses.size(), -1);  // the use whose value it gates
  std::vector<std::vector<int>> gates(partition.uses.size());
  for (int u = 0; u < uses; ++u) {
    std::vector<int> gate = FindGate(readers, u);
    const bool inside_another =
        std::any_of(gate.begin(), gate.end(), [&](int part) { return gate_of[part] >= 0; });
    if (inside_another) continue;
    for (int part : gate) gate_of[part] = u;
    gates[u] = std::move(gate);
  }
  std::vector<Edge> edges = FindEdges(readers, gate_of);
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.bytes > b.bytes; });
  // Each use starts as a group of its own, or a gate as one; an edge joins two groups.
  struct Group {
    std::vector<int> uses;
    int kernels = 0;  // uses that are neither conversions nor in gates
    double flops = 0, saved = 0;
    size_t nodes = 0;
  };
  std::vector<Group> groups(partition.uses.size());
  std::vector<int> group_of(partition.uses.size());
  for (int u = 0; u < uses; ++u) {
    const Task& task = partition.tasks[partition.uses[u].task];
    const bool conversion = task.nodes.size() == 1 && ConversionOf(task.nodes[0]);
    const bool kernel = !conversion && gate_of[u] < 0;
    group_of[u] = gate_of[u] < 0 ? u : gates[gate_of[u]].front();
    Group& group = groups[group_of[u]];
    group.uses.push_back(u);
    group.kernels += kernel ? 1 : 0;
    group.flops += task.Flops();
    group.nodes += task.nodes.size();
    if (gate_of[u] >= 0 && u != group.uses.front()) {
      ASSIGN_OR_RETURN(const TensorType type, task.OutputType());
      group.saved += 2 * static_cast<double>(type.bytes());
    }
  }
  for (const Edge& edge : edges) {
    Group& first = groups[group_of[edge.from]];
    Group& second = groups[group_of[edge.to]];
    const double saved = first.saved + second.saved + 2 * edge.bytes;
    const double flops = first.flops + second.flops;
    if (first.kernels + second.kernels > kMaxBlockKernels ||
        first.nodes + second.nodes > kMaxTaskNodes || flops > kMaxFlopsPerByteSaved * saved)
      continue;
    // Parts follow one another: the first group's last use feeds the second's first.
    if (first.uses.back() != edge.from || second.uses.front() != edge.to) continue;
    for (int use : second.uses) {
      group_of[use] = group_of[edge.from];
      first.uses.push_back(use);
    }
    first.kernels += second.kernels;
    first.flops = flops;
    first.saved = saved;
    first.nodes += second.nodes;
  }
  std::vector<Block> blocks;
  for (size_t u = 0; u < groups.size(); ++u) {
    const Group& group = groups[group_of[u]];
    if (group.uses.size() < 2 || group.uses.front() != static_cast<int>(u)) continue;
    Block block = Merge(partition, group.uses);
    RETURN_IF_ERROR(block.task.Types());
    blocks.push_back(std::move(block));
  }
  return blocks;
}

Partition FuseBlocks(const Partition& partition, std::span<const Block> blocks) {
  std::vector<const Block*> ends_here(partition.uses.size(), nullptr);
  std::vector<bool> inside(partition.uses.size(), false);
  for (const Block& block : blocks) {
    for (int use : block.uses) inside[use] = true;
    ends_here[block.uses.back()] = &block;
  }
  Partition fused;
  fused.target = partition.target;
  fused.alias_of = partition.alias_of;
  std::map<std::string, int> index_of;  // by fingerprint
  for (size_t u = 0; u < partition.uses.size(); ++u) {
    const Block* block = ends_here[u];
    if (inside[u] && block == nullptr) continue;
    TaskUse use = partition.uses[u];
    const Task& task = block ? block->task : partition.tasks[use.task];
    if (block) use.operands = block->operands;
    const auto [at, added] =
        index_of.try_emplace(task.Fingerprint(), static_cast<int>(fused.tasks.size()));
    if (added) {
      fused.tasks.push_back(task);
      fused.use_counts.push_back(0);
    }
    use.task = at->second;
    ++fused.use_counts[use.task];
    fused.uses.push_back(std::move(use));
  }
  return fused;
}

}  // namespace whet
