#include "codegen/plan_builder.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/fingerprint.h"
#include "codegen/kernel_compiler.h"
#include "codegen/memory_planner.h"
#include "codegen/target.h"

namespace whet {
namespace {

class Builder {
 public:
  Builder(const Graph& graph, const Partition& partition, std::span<const ChosenSchedule> schedules)
      : graph_(graph), partition_(partition), schedules_(schedules) {}

  Result<BuiltPlan> Build(const std::string& name, const Target& target) {
    PlanSpec& plan = built_.plan;
    plan.model = name;
    plan.target = target.ToString();
    plan.threads = target.threads;
    for (size_t t = 0; t < partition_.tasks.size(); ++t) {
      const Task& task = partition_.tasks[t];
      plan.kernels.push_back({KernelSymbol(task, schedules_[t].trace), task.Fingerprint(),
                              task.Describe(), schedules_[t].record, task.Flops()});
    }
    AddPorts();
    PlaceValues();
    for (const TaskUse& use : partition_.uses) RETURN_IF_ERROR(AddStep(use));
    AddCopies();
    plan.constant_bytes = static_cast<int64_t>(built_.constants.size());
    RETURN_IF_ERROR(plan.Validate());
    return std::move(built_);
  }

 private:
  // Where a root value (no alias) lives.
  struct Home {
    Place place;
    int64_t offset;
  };

  ValueId Root(ValueId value) const { return partition_.alias_of[value]; }

  void AddPorts() {
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      const Value& value = graph_.values[graph_.inputs[i]];
      built_.plan.inputs.push_back({value.name, value.type});
      homes_[graph_.inputs[i]] = {Place::kInput, static_cast<int64_t>(i)};
    }
    for (ValueId output : graph_.outputs)
      built_.plan.outputs.push_back({graph_.values[output].name, graph_.values[output].type});
  }

  void PlaceValues() {
    std::set<ValueId> computed;
    for (const TaskUse& use : partition_.uses) computed.insert(Root(use.output));
    // A kernel writes a graph's output in place; further outputs with the same bytes are copied.
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const ValueId root = Root(graph_.outputs[i]);
      if (computed.count(root) && !homes_.count(root)) {
        homes_[root] = {Place::kOutput, static_cast<int64_t>(i)};
      } else {
        copies_.push_back(i);
      }
    }
    std::vector<ValueId> values;
    std::vector<BufferLifetime> lifetimes;
    std::map<ValueId, size_t> index;
    const int last = static_cast<int>(partition_.uses.size());
    for (int step = 0; step < last; ++step) {
      const TaskUse& use = partition_.uses[step];
      const ValueId output = Root(use.output);
      if (!homes_.count(output) && !index.count(output)) {
        index[output] = values.size();
        values.push_back(output);
        lifetimes.push_back({graph_.values[output].type.bytes(), step, step});
      }
      for (ValueId operand : use.operands) {
        const auto it = index.find(Root(operand));
        if (it != index.end()) lifetimes[it->second].last_step = step;
      }
    }
    for (size_t i : copies_) {
      const auto it = index.find(Root(graph_.outputs[i]));
      if (it != index.end()) lifetimes[it->second].last_step = last;
    }
    const ArenaLayout layout = PlanArena(lifetimes);
    built_.plan.arena_bytes = layout.bytes;
    for (size_t v = 0; v < values.size(); ++v)
      homes_[values[v]] = {Place::kArena, layout.offsets[v]};
  }

  int AddValue(const TensorType& type, Home home) {
    const PlanValue value{type, home.place, home.offset};
    auto& values = built_.plan.values;
    const auto it = std::find(values.begin(), values.end(), value);
    if (it != values.end()) return static_cast<int>(it - values.begin());
    values.push_back(value);
    return static_cast<int>(values.size()) - 1;
  }

  int64_t AppendConstant(const Tensor& tensor) {
    std::string& bytes = built_.constants;
    bytes.resize((bytes.size() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment);
    const int64_t offset = static_cast<int64_t>(bytes.size());
    bytes.append(reinterpret_cast<const char*>(tensor.bytes()), tensor.size_bytes());
    return offset;
  }

  // Constants of one value in one packed layout are stored once.
  Result<int> ConstantValue(ValueId id, const Task& task, const Trace& trace, size_t input) {
    const Value& value = graph_.values[id];
    const Tensor natural = value.constant->Reshaped(task.inputs[input].type.shape);
    ASSIGN_OR_RETURN(const TensorType type, PackedType(task, trace, input));
    std::string layout = ToString(type) + ":";
    for (const Directive& d : trace.directives)
      if (d.kind == DirectiveKind::kPack && d.stage == task.inputs[input].name)
        for (const PackLevel& level : d.layout)
          layout += std::to_string(level.dim) + "," + std::to_string(level.size) + ";";
    const auto key = std::make_tuple(id, ToString(natural.type()), layout);
    auto it = constants_.find(key);
    if (it == constants_.end()) {
      ASSIGN_OR_RETURN(const Tensor packed, PackConstant(task, trace, input, natural));
      it = constants_.emplace(key, AppendConstant(packed)).first;
    }
    return AddValue(type, {Place::kConstant, it->second});
  }

  Status AddStep(const TaskUse& use) {
    const Task& task = partition_.tasks[use.task];
    const Trace& trace = schedules_[use.task].trace;
    PlanStep step;
    step.name = use.name;
    step.kernel = use.task;
    for (size_t i = 0; i < use.operands.size(); ++i) {
      const ValueId root = Root(use.operands[i]);
      if (graph_.values[root].constant) {
        ASSIGN_OR_RETURN(const int value, ConstantValue(root, task, trace, i));
        step.args.push_back(value);
        continue;
      }
      const auto home = homes_.find(root);
      if (home == homes_.end()) {
        return Fail(ErrorCode::kInternal, "node '{}' reads '{}', which nothing computes", use.name,
                    graph_.values[root].name);
      }
      step.args.push_back(AddValue(task.inputs[i].type, home->second));
    }
    ASSIGN_OR_RETURN(const TensorType output, task.OutputType());
    step.args.push_back(AddValue(output, homes_.at(Root(use.output))));
    RETURN_IF_ERROR(AddChecks(use, step));
    built_.plan.steps.push_back(std::move(step));
    return {};
  }

  // Indices that are known only when the network runs.
  Status AddChecks(const TaskUse& use, const PlanStep& step) {
    const Task& task = partition_.tasks[use.task];
    ASSIGN_OR_RETURN(const auto types, task.Types());
    for (const TaskNode& node : task.nodes) {
      if (node.op != "Gather") continue;
      const Shape& shape = types.at(node.inputs[0]).shape;
      const int64_t axis = node.attributes.Int("axis", 0);
      const int64_t extent = shape[axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis];
      for (size_t i = 0; i < task.inputs.size(); ++i) {
        if (task.inputs[i].name != node.inputs[1] || task.inputs[i].constant) continue;
        built_.plan.checks.push_back(
            {static_cast<int>(built_.plan.steps.size()), step.args[i], extent});
      }
    }
    return {};
  }

  // Outputs that are an input, a constant or another output under a second name.
  void AddCopies() {
    for (size_t i : copies_) {
      const ValueId root = Root(graph_.outputs[i]);
      const TensorType& type = graph_.values[graph_.outputs[i]].type;
      const Value& value = graph_.values[root];
      const Home from = value.constant ? Home{Place::kConstant, AppendConstant(*value.constant)}
                                       : homes_.at(root);
      PlanStep step;
      step.name = graph_.values[graph_.outputs[i]].name;
      step.kernel = -1;
      step.args = {AddValue(type, from), AddValue(type, {Place::kOutput, static_cast<int64_t>(i)})};
      built_.plan.steps.push_back(std::move(step));
    }
  }

  const Graph& graph_;
  const Partition& partition_;
  std::span<const ChosenSchedule> schedules_;
  std::map<ValueId, Home> homes_;
  std::map<std::tuple<ValueId, std::string, std::string>, int64_t> constants_;
  std::vector<size_t> copies_;  // outputs that no kernel writes
  BuiltPlan built_;
};

}  // namespace

Result<BuiltPlan> BuildPlan(const Graph& graph, const Partition& partition,
                            std::span<const ChosenSchedule> schedules, const std::string& name,
                            const std::string& target) {
  ASSIGN_OR_RETURN(const Target parsed, Target::Parse(target));
  return Builder(graph, partition, schedules).Build(name, parsed);
}

std::string KernelSymbol(const Task& task, const Trace& trace) {
  return "whet_kernel_" + Fingerprint(task.Fingerprint() + DumpJson(trace.ToJson()["directives"]));
}

}  // namespace whet
