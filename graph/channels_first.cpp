#include "graph/channels_first.h"

#include <algorithm>
#include <map>

#include "schedules/operators/operator.h"

namespace whet {
namespace {

const TaskInput* FindInput(const Task& task, const std::string& name) {
  const auto found = std::find_if(task.inputs.begin(), task.inputs.end(),
                                  [&](const TaskInput& input) { return input.name == name; });
  return found == task.inputs.end() ? nullptr : &*found;
}

// Whether a node between the conversions means the same in either layout, once its attribute says
// which: a spatial operator, or an elementwise one on values from within and scalars.
bool IsFreeOfLayout(const Task& task, const TaskNode& node) {
  const OperatorDef* def = FindOperator(node.op);
  if (def == nullptr) return false;
  const bool spatial = def->FindAttribute("layout") != nullptr;
  if (spatial && node.attributes.String("layout", "NCHW") != "NHWC") return false;
  if (!spatial && def->op_class != OperatorClass::kElementwise) return false;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const TaskInput* input = FindInput(task, node.inputs[i]);
    if (input == nullptr) continue;
    if (spatial ? i == 0 : ElementCount(input->type.shape) != 1) return false;
  }
  return true;
}

}  // namespace

std::optional<Conversion> ConversionOf(const TaskNode& node) {
  if (node.op != "Transpose") return std::nullopt;
  const std::vector<int64_t> perm = node.attributes.Ints("perm");
  if (perm == std::vector<int64_t>{0, 2, 3, 1}) return Conversion::kToChannelsLast;
  if (perm == std::vector<int64_t>{0, 3, 1, 2}) return Conversion::kToChannelsFirst;
  return std::nullopt;
}

std::optional<Task> WithoutConversions(const Task& task) {
  const std::vector<TaskNode>& nodes = task.nodes;
  const auto back = std::find_if(nodes.begin(), nodes.end(), [](const TaskNode& node) {
    return ConversionOf(node) == Conversion::kToChannelsFirst;
  });
  if (back == nodes.end() || back - nodes.begin() < 2 ||
      ConversionOf(nodes.front()) != Conversion::kToChannelsLast) {
    return std::nullopt;
  }
  Task direct = task;
  direct.nodes.clear();
  std::map<std::string, std::string> renamed = {{nodes.front().output, nodes.front().inputs[0]},
                                                {back->output, back->inputs[0]}};
  for (auto it = nodes.begin() + 1; it != nodes.end(); ++it) {
    if (it == back) continue;
    TaskNode node = *it;
    if (it < back && !IsFreeOfLayout(task, node)) return std::nullopt;
    if (it < back && node.attributes.Has("layout"))
      node.attributes.Set("layout", std::string("NCHW"));
    for (std::string& input : node.inputs)
      if (const auto found = renamed.find(input); found != renamed.end()) input = found->second;
    direct.nodes.push_back(std::move(node));
  }
  if (const auto found = renamed.find(direct.output); found != renamed.end())
    direct.output = found->second;
  if (!direct.Types()) return std::nullopt;
  return direct;
}

}  // namespace whet
