// Activations, arithmetic with broadcasting, comparisons, logic, Clip and Cast.
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "graph/onnx_normalize.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

Status Same(OnnxNode& node) {
  const ValueId x = node.Input(0);
  if (node.Type(x).dtype != DataType::kFloat32) {
    return Fail(ErrorCode::kUnsupported, "elements of type {} are not supported here, only f32",
                Name(node.Type(x).dtype));
  }
  ASSIGN_OR_RETURN(const ValueId value, node.Emit(node.proto().op_type(), {x}));
  node.Return(value);
  return {};
}

// Of integers, too: shapes are computed with it.
Status Neg(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const DataType dtype = node.Type(x).dtype;
  if (dtype != DataType::kInt64 && dtype != DataType::kInt32) return Same(node);
  const ValueId zero = node.EmitConstant(Tensor(TensorType{dtype, {}}));
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("Sub", {zero, x}));
  node.Return(value);
  return {};
}

// The second operand as NumPy broadcasts it. Before opset 7 it is broadcast only where the node
// says so, and its dimensions stand at those of the first from `axis` on, by default the last ones.
Result<ValueId> SecondOperand(OnnxNode& node) {
  const ValueId a = node.Input(0), b = node.Input(1);
  if (node.opset() >= 7) return b;
  const Shape whole = node.ShapeOf(a);
  Shape part = node.ShapeOf(b);
  const bool broadcast = node.Int("broadcast", 0) != 0, has_axis = node.HasAttribute("axis");
  const int64_t axis = node.Int("axis", 0), rank = static_cast<int64_t>(whole.size());
  if (!broadcast) {
    if (part == whole) return b;
    return Fail(ErrorCode::kInvalidInput,
                "its inputs are {} and {}: before opset 7 they should be alike, or broadcast be 1",
                ToString(node.Type(a)), ToString(node.Type(b)));
  }
  const int64_t begin = axis < 0 ? axis + rank : axis;
  const int64_t behind = has_axis ? rank - begin - static_cast<int64_t>(part.size()) : 0;
  bool fits = begin >= 0 && behind >= 0 && part.size() <= whole.size();
  if (fits) part.insert(part.end(), static_cast<size_t>(behind), 1);
  for (size_t d = 0; fits && d < part.size(); ++d) {
    const int64_t extent = whole[whole.size() - part.size() + d];
    fits = part[d] == extent || part[d] == 1;
  }
  if (!fits) {
    return Fail(ErrorCode::kInvalidInput, "{} cannot be broadcast to {}{}", ToString(node.Type(b)),
                ToString(node.Type(a)), has_axis ? fmt::format(" from axis {} on", axis) : "");
  }
  return node.EmitReshape(b, std::move(part));
}

Status Binary(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId b, SecondOperand(node));
  ASSIGN_OR_RETURN(const ValueId value, node.Emit(node.proto().op_type(), {node.Input(0), b}));
  node.Return(value);
  return {};
}

// a > b is b < a.
Status Swapped(OnnxNode& node, const char* op) {
  ASSIGN_OR_RETURN(const ValueId b, SecondOperand(node));
  ASSIGN_OR_RETURN(const ValueId value, node.Emit(op, {b, node.Input(0)}));
  node.Return(value);
  return {};
}
Status Greater(OnnxNode& node) { return Swapped(node, "Less"); }
Status GreaterOrEqual(OnnxNode& node) { return Swapped(node, "LessOrEqual"); }

// Logic is choosing: a and b is b where a holds.
ValueId EmitBool(OnnxNode& node, bool value) {
  Tensor tensor(TensorType{DataType::kBool, {}});
  *tensor.data<uint8_t>() = value;
  return node.EmitConstant(std::move(tensor));
}
Status ReturnEmitted(OnnxNode& node, const Result<ValueId>& emitted) {
  ASSIGN_OR_RETURN(const ValueId value, emitted);
  node.Return(value);
  return {};
}
Status Not(OnnxNode& node) {
  return ReturnEmitted(node, node.Emit("Equal", {node.Input(0), EmitBool(node, false)}));
}
Status And(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId b, SecondOperand(node));
  return ReturnEmitted(node, node.Emit("Where", {node.Input(0), b, EmitBool(node, false)}));
}
Status Or(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId b, SecondOperand(node));
  return ReturnEmitted(node, node.Emit("Where", {node.Input(0), EmitBool(node, true), b}));
}
Status Xor(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId b, SecondOperand(node));
  ASSIGN_OR_RETURN(const ValueId same, node.Emit("Equal", {node.Input(0), b}));
  return ReturnEmitted(node, node.Emit("Equal", {same, EmitBool(node, false)}));
}
Status Where(OnnxNode& node) {
  return ReturnEmitted(node, node.Emit("Where", {node.Input(0), node.Input(1), node.Input(2)}));
}

Result<ValueId> EmitInverse(OnnxNode& node, ValueId x) {
  return node.Emit("Div", {node.EmitConstant(Tensor::Float({}, {1})), x});
}

Status Reciprocal(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId value, EmitInverse(node, node.Input(0)));
  node.Return(value);
  return {};
}

// Whether the value is a sum of squares (a mean, ..) and a positive number: what normalisations
// take the root of.
bool IsPositive(const OnnxNode& node, ValueId value) {
  const auto not_negative = [&](ValueId x) {
    const Node* producer = node.Producer(x);
    while (producer != nullptr &&
           (producer->op == "ReduceMean" || producer->op == "ReduceSum" ||
            producer->op == "GlobalAveragePool" || producer->op == "Reshape")) {
      producer = node.Producer(producer->inputs[0]);
    }
    return producer != nullptr && producer->op == "Mul" &&
           producer->inputs[0] == producer->inputs[1];
  };
  const Node* sum = node.Producer(value);
  if (sum == nullptr || sum->op != "Add") return false;
  for (int i : {0, 1}) {
    const Tensor* number = node.Constant(sum->inputs[i]);
    if (number != nullptr && number->count() == 1 && number->AsDouble(0) > 0 &&
        not_negative(sum->inputs[1 - i])) {
      return true;
    }
  }
  return false;
}

// x^(1/2) or x^(-1/2). A root of -infinity is NaN and one of -0 is -0, but powers of either are
// positive.
Result<ValueId> EmitRootPower(OnnxNode& node, ValueId x, bool inverse) {
  const bool positive = IsPositive(node, x);
  if (!positive) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    ASSIGN_OR_RETURN(const ValueId lowest,
                     node.Emit("Equal", {x, node.EmitConstant(Tensor::Float({}, {-kInfinity}))}));
    ASSIGN_OR_RETURN(
        x, node.Emit("Where", {lowest, node.EmitConstant(Tensor::Float({}, {kInfinity})), x}));
  }
  ASSIGN_OR_RETURN(ValueId root, node.Emit("Sqrt", {x}));
  if (!inverse) return root;
  if (!positive) {
    ASSIGN_OR_RETURN(root, node.Emit("Abs", {root}));
  }
  return EmitInverse(node, root);
}

// Exponents that are common and cost less than a power; kNoValue: another one.
Result<ValueId> EmitEasyPower(OnnxNode& node, ValueId x, double exponent) {
  if (exponent == 1) return x;
  if (exponent == -1) return EmitInverse(node, x);
  if (exponent == 2) return node.Emit("Mul", {x, x});
  if (exponent == 3) {
    ASSIGN_OR_RETURN(const ValueId square, node.Emit("Mul", {x, x}));
    return node.Emit("Mul", {square, x});
  }
  if (std::abs(exponent) == 0.5) return EmitRootPower(node, x, exponent < 0);
  return kNoValue;
}

// Powers of integers wrap around like their products.
Result<ValueId> EmitIntegerPower(OnnxNode& node, ValueId x, ValueId exponent) {
  const TensorType type = node.Type(x);
  const Tensor* constant = node.Constant(exponent);
  const double number = constant != nullptr && constant->count() == 1 ? constant->AsDouble(0) : -1;
  if (!(number >= 0 && number <= 64) || number != std::floor(number) ||
      constant->shape().size() > type.shape.size()) {
    return Fail(ErrorCode::kUnsupported,
                "powers of {} are supported for one constant exponent, a whole number from 0 to 64",
                Name(type.dtype));
  }
  Tensor one(TensorType{type.dtype, {}});
  if (type.dtype == DataType::kInt64) {
    *one.data<int64_t>() = 1;
  } else {
    *one.data<int32_t>() = 1;
  }
  const auto whole = static_cast<int>(number);
  if (whole == 0) {  // as many ones as x has elements
    ASSIGN_OR_RETURN(const ValueId zeros, node.Emit("Sub", {x, x}));
    return node.Emit("Add", {zeros, node.EmitConstant(std::move(one))});
  }
  ValueId power = kNoValue, square = x;
  for (int left = whole; left > 0; left /= 2) {
    if (left % 2 == 1 && power == kNoValue) {
      power = square;
    } else if (left % 2 == 1) {
      ASSIGN_OR_RETURN(power, node.Emit("Mul", {power, square}));
    }
    if (left > 1) {
      ASSIGN_OR_RETURN(square, node.Emit("Mul", {square, square}));
    }
  }
  return power;
}

Status Pow(OnnxNode& node) {
  const ValueId x = node.Input(0);
  ASSIGN_OR_RETURN(ValueId exponent, SecondOperand(node));
  const DataType dtype = node.Type(x).dtype;
  if (dtype == DataType::kInt32 || dtype == DataType::kInt64)
    return ReturnEmitted(node, EmitIntegerPower(node, x, exponent));
  if (dtype != DataType::kFloat32) {
    return Fail(ErrorCode::kUnsupported, "powers of {} are not supported, only of f32, i32 and i64",
                Name(dtype));
  }
  const Tensor* constant = node.Constant(exponent);
  if (constant != nullptr && constant->count() == 1 &&
      constant->shape().size() <= node.ShapeOf(x).size()) {
    ASSIGN_OR_RETURN(const ValueId easy, EmitEasyPower(node, x, constant->AsDouble(0)));
    if (easy != kNoValue) {
      node.Return(easy);
      return {};
    }
  }
  if (node.Type(exponent).dtype != DataType::kFloat32) {
    ASSIGN_OR_RETURN(exponent, node.Emit("Cast", {exponent}, {{"to", std::string("f32")}}));
  }
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("Pow", {x, exponent}));
  node.Return(value);
  return {};
}

// Max, Min and Sum take any number of operands.
Status Variadic(OnnxNode& node, const std::string& op) {
  ValueId value = node.Input(0);
  for (int i = 1; i < node.input_count(); ++i) {
    ASSIGN_OR_RETURN(value, node.Emit(op, {value, node.Input(i)}));
  }
  node.Return(value);
  return {};
}
Status Max(OnnxNode& node) { return Variadic(node, "Max"); }
Status Min(OnnxNode& node) { return Variadic(node, "Min"); }
Status Sum(OnnxNode& node) { return Variadic(node, "Add"); }

Status HardSigmoid(OnnxNode& node) {
  const Attributes attributes{{"alpha", node.Float("alpha", 0.2f)},
                              {"beta", node.Float("beta", 0.5f)}};
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("HardSigmoid", {node.Input(0)}, attributes));
  node.Return(value);
  return {};
}

Status LeakyRelu(OnnxNode& node) {
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("LeakyRelu", {node.Input(0)},
                                                  {{"alpha", node.Float("alpha", 0.01f)}}));
  node.Return(value);
  return {};
}

Status Gelu(OnnxNode& node) {
  const std::string approximate = node.String("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    return Fail(ErrorCode::kInvalidInput, "approximate is '{}', expected 'none' or 'tanh'",
                PrintableName(approximate));
  }
  ASSIGN_OR_RETURN(const ValueId value,
                   node.Emit("Gelu", {node.Input(0)}, {{"approximate", approximate}}));
  node.Return(value);
  return {};
}

// The bounds set so far, then one that is not an attribute's number: max(x, low), then min(..,
// high) is the order that counts where low > high.
Result<ValueId> EmitBound(OnnxNode& node, ValueId x, Attributes* before, bool low, ValueId bound) {
  if (!before->values().empty()) {
    ASSIGN_OR_RETURN(x, node.Emit("Clip", {x}, std::exchange(*before, Attributes{})));
  }
  return node.Emit(low ? "Max" : "Min", {x, bound});
}

// The bounds are attributes before opset 11 and inputs since. One that is not given bounds nothing,
// not even infinities.
Status Clip(OnnxNode& node) {
  ValueId value = node.Input(0);
  Attributes attributes;
  if (node.opset() < 11) {
    // The defaults of opset 6 are the ends of f32: no bounds.
    for (const char* bound : {"min", "max"}) {
      const double limit = node.Float(bound, 0);
      const bool none = bound == std::string_view("min") ? limit <= -3.4e38 : limit >= 3.4e38;
      if (node.HasAttribute(bound) && !none) attributes.Set(bound, limit);
    }
  } else {
    for (int i = 1; i <= 2; ++i) {
      if (!node.HasInput(i)) continue;
      const Tensor* bound = node.Constant(node.Input(i));
      if (node.Type(node.Input(i)).dtype != node.Type(value).dtype ||
          node.Type(node.Input(i)).bytes() == 0) {
        return Fail(ErrorCode::kInvalidInput, "a bound is {}, expected a scalar of the type of {}",
                    ToString(node.Type(node.Input(i))), ToString(node.Type(value)));
      }
      if (bound == nullptr || node.Type(value).dtype != DataType::kFloat32) {
        // A bound known only at run time, or one that a double may not hold.
        ASSIGN_OR_RETURN(value, EmitBound(node, value, &attributes, i == 1, node.Input(i)));
        continue;
      }
      if (bound->count() != 1) {
        return Fail(ErrorCode::kInvalidInput, "a bound is {}, expected a scalar",
                    ToString(bound->type()));
      }
      const double limit = bound->AsDouble(0);
      const bool none = std::isinf(limit) && (limit < 0) == (i == 1);
      if (std::isfinite(limit)) {
        attributes.Set(i == 1 ? "min" : "max", limit);
      } else if (!none) {
        const ValueId number = node.EmitConstant(bound->Reshaped({}));
        ASSIGN_OR_RETURN(value, EmitBound(node, value, &attributes, i == 1, number));
      }
    }
  }
  if (!attributes.values().empty()) {
    ASSIGN_OR_RETURN(value, node.Emit("Clip", {value}, attributes));
  }
  node.Return(value);
  return {};
}

// The element type that a Cast names: by a word before opset 6.
Result<DataType> CastTarget(OnnxNode& node) {
  if (node.opset() >= 6) return DataTypeFromOnnx(static_cast<int>(node.Int("to", 0)));
  const std::string name = node.String("to", "");
  onnx::TensorProto::DataType type = onnx::TensorProto::UNDEFINED;
  if (!onnx::TensorProto::DataType_Parse(name, &type)) {
    return Fail(ErrorCode::kInvalidInput, "attribute 'to' is '{}', expected a type such as FLOAT",
                PrintableName(name));
  }
  return DataTypeFromOnnx(type);
}

Status Cast(OnnxNode& node) {
  node.Ignore({"saturate", "round_mode"});  // speak of 8-bit floats only
  const ValueId x = node.Input(0);
  ASSIGN_OR_RETURN(const DataType to, CastTarget(node));
  if (to == node.Type(x).dtype) {
    node.Return(x);
    return {};
  }
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("Cast", {x}, {{"to", std::string(Name(to))}}));
  node.Return(value);
  return {};
}

Status Identity(OnnxNode& node) {
  node.Return(node.Input(0));
  return {};
}

// Does nothing at inference.
Status Dropout(OnnxNode& node) {
  node.Ignore({"ratio", "seed", "is_test"});
  if (node.HasInput(2)) {
    const Tensor* training = node.Constant(node.Input(2));
    if (training == nullptr || training->count() != 1 || training->AsInt64(0) != 0) {
      return Fail(ErrorCode::kUnsupported, "training mode is not supported");
    }
  }
  if (node.OutputUsed(1))
    return Fail(ErrorCode::kUnsupported, "its mask is used, which is for training");
  node.Return(node.Input(0));
  return {};
}

constexpr OnnxOperator kOperators[] = {
    {"Relu", Same},
    {"Sigmoid", Same},
    {"Tanh", Same},
    {"HardSwish", Same},
    {"Exp", Same},
    {"Log", Same},
    {"Sqrt", Same},
    {"Neg", Neg},
    {"Abs", Same},
    {"Erf", Same},
    {"Add", Binary},
    {"Sub", Binary},
    {"Mul", Binary},
    {"Div", Binary},
    {"Max", Max},
    {"Min", Min},
    {"Sum", Sum},
    {"Equal", Binary},
    {"Less", Binary},
    {"LessOrEqual", Binary},
    {"Greater", Greater},
    {"GreaterOrEqual", GreaterOrEqual},
    {"Not", Not},
    {"And", And},
    {"Or", Or},
    {"Xor", Xor},
    {"Where", Where},
    {"Pow", Pow},
    {"Reciprocal", Reciprocal},
    {"HardSigmoid", HardSigmoid},
    {"LeakyRelu", LeakyRelu},
    {"Gelu", Gelu},
    {"Clip", Clip},
    {"Cast", Cast},
    {"Identity", Identity},
    {"Dropout", Dropout},
};

}  // namespace

std::span<const OnnxOperator> ElementwiseOnnxOperators() { return kOperators; }

}  // namespace whet
