#include "graph/onnx_inputs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "graph/onnx_tensor.h"

namespace whet {
namespace {

// A shape that could be meant: a batch of 1, an image of 224x224.
std::string Example(const ModelInput& input) {
  if (!input.has_shape) return "1x3x224x224";
  Shape shape = input.dims;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] < 1) shape[d] = d == 0 ? 1 : shape.size() == 4 && d == 1 ? 3 : 224;
  }
  return ToString(shape);
}

// The inputs that are no initialisers.
std::vector<const onnx::ValueInfoProto*> Undecided(const onnx::GraphProto& graph) {
  std::set<std::string> fixed;
  for (const onnx::TensorProto& tensor : graph.initializer()) fixed.insert(tensor.name());
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!fixed.contains(input.name())) inputs.push_back(&input);
  }
  return inputs;
}

Result<ModelInput> ReadDeclared(const onnx::ValueInfoProto& input) {
  ModelInput declared;
  declared.name = PrintableName(input.name());
  if (!input.type().has_tensor_type()) {
    return Fail(ErrorCode::kUnsupported, "input '{}' is not a tensor", declared.name);
  }
  const onnx::TypeProto::Tensor& type = input.type().tensor_type();
  Result<DataType> dtype = DataTypeFromOnnx(type.elem_type());
  if (!dtype) {
    return Prefixed(std::move(dtype).error(), fmt::format("input '{}'", declared.name));
  }
  declared.dtype = *dtype;
  declared.has_shape = type.has_shape();
  for (const auto& dim : type.shape().dim()) {
    declared.dims.push_back(dim.has_dim_value() ? std::max<int64_t>(dim.dim_value(), -1) : -1);
  }
  return declared;
}

// The declared type with the shape that the user gave.
Result<TensorType> FitShape(const ModelInput& declared, const Shape& shape) {
  bool fits = !declared.has_shape || declared.dims.size() == shape.size();
  for (size_t d = 0; fits && d < shape.size(); ++d) {
    const int64_t dim = declared.has_shape ? declared.dims[d] : -1;
    // A declared 0 may be meant, or stand for an open dimension.
    fits = dim > 0 ? shape[d] == dim : shape[d] >= 0;
  }
  if (!fits) {
    return Fail(ErrorCode::kInvalidInput, "shape {} does not fit input '{}', which is {}",
                ToString(shape), declared.name, declared.ToString());
  }
  const TensorType type{declared.dtype, shape};
  RETURN_IF_ERROR(CheckedBytes(type));
  return type;
}

std::string Listing(const std::vector<ModelInput>& inputs) {
  std::vector<std::string> lines;
  for (const ModelInput& input : inputs)
    lines.push_back(fmt::format("{}: {}", input.name, input.ToString()));
  return fmt::format("{}", fmt::join(lines, ", "));
}

Status CheckName(const std::vector<ModelInput>& inputs, const std::string& name) {
  if (std::any_of(inputs.begin(), inputs.end(),
                  [&](const ModelInput& input) { return input.name == name; })) {
    return {};
  }
  return Fail(ErrorCode::kInvalidInput, "the model has no input '{}', {}{}", PrintableName(name),
              inputs.empty() ? "it has no inputs at all" : "its inputs are ", Listing(inputs));
}

tl::unexpected<Error> RefuseOpen(const std::vector<const ModelInput*>& open,
                                 const std::vector<ModelInput>& all) {
  std::vector<std::string> names, examples;
  for (const ModelInput* input : open) {
    names.push_back(fmt::format("'{}'", input->name));
    examples.push_back(fmt::format("--shape {}={}", input->name, Example(*input)));
  }
  const bool one = open.size() == 1;
  return Fail(ErrorCode::kInvalidInput,
              "the shape{} of input{} {} {} open (inputs: {}): give a number for each ?, for "
              "example {}",
              one ? "" : "s", one ? "" : "s", fmt::join(names, ", "), one ? "is" : "are",
              Listing(all), fmt::join(examples, " "));
}

}  // namespace

bool ModelInput::Open() const {
  // Exporters write 0 and negative numbers for dimensions that they leave open.
  return !has_shape ||
         std::any_of(dims.begin(), dims.end(), [](int64_t extent) { return extent < 1; });
}

std::string ModelInput::ToString() const {
  if (!has_shape) return fmt::format("{} of unknown shape", Name(dtype));
  std::vector<std::string> extents;
  for (int64_t dim : dims) extents.push_back(dim < 1 ? "?" : fmt::format("{}", dim));
  return fmt::format("{}[{}]", Name(dtype),
                     extents.empty() ? "scalar" : fmt::format("{}", fmt::join(extents, "x")));
}

Result<std::vector<ModelInput>> DeclaredInputs(const onnx::GraphProto& graph) {
  std::vector<ModelInput> inputs;
  for (const onnx::ValueInfoProto* input : Undecided(graph)) {
    ASSIGN_OR_RETURN(ModelInput declared, ReadDeclared(*input));
    inputs.push_back(std::move(declared));
  }
  return inputs;
}

Result<std::vector<ImportedInput>> ImportedInputs(const onnx::GraphProto& graph,
                                                  const ImportOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<ModelInput> declared, DeclaredInputs(graph));
  const std::vector<const onnx::ValueInfoProto*> protos = Undecided(graph);
  std::vector<const ModelInput*> open;
  std::vector<ImportedInput> imported;
  for (size_t i = 0; i < declared.size(); ++i) {
    const ModelInput& input = declared[i];
    ImportedInput& to = imported.emplace_back(ImportedInput{protos[i]->name(), input.name, {}});
    const auto constant = options.constants.find(input.name);
    const auto shape = options.shapes.find(input.name);
    if (constant != options.constants.end()) {
      const Tensor& tensor = constant->second;
      if (tensor.dtype() != input.dtype || !FitShape(input, tensor.shape())) {
        return Fail(ErrorCode::kInvalidInput,
                    "the constant {} does not fit input '{}', which is {}", ToString(tensor.type()),
                    input.name, input.ToString());
      }
      to.type = tensor.type();
      to.constant = &tensor;
    } else if (shape != options.shapes.end()) {
      ASSIGN_OR_RETURN(to.type, FitShape(input, shape->second));
    } else if (input.Open()) {
      open.push_back(&input);
    } else {
      to.type = {input.dtype, input.dims};
      if (Result<int64_t> bytes = CheckedBytes(to.type); !bytes) {
        return Prefixed(std::move(bytes).error(), fmt::format("input '{}'", input.name));
      }
    }
  }
  for (const auto& [name, shape] : options.shapes) RETURN_IF_ERROR(CheckName(declared, name));
  for (const auto& [name, tensor] : options.constants) RETURN_IF_ERROR(CheckName(declared, name));
  if (!open.empty()) return RefuseOpen(open, declared);
  return imported;
}

}  // namespace whet
