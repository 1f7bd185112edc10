// ParseTaskSpelling: what the operators' registry rows make of the calls that task_syntax.h splits
// off.
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "schedules/operators/operator.h"
#include "schedules/task_builder.h"
#include "schedules/task_syntax.h"

namespace whet {
namespace {

using Operand = TaskBuilder::Operand;

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

Result<bool> ParseSwitch(const SpelledArgument& argument) {
  if (argument.value == "0" || argument.value == "1") return argument.value == "1";
  return Fail(ErrorCode::kInvalidInput, "{} is '{}' and should be 0 or 1", argument.name,
              argument.value);
}

Result<Shape> ParseExtents(const SpelledArgument& argument) {
  auto shape = ParseShape(argument.value);
  if (!shape) return Prefixed(shape.error(), argument.name.empty() ? "the tensor" : argument.name);
  for (int64_t extent : *shape)
    if (extent < 1)
      return Fail(ErrorCode::kInvalidInput,
                  "{} has the shape {} and should have extents of at least 1", argument.name,
                  argument.value);
  return shape;
}

// `1x1`, or one number for all values of a window's list; `pads=1x2` are 1 above and below, 2 left
// and right.
Result<Attribute> ParseInts(const AttributeDef& attribute, const std::string& text) {
  auto values = ParseShape(text);
  const size_t length = static_cast<size_t>(WindowListLength(attribute.name));
  if (!values)
    return Fail(ErrorCode::kInvalidInput, "{} is '{}' and should be integers joined by x",
                attribute.name, text);
  if (length > 0 && values->size() == 1) values->assign(length, values->front());
  if (length == 4 && values->size() == 2)
    values = Shape{(*values)[0], (*values)[1], (*values)[0], (*values)[1]};
  if (length > 0 && values->size() != length)
    return Fail(ErrorCode::kInvalidInput, "{} is '{}' and should have 1 or {} values",
                attribute.name, text, length);
  return Attribute(*std::move(values));
}

Result<Attribute> ParseAttribute(const AttributeDef& attribute, const std::string& text) {
  switch (attribute.kind) {
    case AttributeKind::kString:
      return Attribute(text);
    case AttributeKind::kInts:
      return ParseInts(attribute, text);
    case AttributeKind::kInt:
      if (auto value = ParseNumber<int64_t>(text)) return Attribute(*value);
      return Fail(ErrorCode::kInvalidInput, "{} is '{}' and should be an integer", attribute.name,
                  text);
    case AttributeKind::kFloat:
      break;
  }
  auto value = ParseNumber<double>(text);
  if (value && std::isfinite(*value)) return Attribute(*value);
  return Fail(ErrorCode::kInvalidInput, "{} is '{}' and should be a number", attribute.name, text);
}

bool HasOptionalBias(const OperatorDef& def) { return def.max_inputs > def.min_inputs; }
bool IsVariadic(const OperatorDef& def) { return def.max_inputs < 0; }

// What an operator at the head of a task may be told, for messages.
std::string AcceptedArguments(const OperatorDef& def) {
  std::string names;
  auto add = [&](std::string_view name) { names.append(names.empty() ? "" : ", ").append(name); };
  for (const OperandDef& operand : def.operands)
    add(IsVariadic(def) ? fmt::format("{0}0, {0}1, ..", operand.name) : std::string(operand.name));
  for (const AttributeDef& attribute : def.attributes)
    add(attribute.name == "kernel_shape" ? kKernelAlias : attribute.name);
  if (HasOptionalBias(def)) add("bias");
  if (def.operands.size() > 1) add("const");
  return names;
}

Result<const OperatorDef*> Lookup(const std::string& op) {
  if (const OperatorDef* def = FindOperator(op)) return def;
  std::string known;
  for (const OperatorDef* def : AllOperators())
    known.append(known.empty() ? "" : ", ").append(def->name);
  return Fail(ErrorCode::kInvalidInput, "operator '{}' is unknown; known are {}", op.substr(0, 40),
              known);
}

// The head's arguments, sorted by what they are.
struct HeadArguments {
  std::map<std::string, Shape> shapes;
  Attributes attributes;
  std::optional<bool> bias, constant;
};

// The operand of that name: "x", or "x0", "x1", .. of an operator with any number of operands.
bool IsOperand(const OperatorDef& def, const std::string& name) {
  for (const OperandDef& operand : def.operands) {
    if (!IsVariadic(def) && name == operand.name) return true;
    if (IsVariadic(def) && name.starts_with(operand.name) &&
        ParseNumber<uint16_t>(std::string_view(name).substr(operand.name.size())))
      return true;
  }
  return false;
}

Result<HeadArguments> SortArguments(const OperatorDef& def, const SpelledCall& call) {
  HeadArguments head;
  std::map<std::string, int> seen;
  for (const SpelledArgument& argument : call.arguments) {
    std::string name = argument.name == kKernelAlias ? "kernel_shape" : argument.name;
    if (seen[name]++)
      return Fail(ErrorCode::kInvalidInput, "argument {} is given twice", argument.name);
    const AttributeDef* attribute = def.FindAttribute(name);
    if (IsOperand(def, name)) {
      ASSIGN_OR_RETURN(head.shapes[name], ParseExtents(argument));
    } else if (attribute) {
      ASSIGN_OR_RETURN(Attribute value, ParseAttribute(*attribute, argument.value));
      head.attributes.Set(name, std::move(value));
    } else if (name == "bias" && HasOptionalBias(def)) {
      ASSIGN_OR_RETURN(head.bias, ParseSwitch(argument));
    } else if (name == "const" && def.operands.size() > 1) {
      ASSIGN_OR_RETURN(head.constant, ParseSwitch(argument));
    } else {
      return Fail(ErrorCode::kInvalidInput, "argument '{}' is unknown; {} takes {}",
                  (name.empty() ? argument.value : name).substr(0, 40), def.name,
                  AcceptedArguments(def));
    }
  }
  return head;
}

// The shape of an operand that may be left out; none for one that may not, or whose absence means
// no bias.
std::optional<Shape> ImpliedShape(const OperatorDef& def, const OperandDef& operand,
                                  const HeadArguments& head) {
  auto shape_of = [&](const char* name) -> const Shape* {
    auto it = head.shapes.find(name);
    return it == head.shapes.end() ? nullptr : &it->second;
  };
  if (def.name == "Conv" && operand.name == "b") {
    const Shape* w = shape_of("w");
    if (w && !w->empty()) return Shape{(*w)[0]};
  }
  if (def.name == "ConvTranspose" && operand.name == "b") {
    const Shape* w = shape_of("w");
    if (w && w->size() > 1) return Shape{(*w)[1] * head.attributes.Int("group", 1)};
  }
  if (def.name == "Gemm" && operand.name == "c") {
    const Shape* b = shape_of("b");
    if (b && b->size() == 2) return Shape{(*b)[head.attributes.Int("transB") != 0 ? 0 : 1]};
  }
  if (def.name == "LayerNormalization" && operand.parameter) {
    const Shape* x = shape_of("x");
    int64_t axis = head.attributes.Int("axis", -1);
    const int64_t rank = x ? static_cast<int64_t>(x->size()) : 0;
    if (axis < 0) axis += rank;
    if (axis >= 0 && axis < rank) return Shape(x->begin() + axis, x->end());
  }
  if (def.name == "BatchNormalization" && operand.parameter) {
    const Shape* x = shape_of("x");
    if (x && x->size() > 1) return Shape{(*x)[1]};
  }
  return std::nullopt;
}

struct Chain {
  TaskBuilder builder;
  Operand value;               // what the nodes so far compute
  bool channels_last = false;  // its 4-D tensors are [n, h, w, c]
};

// Names and shapes of the head's operands, in order.
Result<std::vector<std::pair<OperandDef, Shape>>> HeadOperands(const OperatorDef& def,
                                                               const HeadArguments& head) {
  std::vector<std::pair<OperandDef, Shape>> operands;
  if (IsVariadic(def)) {
    for (size_t i = 0; i < std::max<size_t>(head.shapes.size(), 1); ++i) {
      auto it = head.shapes.find(fmt::format("{}{}", def.operands[0].name, i));
      if (it == head.shapes.end())
        return Fail(ErrorCode::kInvalidInput,
                    "operand {0}{1} is missing; operands are {0}0, {0}1, .. without gaps",
                    def.operands[0].name, i);
      operands.emplace_back(def.operands[0], it->second);
    }
    return operands;
  }
  for (size_t i = 0; i < def.operands.size(); ++i) {
    const OperandDef& operand = def.operands[i];
    const bool optional = i >= static_cast<size_t>(def.min_inputs);
    auto it = head.shapes.find(std::string(operand.name));
    if (optional && head.bias == false) {
      if (it != head.shapes.end())
        return Fail(ErrorCode::kInvalidInput, "{} has a shape although bias=0 leaves it out",
                    operand.name);
      continue;
    }
    std::optional<Shape> shape;
    if (it != head.shapes.end())
      shape = it->second;
    else
      shape = ImpliedShape(def, operand, head);
    if (!shape && optional) continue;  // the operands that imply it are wrong, and infer says so
    if (!shape)
      return Fail(ErrorCode::kInvalidInput,
                  "operand {0} is missing; give its shape, as in {0}=1x64x56x56", operand.name);
    operands.emplace_back(operand, *std::move(shape));
  }
  return operands;
}

// An operator with operands of its own; in the tail, the first of them is what the chain computes.
Status AddHead(const OperatorDef& def, const SpelledCall& call, bool in_tail, Chain& chain) {
  ASSIGN_OR_RETURN(HeadArguments head, SortArguments(def, call));
  if (in_tail) {
    const std::string first(def.operands[0].name);
    if (head.shapes.count(first))
      return Fail(ErrorCode::kInvalidInput, "{} is what the operator before it computes", first);
    const Shape& shape = chain.value.type.shape;
    head.shapes[first] = chain.channels_last && shape.size() == 4 ? ToChannelsFirst(shape) : shape;
  }
  ASSIGN_OR_RETURN(auto operands, HeadOperands(def, head));
  if (def.FindAttribute("layout")) {
    const std::string layout = in_tail && !chain.channels_last ? "NCHW" : "NHWC";
    if (!head.attributes.Has("layout") && operands[0].second.size() == 4)
      head.attributes.Set("layout", layout);
    if (in_tail && head.attributes.String("layout") != layout)
      return Fail(ErrorCode::kInvalidInput,
                  "layout is {} and should be that of the operators before it",
                  head.attributes.String("layout"));
    chain.channels_last = head.attributes.String("layout") == "NHWC";
  }
  std::vector<Operand> inputs;
  for (auto& [operand, shape] : operands) {
    if (in_tail && inputs.empty()) {
      inputs.push_back(chain.value);
      continue;
    }
    const bool activation = !operand.parameter;
    if (activation && chain.channels_last && shape.size() == 4) shape = ToChannelsLast(shape);
    // MatMul's second operand is a weight only as a plain matrix.
    bool constant = operand.parameter && !(def.name == "MatMul" && shape.size() > 2);
    if (head.constant && operand.name != def.operands[0].name) constant = *head.constant;
    const DataType dtype = operand.name == "indices"     ? DataType::kInt64
                           : operand.name == "condition" ? DataType::kBool
                                                         : DataType::kFloat32;
    inputs.push_back(chain.builder.AddInput({dtype, std::move(shape)}, constant));
  }
  ASSIGN_OR_RETURN(chain.value, chain.builder.AddNode(call.op, inputs, std::move(head.attributes)));
  return {};
}

// The second operand of an elementwise operator in the tail.
Result<Operand> TailOperand(const OperatorDef& def, const SpelledCall& call, Chain& chain) {
  TensorType type = chain.value.type;
  bool constant = false;
  std::optional<bool> constant_argument;
  bool given = false;
  for (const SpelledArgument& argument : call.arguments) {
    if (argument.name == "const" && !constant_argument) {
      ASSIGN_OR_RETURN(constant_argument, ParseSwitch(argument));
      continue;
    }
    if ((!argument.name.empty() && argument.name != "b") || given)
      return Fail(ErrorCode::kInvalidInput,
                  "argument '{}' is not accepted; +{} takes a number, or the shape of its second "
                  "operand b, and const",
                  (argument.name.empty() ? argument.value : argument.name).substr(0, 40), def.name);
    given = true;
    auto number = ParseNumber<double>(argument.value);
    if (argument.name.empty() && number && std::isfinite(*number)) {
      type.shape = {};
      constant = true;
      continue;
    }
    ASSIGN_OR_RETURN(type.shape, ParseExtents(argument));
    const size_t rank = chain.value.type.shape.size();
    if (chain.channels_last && rank == 4 && !type.shape.empty() && type.shape.size() <= 4) {
      type.shape.insert(type.shape.begin(), 4 - type.shape.size(), 1);
      type.shape = ToChannelsLast(type.shape);
    }
  }
  return chain.builder.AddInput(std::move(type), constant_argument.value_or(constant));
}

Status AddTail(const OperatorDef& def, const SpelledCall& call, Chain& chain) {
  if (def.op_class == OperatorClass::kReduction) return AddHead(def, call, true, chain);
  if (def.op_class != OperatorClass::kElementwise)
    return Fail(
        ErrorCode::kInvalidInput,
        "it only moves elements, and only elementwise operators and reductions may follow a +");
  std::vector<Operand> inputs = {chain.value};
  Attributes attributes;
  if (def.min_inputs == 2) {
    ASSIGN_OR_RETURN(Operand second, TailOperand(def, call, chain));
    inputs.push_back(std::move(second));
  } else {
    for (const SpelledArgument& argument : call.arguments) {
      const AttributeDef* attribute = def.FindAttribute(argument.name);
      if (!attribute || attributes.Has(argument.name)) {
        std::string known;
        for (const AttributeDef& a : def.attributes)
          known.append(known.empty() ? "" : ", ").append(a.name);
        return Fail(ErrorCode::kInvalidInput, "argument '{}' is {}; +{} takes {}",
                    (argument.name.empty() ? argument.value : argument.name).substr(0, 40),
                    attribute ? "given twice" : "unknown", def.name,
                    known.empty() ? "none" : known);
      }
      ASSIGN_OR_RETURN(Attribute value, ParseAttribute(*attribute, argument.value));
      attributes.Set(argument.name, std::move(value));
    }
  }
  const Shape before = chain.value.type.shape;
  ASSIGN_OR_RETURN(chain.value, chain.builder.AddNode(call.op, inputs, std::move(attributes)));
  if (chain.value.type.shape != before)
    return Fail(ErrorCode::kInvalidInput,
                "its operand of shape {} does not broadcast to the output's {}",
                ToString(inputs.back().type.shape), ToString(before));
  return {};
}

}  // namespace

Result<Task> ParseTaskSpelling(std::string_view spelling, const std::string& target) {
  ASSIGN_OR_RETURN(const std::vector<SpelledCall> calls, SplitSpelling(spelling));
  Chain chain{TaskBuilder(target), {}, false};
  for (size_t i = 0; i < calls.size(); ++i) {
    ASSIGN_OR_RETURN(const OperatorDef* def, Lookup(calls[i].op));
    auto status = i == 0 ? AddHead(*def, calls[i], false, chain) : AddTail(*def, calls[i], chain);
    if (!status)
      return Prefixed(status.error(), fmt::format("{}{}", i == 0 ? "" : "+", calls[i].op));
  }
  return chain.builder.Finish();
}

}  // namespace whet
