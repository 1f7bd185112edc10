// A task as a line of text: Describe for people, SpellTask for ParseTaskSpelling.
#include <algorithm>

#include "schedules/operators/operator.h"
#include "schedules/task.h"
#include "schedules/task_builder.h"
#include "schedules/task_syntax.h"

namespace whet {
namespace {

using TypeMap = std::map<std::string, TensorType>;

// Writes a list as short as ParseTaskSpelling accepts it.
std::string ListText(const std::string& name, const std::vector<int64_t>& values) {
  const bool window = WindowListLength(name) == static_cast<int>(values.size());
  if (window &&
      std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == values[0]; }))
    return std::to_string(values[0]);
  return ToString(Shape(values));
}

std::string AttributeText(const std::string& name, const Attribute& value) {
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) return ListText(name, *list);
  if (const auto* number = std::get_if<double>(&value))
    return fmt::format("{}", static_cast<float>(*number));
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "";
}

// `name=value` for each attribute that is not its default. The layout, which is named where it is
// not Whet's own, is left to the caller.
std::vector<std::string> AttributeTexts(const TaskNode& node) {
  std::vector<std::string> texts;
  const OperatorDef* def = FindOperator(node.op);
  if (!def) return texts;
  if (node.op == "Pipeline") return {node.attributes.String("name")};
  const Attributes defaults = CanonicalAttributes(*def, {});
  for (const AttributeDef& attribute : def->attributes) {
    const std::string name(attribute.name);
    auto it = node.attributes.values().find(name);
    if (it == node.attributes.values().end() || name == "layout") continue;
    auto fallback = defaults.values().find(name);
    if (fallback != defaults.values().end() && fallback->second == it->second) continue;
    texts.push_back(fmt::format("{}={}", name == "kernel_shape" ? kKernelAlias : attribute.name,
                                AttributeText(name, it->second)));
  }
  return texts;
}

bool HasLayout(const TaskNode& node, std::string_view layout) {
  return node.attributes.String("layout") == layout;
}

// An activation's shape in ONNX's order.
std::string ActivationText(const Shape& shape, bool channels_last) {
  return ToString(channels_last && shape.size() == 4 ? ToChannelsFirst(shape) : shape);
}

bool IsConstant(const Task& task, const std::string& name) {
  for (const TaskInput& input : task.inputs)
    if (input.name == name) return input.constant;
  return false;
}

// The operand of an elementwise node of the tail that is not the value before it; empty: there is
// none.
std::string OtherOperand(const TaskNode& node, const std::string& before) {
  for (const std::string& name : node.inputs)
    if (name != before) return name;
  return "";
}

bool LacksBias(const TaskNode& node, const OperatorDef& def) {
  return def.max_inputs > def.min_inputs && static_cast<int>(node.inputs.size()) == def.min_inputs;
}

std::string DescribeHead(const TaskNode& node, const OperatorDef& def, const TypeMap& types,
                         bool channels_last) {
  std::string text = node.op;
  const Shape first = types.at(node.inputs[0]).shape;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (def.max_inputs >= 0 && static_cast<int>(i) >= def.min_inputs) break;  // the bias
    if (def.name == "BatchNormalization" && i > 0) break;                     // as many as channels
    const Shape& shape = types.at(node.inputs[i]).shape;
    if (def.op_class == OperatorClass::kElementwise && i > 0 && shape == first)
      continue;  // the same again
    const bool parameter = i < def.operands.size() && def.operands[i].parameter;
    text.append(" ").append(parameter ? ToString(shape) : ActivationText(shape, channels_last));
  }
  for (const std::string& attribute : AttributeTexts(node)) text.append(" ").append(attribute);
  if (HasLayout(node, "NCHW") && first.size() == 4) text.append(" layout=NCHW");
  return LacksBias(node, def) ? text + " bias=0" : text;
}

std::string DescribeTail(const TaskNode& node, const std::string& before, const TypeMap& types,
                         bool channels_last) {
  std::vector<std::string> arguments = AttributeTexts(node);
  const std::string other = OtherOperand(node, before);
  if (!other.empty() && types.at(other).shape != types.at(node.output).shape)
    arguments.push_back(ActivationText(types.at(other).shape, channels_last));
  return arguments.empty() ? fmt::format("+{}", node.op)
                           : fmt::format("+{}({})", node.op, fmt::join(arguments, ","));
}

std::string SpellHead(const Task& task, const TaskNode& node, const OperatorDef& def,
                      const TypeMap& types, bool channels_last, bool in_tail) {
  std::vector<std::string> arguments;
  for (size_t i = in_tail ? 1 : 0; i < node.inputs.size(); ++i) {
    const bool variadic = def.max_inputs < 0;
    if (!variadic && static_cast<int>(i) >= def.min_inputs) break;
    const OperandDef& operand = def.operands[variadic ? 0 : i];
    const Shape& shape = types.at(node.inputs[i]).shape;
    const std::string name =
        variadic ? fmt::format("{}{}", operand.name, i) : std::string(operand.name);
    arguments.push_back(
        name + "=" + (operand.parameter ? ToString(shape) : ActivationText(shape, channels_last)));
  }
  for (const std::string& attribute : AttributeTexts(node)) arguments.push_back(attribute);
  if (!in_tail && HasLayout(node, "NCHW") && types.at(node.inputs[0]).shape.size() == 4)
    arguments.push_back("layout=NCHW");
  if (LacksBias(node, def)) arguments.push_back("bias=0");
  if (node.inputs.size() > 1) {
    const bool weight = def.operands.size() > 1 && def.operands[1].parameter &&
                        !(def.name == "MatMul" && types.at(node.inputs[1]).shape.size() > 2);
    const bool constant = IsConstant(task, node.inputs[1]);
    if (def.operands.size() > 1 && constant != weight)
      arguments.push_back(constant ? "const=1" : "const=0");
  }
  return fmt::format("{}({})", node.op, fmt::join(arguments, ","));
}

std::string SpellTail(const Task& task, const TaskNode& node, const std::string& before,
                      const TypeMap& types, bool channels_last) {
  const OperatorDef& def = *FindOperator(node.op);
  if (def.op_class != OperatorClass::kElementwise && node.inputs[0] == before)
    return "+" + SpellHead(task, node, def, types, channels_last, true);
  std::vector<std::string> arguments = AttributeTexts(node);
  const std::string other = OtherOperand(node, before);
  if (!other.empty()) {
    const Shape& shape = types.at(other).shape;
    const bool constant = IsConstant(task, other);
    if (shape.empty() && constant) {
      arguments.push_back("1");  // any number: its value is no part of the task
    } else {
      if (shape != types.at(node.output).shape)
        arguments.push_back("b=" + ActivationText(shape, channels_last));
      if (constant) arguments.push_back("const=1");
    }
  }
  return arguments.empty() ? fmt::format("+{}", node.op)
                           : fmt::format("+{}({})", node.op, fmt::join(arguments, ","));
}

}  // namespace

std::string Task::Describe() const {
  const auto types = Types();
  if (!types) return "invalid task";
  const Task canonical = Canonical();
  bool channels_last = false;
  for (const TaskNode& node : canonical.nodes)
    channels_last = channels_last || HasLayout(node, "NHWC");
  std::string text, before;
  for (const TaskNode& node : canonical.nodes) {
    const OperatorDef& def = *FindOperator(node.op);
    const bool head = text.empty() || def.op_class != OperatorClass::kElementwise;
    text += text.empty() ? "" : " ";
    text += head ? DescribeHead(node, def, *types, channels_last)
                 : DescribeTail(node, before, *types, channels_last);
    before = node.output;
  }
  return text;
}

std::string SpellTask(const Task& task) {
  const auto types = task.Types();
  if (!types) return "";
  const Task canonical = task.Canonical();
  const TaskNode& head = canonical.nodes[0];
  const bool channels_last = HasLayout(head, "NHWC");
  std::string text =
      SpellHead(canonical, head, *FindOperator(head.op), *types, channels_last, false);
  for (size_t i = 1; i < canonical.nodes.size(); ++i)
    text += SpellTail(canonical, canonical.nodes[i], canonical.nodes[i - 1].output, *types,
                      channels_last);
  // Whatever the words above cannot say shows as a different task.
  auto read = ParseTaskSpelling(text, task.target);
  if (read) read->accuracy = task.accuracy;
  return read && *read == canonical ? text : "";
}

}  // namespace whet
