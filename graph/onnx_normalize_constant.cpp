// Operators whose result is known at import: constants and the arithmetic of shapes.
#include <algorithm>
#include <cmath>

#include "graph/onnx_normalize.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

constexpr int64_t kLargestMade = int64_t{64}
                                 << 20;  // bytes of a constant that a few numbers stand for

Status Constant(OnnxNode& node) {
  const auto& attributes = node.proto().attribute();
  if (attributes.size() != 1) {
    return Fail(ErrorCode::kInvalidInput, "it has {}, expected one that holds its value",
                Counted(attributes.size(), "attribute"));
  }
  const onnx::AttributeProto& attribute = attributes[0];
  const std::string& name = attribute.name();
  node.Ignore({name});
  Tensor tensor;
  if (name == "value") {
    if (!attribute.has_t())
      return Fail(ErrorCode::kInvalidInput, "attribute 'value' is not a tensor");
    ASSIGN_OR_RETURN(tensor, TensorFromProto(attribute.t(), node.folder()));
  } else if (name == "value_float") {
    tensor = Tensor::Float({}, {attribute.f()});
  } else if (name == "value_int") {
    tensor = Tensor::Int64({}, {attribute.i()});
  } else if (name == "value_floats") {
    tensor = Tensor::Float({attribute.floats_size()},
                           {attribute.floats().begin(), attribute.floats().end()});
  } else if (name == "value_ints") {
    tensor =
        Tensor::Int64({attribute.ints_size()}, {attribute.ints().begin(), attribute.ints().end()});
  } else {
    return Fail(ErrorCode::kUnsupported, "attribute '{}' is not supported, only dense numbers",
                PrintableName(name));
  }
  node.Return(node.EmitConstant(std::move(tensor)));
  return {};
}

Status ShapeOf(OnnxNode& node) {
  const Shape shape = node.ShapeOf(node.Input(0));
  const int64_t rank = static_cast<int64_t>(shape.size());
  const auto position = [&](int64_t v) {
    return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank);
  };
  const int64_t start = position(node.Int("start", 0));
  const int64_t end = std::max(start, position(node.Int("end", rank)));
  const std::vector<int64_t> extents(shape.begin() + start, shape.begin() + end);
  node.Return(node.EmitConstant(Tensor::Int64({end - start}, extents)));
  return {};
}

Status Size(OnnxNode& node) {
  node.Return(node.EmitConstant(Tensor::Int64({}, {ElementCount(node.ShapeOf(node.Input(0)))})));
  return {};
}

Status ConstantOfShape(OnnxNode& node) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> shape, node.ConstantInts(0, "shape"));
  Tensor element = Tensor::Float({1}, {0.0f});
  if (node.HasAttribute("value")) {
    for (const onnx::AttributeProto& attribute : node.proto().attribute()) {
      if (attribute.name() != "value") continue;
      ASSIGN_OR_RETURN(element, TensorFromProto(attribute.t(), node.folder()));
    }
    if (element.count() != 1) {
      return Fail(ErrorCode::kInvalidInput, "attribute 'value' is {}, expected one element",
                  ToString(element.type()));
    }
  }
  const TensorType type{element.dtype(), shape};
  ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(type));
  if (bytes > kLargestMade) {
    return Fail(ErrorCode::kUnsupported, "a constant of {} is too large to be made",
                ToString(type));
  }
  Tensor tensor(type);
  const size_t size = static_cast<size_t>(SizeOf(type.dtype));
  for (int64_t i = 0; i < tensor.count(); ++i)
    std::memcpy(tensor.bytes() + i * size, element.bytes(), size);
  node.Return(node.EmitConstant(std::move(tensor)));
  return {};
}

Status Range(OnnxNode& node) {
  const Tensor* bounds[3];
  for (int i = 0; i < 3; ++i) {
    ASSIGN_OR_RETURN(bounds[i], node.ConstantInput(i, "bounds"));
    if (bounds[i]->count() != 1 || bounds[i]->dtype() != bounds[0]->dtype()) {
      return Fail(ErrorCode::kInvalidInput,
                  "its bounds are {} and {}, expected scalars of one type",
                  ToString(bounds[0]->type()), ToString(bounds[i]->type()));
    }
  }
  const DataType dtype = bounds[0]->dtype();
  const double start = bounds[0]->AsDouble(0), limit = bounds[1]->AsDouble(0),
               step = bounds[2]->AsDouble(0);
  const double count = std::max(0.0, std::ceil((limit - start) / step));
  if (!(count * static_cast<double>(SizeOf(dtype)) <= static_cast<double>(kLargestMade))) {
    return Fail(ErrorCode::kInvalidInput, "a range from {} to {} in steps of {} is too long", start,
                limit, step);
  }
  Tensor tensor(TensorType{dtype, {static_cast<int64_t>(count)}});
  for (int64_t i = 0; i < tensor.count(); ++i) {
    const double value = start + static_cast<double>(i) * step;
    switch (dtype) {
      case DataType::kFloat32:
        tensor.data<float>()[i] = static_cast<float>(value);
        break;
      case DataType::kFloat64:
        tensor.data<double>()[i] = value;
        break;
      case DataType::kInt32:
        tensor.data<int32_t>()[i] = static_cast<int32_t>(value);
        break;
      case DataType::kInt64:
        tensor.data<int64_t>()[i] = static_cast<int64_t>(value);
        break;
      default:
        return Fail(ErrorCode::kUnsupported, "a range of {} is not supported", Name(dtype));
    }
  }
  node.Return(node.EmitConstant(std::move(tensor)));
  return {};
}

constexpr OnnxOperator kOperators[] = {{"Constant", Constant},
                                       {"Shape", ShapeOf},
                                       {"Size", Size},
                                       {"ConstantOfShape", ConstantOfShape},
                                       {"Range", Range}};

}  // namespace

std::span<const OnnxOperator> ConstantOnnxOperators() { return kOperators; }

}  // namespace whet
