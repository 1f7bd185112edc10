// Convolution, pooling and batch normalisation: auto_pad resolved, one spatial axis viewed as two.
#include <algorithm>
#include <cmath>

#include "graph/onnx_normalize.h"
#include "graph/onnx_pool_indices.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

constexpr int64_t kLargest = int64_t{1}
                             << 31;  // of a window's parameters; products of two stay in int64

using Window = PoolWindow;

// A list of one positive number a spatial axis.
Result<std::vector<int64_t>> PositiveInts(OnnxNode& node, const char* name, size_t axes) {
  std::vector<int64_t> values = node.Ints(name);
  if (values.empty()) values.assign(axes, 1);
  const bool good =
      values.size() == axes &&
      std::all_of(values.begin(), values.end(), [](int64_t v) { return v >= 1 && v < kLargest; });
  if (!good) {
    return Fail(ErrorCode::kInvalidInput, "{} is [{}], expected {}", name, fmt::join(values, ", "),
                Counted(static_cast<int64_t>(axes), "positive number"));
  }
  return values;
}

// Pads of [begins, ends] from `pads` or `auto_pad`.
Result<std::vector<int64_t>> ReadPads(OnnxNode& node, const Shape& spatial, const Window& window) {
  const size_t axes = spatial.size();
  std::vector<int64_t> pads = node.Ints("pads");
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  if (auto_pad == "VALID") return std::vector<int64_t>(2 * axes, 0);
  if (auto_pad == "NOTSET" || auto_pad.empty()) {
    if (pads.empty()) pads.assign(2 * axes, 0);
    const bool good =
        pads.size() == 2 * axes &&
        std::all_of(pads.begin(), pads.end(), [](int64_t v) { return v >= 0 && v < kLargest; });
    if (!good) {
      return Fail(ErrorCode::kInvalidInput,
                  "pads is [{}], expected {} numbers that are not negative", fmt::join(pads, ", "),
                  2 * axes);
    }
    return pads;
  }
  if (auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER") {
    return Fail(ErrorCode::kInvalidInput,
                "auto_pad is '{}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER",
                PrintableName(auto_pad));
  }
  pads.assign(2 * axes, 0);
  for (size_t d = 0; d < axes; ++d) {
    const int64_t out = (spatial[d] + window.strides[d] - 1) / window.strides[d];
    const int64_t reach = (window.kernel[d] - 1) * window.dilations[d] + 1;
    const int64_t total = std::max<int64_t>(0, (out - 1) * window.strides[d] + reach - spatial[d]);
    const int64_t smaller = total / 2, larger = total - smaller;
    pads[d] = auto_pad == "SAME_UPPER" ? smaller : larger;
    pads[axes + d] = auto_pad == "SAME_UPPER" ? larger : smaller;
  }
  return pads;
}

Result<Window> ReadWindow(OnnxNode& node, const Shape& spatial, std::vector<int64_t> kernel) {
  Window window;
  window.kernel = std::move(kernel);
  ASSIGN_OR_RETURN(window.strides, PositiveInts(node, "strides", spatial.size()));
  ASSIGN_OR_RETURN(window.dilations, PositiveInts(node, "dilations", spatial.size()));
  ASSIGN_OR_RETURN(window.pads, ReadPads(node, spatial, window));
  if (spatial.size() == 1) {
    // [l] is the row of an image of height 1.
    for (std::vector<int64_t>* list : {&window.kernel, &window.strides, &window.dilations}) {
      list->insert(list->begin(), 1);
    }
    window.pads = {0, window.pads[0], 0, window.pads[1]};
  }
  return window;
}

// Spatial operators know images; a signal [n, c, l] is viewed as [n, c, 1, l].
Result<ValueId> AsImage(OnnxNode& node, ValueId x) {
  const Shape shape = node.ShapeOf(x);
  if (shape.size() == 4) return x;
  if (shape.size() == 3) return node.EmitReshape(x, {shape[0], shape[1], 1, shape[2]});
  return Fail(ErrorCode::kUnsupported, "its input {} has {}, Whet supports 3 and 4",
              ToString(node.Type(x)), Counted(static_cast<int64_t>(shape.size()), "dimension"));
}

// Undoes AsImage.
Result<ValueId> FromImage(OnnxNode& node, ValueId value, size_t rank) {
  const Shape shape = node.ShapeOf(value);
  if (rank == 4) return value;
  return node.EmitReshape(value, {shape[0], shape[1], shape[3]});
}

Status Conv(OnnxNode& node) {
  const ValueId x = node.Input(0);
  ValueId w = node.Input(1);
  const size_t rank = node.ShapeOf(x).size();
  ASSIGN_OR_RETURN(const ValueId image, AsImage(node, x));
  if (node.ShapeOf(w).size() != rank) {
    return Fail(ErrorCode::kInvalidInput, "its weights {} do not fit its input {}",
                ToString(node.Type(w)), ToString(node.Type(x)));
  }
  const Shape spatial(node.ShapeOf(x).begin() + 2, node.ShapeOf(x).end());
  const std::vector<int64_t> kernel(node.ShapeOf(w).begin() + 2, node.ShapeOf(w).end());
  if (node.Ints("kernel_shape", kernel) != kernel) {
    return Fail(ErrorCode::kInvalidInput, "kernel_shape [{}] is not that of its weights, {}",
                fmt::join(node.Ints("kernel_shape"), ", "), ToString(node.Type(w)));
  }
  ASSIGN_OR_RETURN(const Window window, ReadWindow(node, spatial, kernel));
  ASSIGN_OR_RETURN(w, AsImage(node, w));
  const Attributes attributes{{"strides", window.strides},
                              {"pads", window.pads},
                              {"dilations", window.dilations},
                              {"group", node.Int("group", 1)},
                              {"layout", std::string("NCHW")}};
  ASSIGN_OR_RETURN(ValueId value, node.Emit("Conv", {image, w, node.OptionalInput(2)}, attributes));
  ASSIGN_OR_RETURN(value, FromImage(node, value, rank));
  node.Return(value);
  return {};
}

// Pads of [begins, ends] that give the transposed convolution `wanted` extents, or the pads and
// output_padding of the node where nothing is wanted. What is more than the filter reaches goes to
// `more`.
Status FitTransposed(OnnxNode& node, const Shape& spatial, Window* window,
                     std::vector<int64_t>* more) {
  const size_t axes = spatial.size();
  *more = node.Ints("output_padding", std::vector<int64_t>(axes, 0));
  Shape wanted = node.Ints("output_shape");
  // Some exporters write the whole shape, with the batch and the channels.
  int64_t channels = 0;
  const bool whole =
      wanted.size() == axes + 2 && wanted[0] == node.ShapeOf(node.Input(0))[0] &&
      !__builtin_mul_overflow(node.ShapeOf(node.Input(1))[1], node.Int("group", 1), &channels) &&
      wanted[1] == channels;
  if (whole) wanted.erase(wanted.begin(), wanted.begin() + 2);
  const std::string auto_pad = node.String("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (wanted.empty() && same) {
    for (size_t d = 0; d < axes; ++d) wanted.push_back(spatial[d] * window->strides[d]);
  }
  const bool good =
      more->size() == axes && (wanted.empty() || wanted.size() == axes) &&
      std::all_of(more->begin(), more->end(), [](int64_t v) { return v >= 0 && v < kLargest; });
  if (!good) {
    return Fail(ErrorCode::kInvalidInput,
                "output_padding is [{}] and output_shape [{}], expected {} numbers each",
                fmt::join(*more, ", "), fmt::join(wanted, ", "), axes);
  }
  if (wanted.empty()) {
    ASSIGN_OR_RETURN(window->pads, ReadPads(node, spatial, *window));
    return {};
  }
  node.Ignore({"pads"});
  window->pads.assign(2 * axes, 0);
  for (size_t d = 0; d < axes; ++d) {
    if (spatial[d] >= kLargest || window->kernel[d] >= kLargest) {
      return Fail(ErrorCode::kUnsupported,
                  "its input or its filter has more than {} in a dimension", kLargest);
    }
    if (wanted[d] < 1 || wanted[d] >= kLargest) {
      return Fail(ErrorCode::kInvalidInput, "output_shape is [{}], expected {} positive numbers",
                  fmt::join(wanted, ", "), axes);
    }
    const int64_t reach = (window->kernel[d] - 1) * window->dilations[d] + 1;
    const int64_t total = (spatial[d] - 1) * window->strides[d] + reach + (*more)[d] - wanted[d];
    const int64_t cut = std::max<int64_t>(total, 0), smaller = cut / 2, larger = cut - smaller;
    if (total < 0) (*more)[d] -= total;
    window->pads[d] = auto_pad == "SAME_UPPER" ? smaller : larger;
    window->pads[axes + d] = auto_pad == "SAME_UPPER" ? larger : smaller;
  }
  return {};
}

Status ConvTranspose(OnnxNode& node) {
  const ValueId x = node.Input(0);
  ValueId w = node.Input(1);
  const size_t rank = node.ShapeOf(x).size();
  ASSIGN_OR_RETURN(const ValueId image, AsImage(node, x));
  if (node.ShapeOf(w).size() != rank) {
    return Fail(ErrorCode::kInvalidInput, "its weights {} do not fit its input {}",
                ToString(node.Type(w)), ToString(node.Type(x)));
  }
  const Shape spatial(node.ShapeOf(x).begin() + 2, node.ShapeOf(x).end());
  Window window;
  window.kernel.assign(node.ShapeOf(w).begin() + 2, node.ShapeOf(w).end());
  if (node.Ints("kernel_shape", window.kernel) != window.kernel) {
    return Fail(ErrorCode::kInvalidInput, "kernel_shape [{}] is not that of its weights, {}",
                fmt::join(node.Ints("kernel_shape"), ", "), ToString(node.Type(w)));
  }
  ASSIGN_OR_RETURN(window.strides, PositiveInts(node, "strides", spatial.size()));
  ASSIGN_OR_RETURN(window.dilations, PositiveInts(node, "dilations", spatial.size()));
  std::vector<int64_t> more;
  RETURN_IF_ERROR(FitTransposed(node, spatial, &window, &more));
  if (rank == 3) {
    window.strides.insert(window.strides.begin(), 1);
    window.dilations.insert(window.dilations.begin(), 1);
    more.insert(more.begin(), 0);
    window.pads = {0, window.pads[0], 0, window.pads[1]};
  }
  ASSIGN_OR_RETURN(w, AsImage(node, w));
  const Attributes attributes{{"strides", window.strides},     {"pads", window.pads},
                              {"dilations", window.dilations}, {"group", node.Int("group", 1)},
                              {"output_padding", more},        {"layout", std::string("NCHW")}};
  ASSIGN_OR_RETURN(ValueId value,
                   node.Emit("ConvTranspose", {image, w, node.OptionalInput(2)}, attributes));
  ASSIGN_OR_RETURN(value, FromImage(node, value, rank));
  node.Return(value);
  return {};
}

// What a pool reads and makes, as images.
struct Pooled {
  ValueId image, value;
  Window window;
};

Result<Pooled> Pool(OnnxNode& node, const char* op, Attributes attributes) {
  const ValueId x = node.Input(0);
  const size_t rank = node.ShapeOf(x).size();
  ASSIGN_OR_RETURN(const ValueId image, AsImage(node, x));
  const Shape spatial(node.ShapeOf(x).begin() + 2, node.ShapeOf(x).end());
  if (!node.HasAttribute("kernel_shape")) {
    return Fail(ErrorCode::kInvalidInput, "attribute 'kernel_shape' is missing");
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> kernel,
                   PositiveInts(node, "kernel_shape", spatial.size()));
  ASSIGN_OR_RETURN(const Window window, ReadWindow(node, spatial, kernel));
  attributes.Set("kernel_shape", window.kernel);
  attributes.Set("strides", window.strides);
  attributes.Set("pads", window.pads);
  attributes.Set("dilations", window.dilations);
  attributes.Set("ceil_mode", node.Int("ceil_mode", 0));
  attributes.Set("layout", std::string("NCHW"));
  ASSIGN_OR_RETURN(const ValueId pooled, node.Emit(op, {image}, attributes));
  ASSIGN_OR_RETURN(const ValueId value, FromImage(node, pooled, rank));
  node.Return(value);
  return Pooled{image, pooled, window};
}

Status MaxPool(OnnxNode& node) {
  const bool by_columns = node.Int("storage_order", 0) != 0;  // of the indices
  ASSIGN_OR_RETURN(const Pooled pooled, Pool(node, "MaxPool", {}));
  if (!node.OutputUsed(1)) return {};
  ASSIGN_OR_RETURN(ValueId indices,
                   EmitPoolIndices(node, pooled.image, pooled.value, pooled.window, by_columns));
  ASSIGN_OR_RETURN(indices, FromImage(node, indices, node.ShapeOf(node.Input(0)).size()));
  node.Return(indices, 1);
  return {};
}

Status AveragePool(OnnxNode& node) {
  const Attributes attributes{{"count_include_pad", node.Int("count_include_pad", 0)}};
  ASSIGN_OR_RETURN(const Pooled pooled, Pool(node, "AveragePool", attributes));
  return {};
}

// The value viewed as [n, c, h, w], for operators to which spatial axes are all alike.
Result<ValueId> Flattened(OnnxNode& node, ValueId x) {
  const Shape& shape = node.ShapeOf(x);
  if (shape.size() == 4) return x;
  if (shape.size() < 2) {
    return Fail(ErrorCode::kInvalidInput, "its input {} has no channels", ToString(node.Type(x)));
  }
  const Shape spatial(shape.begin() + 2, shape.end());
  return node.EmitReshape(x, {shape[0], shape[1], 1, ElementCount(spatial)});
}

Status GlobalPool(OnnxNode& node, bool average) {
  const ValueId x = node.Input(0);
  Shape result = node.ShapeOf(x);
  ASSIGN_OR_RETURN(const ValueId image, Flattened(node, x));
  std::fill(result.begin() + 2, result.end(), 1);
  const Shape in = node.ShapeOf(image);
  Attributes attributes{{"layout", std::string("NCHW")}};
  if (!average) {
    attributes.Set("kernel_shape", std::vector<int64_t>{in[2], in[3]});
    attributes.Set("strides", std::vector<int64_t>{1, 1});
    attributes.Set("pads", std::vector<int64_t>{0, 0, 0, 0});
    attributes.Set("dilations", std::vector<int64_t>{1, 1});
    attributes.Set("ceil_mode", int64_t{0});
  }
  ASSIGN_OR_RETURN(ValueId value,
                   node.Emit(average ? "GlobalAveragePool" : "MaxPool", {image}, attributes));
  ASSIGN_OR_RETURN(value, node.EmitReshape(value, result));
  node.Return(value);
  return {};
}
Status GlobalAveragePool(OnnxNode& node) { return GlobalPool(node, true); }
Status GlobalMaxPool(OnnxNode& node) { return GlobalPool(node, false); }

// y = x * s + t on [n, c], where s and t follow from constants.
Status NormalizeRows(OnnxNode& node, double epsilon) {
  const Tensor* parameters[4];
  const int64_t channels = node.ShapeOf(node.Input(0))[1];
  for (int i = 0; i < 4; ++i) {
    parameters[i] = node.Constant(node.Input(i + 1));
    if (parameters[i]->type() != TensorType{DataType::kFloat32, {channels}}) {
      return Fail(ErrorCode::kInvalidInput, "input {} is {}, expected {}", i + 1,
                  ToString(parameters[i]->type()),
                  ToString(TensorType{DataType::kFloat32, {channels}}));
    }
  }
  Tensor scale(TensorType{DataType::kFloat32, {channels}}), shift = scale;
  for (int64_t c = 0; c < channels; ++c) {
    const double factor =
        parameters[0]->AsDouble(c) / std::sqrt(parameters[3]->AsDouble(c) + epsilon);
    scale.data<float>()[c] = static_cast<float>(factor);
    shift.data<float>()[c] =
        static_cast<float>(parameters[1]->AsDouble(c) - parameters[2]->AsDouble(c) * factor);
  }
  ASSIGN_OR_RETURN(ValueId value,
                   node.Emit("Mul", {node.Input(0), node.EmitConstant(std::move(scale))}));
  ASSIGN_OR_RETURN(value, node.Emit("Add", {value, node.EmitConstant(std::move(shift))}));
  node.Return(value);
  return {};
}

Status BatchNormalization(OnnxNode& node) {
  node.Ignore({"momentum", "is_test"});
  const double epsilon = node.Float("epsilon", 1e-5f);
  if (node.Int("spatial", 1) != 1) {
    return Fail(ErrorCode::kUnsupported, "spatial is 0, Whet normalises each channel as a whole");
  }
  const bool training = node.Int("training_mode", 0) != 0;
  bool statistics = false;
  for (int i = 1; i < node.output_count(); ++i) {
    statistics |= node.OutputUsed(i) || (node.opset() < 14 && !node.proto().output(i).empty());
  }
  if (training || statistics) {
    return Fail(ErrorCode::kUnsupported, "it is in training mode, Whet supports inference");
  }
  const ValueId x = node.Input(0);
  bool constant = true;
  for (int i = 1; i <= 4; ++i) constant &= node.Constant(node.Input(i)) != nullptr;
  const Shape shape = node.ShapeOf(x);
  if (shape.size() == 2 && constant && node.Type(x).dtype == DataType::kFloat32) {
    return NormalizeRows(node, epsilon);
  }
  // A vector is a batch of one channel.
  ASSIGN_OR_RETURN(const ValueId image, shape.size() == 1 ? node.EmitReshape(x, {shape[0], 1, 1, 1})
                                                          : Flattened(node, x));
  ASSIGN_OR_RETURN(ValueId value,
                   node.Emit("BatchNormalization",
                             {image, node.Input(1), node.Input(2), node.Input(3), node.Input(4)},
                             {{"epsilon", epsilon}, {"layout", std::string("NCHW")}}));
  ASSIGN_OR_RETURN(value, node.EmitReshape(value, shape));
  node.Return(value);
  return {};
}

constexpr OnnxOperator kOperators[] = {
    {"Conv", Conv},
    {"ConvTranspose", ConvTranspose},
    {"MaxPool", MaxPool},
    {"AveragePool", AveragePool},
    {"GlobalAveragePool", GlobalAveragePool},
    {"GlobalMaxPool", GlobalMaxPool},
    {"BatchNormalization", BatchNormalization},
};

}  // namespace

std::span<const OnnxOperator> SpatialOnnxOperators() { return kOperators; }

}  // namespace whet
