#include "graph/partition.h"

#include <algorithm>
#include <map>
#include <utility>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

class Partitioner {
 public:
  Partitioner(const Graph& graph, std::string target, Accuracy accuracy)
      : graph_(graph), target_(std::move(target)), accuracy_(accuracy) {
    const size_t values = graph.values.size();
    consumers_.resize(values);
    output_.resize(values, false);
    available_.resize(values, false);
    for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
      for (ValueId input : graph.nodes[i].inputs) {
        if (input == kNoValue) continue;
        std::vector<int>& readers = consumers_[input];
        if (readers.empty() || readers.back() != i) readers.push_back(i);
      }
    }
    for (ValueId output : graph.outputs) output_[output] = true;
    assigned_.resize(graph.nodes.size(), false);
    partition_.target = target_;
    partition_.alias_of.resize(values);
    for (size_t v = 0; v < values; ++v) partition_.alias_of[v] = static_cast<ValueId>(v);
    for (size_t v = 0; v < values; ++v) {
      if (graph.values[v].constant != nullptr) MakeAvailable(static_cast<ValueId>(v));
    }
    for (ValueId input : graph.inputs) MakeAvailable(input);
  }

  Result<Partition> Run() {
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i) {
      if (assigned_[i]) continue;
      const Node& node = graph_.nodes[i];
      const OperatorDef* def = FindOperator(node.op);
      if (def == nullptr) {
        return Fail(ErrorCode::kUnsupported, "{}: Whet has no operator of this name",
                    Describe(node));
      }
      std::vector<int> group{i};
      const bool fuses = def->op_class == OperatorClass::kElementwise ||
                         (def->op_class == OperatorClass::kReduction && node.op != "Softmax");
      if (fuses) Grow(&group);
      RETURN_IF_ERROR(Emit(group));
    }
    return std::move(partition_);
  }

 private:
  bool IsOf(OperatorClass op_class, int node) const {
    const OperatorDef* def = FindOperator(graph_.nodes[node].op);
    return def != nullptr && def->op_class == op_class;
  }

  // Whether `node` can run once the values of `inside` and everything available are there, at the
  // same shape.
  bool Joins(int node, const TensorType& type, const std::vector<ValueId>& inside) const {
    if (assigned_[node] || !IsOf(OperatorClass::kElementwise, node) ||
        graph_.values[graph_.nodes[node].output].type != type) {
      return false;
    }
    const std::vector<ValueId>& inputs = graph_.nodes[node].inputs;
    return std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) {
      return input == kNoValue || available_[input] ||
             std::find(inside.begin(), inside.end(), input) != inside.end();
    });
  }

  // The values that `group` (nodes that compute `inside`) leaves to the rest of the graph.
  int Escaping(const std::vector<int>& group, const std::vector<ValueId>& inside) const {
    return static_cast<int>(std::count_if(inside.begin(), inside.end(), [&](ValueId value) {
      if (output_[value]) return true;
      return std::any_of(consumers_[value].begin(), consumers_[value].end(), [&](int reader) {
        return std::find(group.begin(), group.end(), reader) == group.end();
      });
    }));
  }

  // Adds the followers of the group's last value, as many as leave one escaping value. A follower
  // may need others first (both halves of a * f(a)), so candidates are tried one by one and kept at
  // each point where one value escapes.
  void Grow(std::vector<int>* group) const {
    const TensorType& type = graph_.values[graph_.nodes[group->front()].output].type;
    std::vector<int> trial = *group;
    std::vector<ValueId> inside{graph_.nodes[group->front()].output};
    while (static_cast<int>(trial.size()) < kMaxTaskNodes) {
      int next = -1;
      for (ValueId value : inside) {
        for (int reader : consumers_[value]) {
          const bool taken = std::find(trial.begin(), trial.end(), reader) != trial.end();
          if (!taken && Joins(reader, type, inside) && (next < 0 || reader < next)) next = reader;
        }
      }
      if (next < 0) return;
      trial.push_back(next);
      inside.push_back(graph_.nodes[next].output);
      // The one is the last node's, then: nothing in the group reads that yet.
      if (Escaping(trial, inside) == 1) *group = trial;
    }
  }

  // The value is known from here on, and with it every view of it.
  void MakeAvailable(ValueId value) {
    std::vector<ValueId> known{value};
    while (!known.empty()) {
      const ValueId next = known.back();
      known.pop_back();
      available_[next] = true;
      for (int reader : consumers_[next]) {
        if (!IsOf(OperatorClass::kView, reader)) continue;
        assigned_[reader] = true;
        partition_.alias_of[graph_.nodes[reader].output] = partition_.alias_of[next];
        known.push_back(graph_.nodes[reader].output);
      }
    }
  }

  Status Emit(const std::vector<int>& group) {
    Task task;
    task.target = target_;
    task.accuracy = accuracy_;
    TaskUse use;
    std::map<ValueId, std::string> names;
    for (int index : group) {
      const Node& node = graph_.nodes[index];
      TaskNode task_node;
      task_node.op = node.op;
      task_node.attributes = node.attributes;
      for (ValueId input : node.inputs) {
        if (input == kNoValue) {
          return Fail(ErrorCode::kInternal, "{}: an absent input stands before one that is there",
                      Describe(node));
        }
        if (!names.contains(input)) {
          const Value& value = graph_.values[input];
          const std::string name = fmt::format("i{}", task.inputs.size());
          names[input] = name;
          task.inputs.push_back(TaskInput{name, value.type, value.constant != nullptr});
          use.operands.push_back(partition_.alias_of[input]);
        }
        task_node.inputs.push_back(names[input]);
      }
      task_node.output = fmt::format("t{}", task.nodes.size());
      names[node.output] = task_node.output;
      task.nodes.push_back(std::move(task_node));
      assigned_[index] = true;
    }
    const Node& last = graph_.nodes[group.back()];
    task.output = task.nodes.back().output;
    if (auto types = task.Types(); !types)
      return Prefixed(std::move(types).error(), Describe(last));
    task = task.Canonical();

    const auto [at, added] =
        index_of_.try_emplace(task.Fingerprint(), static_cast<int>(partition_.tasks.size()));
    if (added) {
      partition_.tasks.push_back(std::move(task));
      partition_.use_counts.push_back(0);
    }
    ++partition_.use_counts[at->second];
    use.task = at->second;
    use.name = last.name;
    use.output = last.output;
    partition_.uses.push_back(std::move(use));
    MakeAvailable(last.output);
    return {};
  }

  const Graph& graph_;
  const std::string target_;
  const Accuracy accuracy_;
  std::vector<std::vector<int>> consumers_;  // by value: nodes that read it, in order
  std::vector<bool> output_;                 // by value: the graph returns it
  std::vector<bool> available_;              // by value: known before the task being made runs
  std::vector<bool> assigned_;               // by node
  std::map<std::string, int> index_of_;      // by fingerprint: index into tasks
  Partition partition_;
};

}  // namespace

Result<Partition> PartitionGraph(const Graph& graph, const std::string& target, Accuracy accuracy) {
  return Partitioner(graph, target, accuracy).Run();
}

}  // namespace whet
