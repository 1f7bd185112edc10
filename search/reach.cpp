#include "search/reach.h"

#include <algorithm>
#include <set>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

class Follower {
 public:
  Follower(const Task& task, const std::map<std::string, TensorType>& types, const TaskInput& input)
      : task_(task), types_(types), shape_(input.type.shape) {
    reach_.alone = task.nodes.size() == 1;
    for (const TaskNode& node : task.nodes)
      if (Reads(node, input.name)) reach_.computed |= ReadsComputed(node);
    Follow(input.name, true);
  }
  Reach reach() && {
    reach_.dims.assign(dims_.begin(), dims_.end());
    return std::move(reach_);
  }

 private:
  static bool Reads(const TaskNode& node, const std::string& value) {
    return std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end();
  }
  bool ReadsComputed(const TaskNode& node) const {
    return std::any_of(task_.nodes.begin(), task_.nodes.end(),
                       [&](const TaskNode& before) { return Reads(node, before.output); });
  }

  // `aligned`: the value's dimensions are the input's, broadcast as NumPy does.
  void Follow(const std::string& value, bool aligned) {
    for (const TaskNode& node : task_.nodes) {
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (node.inputs[i] == value) Through(node, i, aligned);
    }
  }

  void Through(const TaskNode& node, size_t operand, bool aligned) {
    const OperatorDef* def = FindOperator(node.op);
    if (def == nullptr) return Everywhere();
    const bool elementwise = def->op_class == OperatorClass::kElementwise;
    if (def->op_class == OperatorClass::kReduction) {
      // A parameter is a column of many rows.
      if (def->mixes == nullptr || operand > 0 || !aligned || reach_.kind != Reach::Kind::kElement)
        return Everywhere();
      const Shape& shape = types_.at(node.inputs[0]).shape;
      const auto extra = static_cast<int64_t>(shape.size()) - static_cast<int64_t>(shape_.size());
      const std::vector<int64_t> mixed = def->mixes(node.attributes, shape);
      if (!mixed.empty()) reach_.kind = Reach::Kind::kRow;
      for (int64_t dim : mixed)
        if (dim >= extra) dims_.insert(dim - extra);
    }
    Follow(node.output, aligned && elementwise);
  }

  void Everywhere() { reach_.kind = Reach::Kind::kSum; }

  const Task& task_;
  const std::map<std::string, TensorType>& types_;
  const Shape& shape_;
  Reach reach_;
  std::set<int64_t> dims_;
};

}  // namespace

Reach ReachOf(const Task& task, const std::map<std::string, TensorType>& types,
              const TaskInput& input) {
  return Follower(task, types, input).reach();
}

}  // namespace whet
