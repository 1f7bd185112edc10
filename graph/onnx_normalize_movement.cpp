// Transpose, Concat, Slice, Split, Pad, Gather and Expand.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/onnx_normalize.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

Status Transpose(OnnxNode& node) {
  const ValueId x = node.Input(0);
  std::vector<int64_t> reversed(node.ShapeOf(x).size());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  ASSIGN_OR_RETURN(const ValueId value,
                   node.Emit("Transpose", {x}, {{"perm", node.Ints("perm", reversed)}}));
  node.Return(value);
  return {};
}

Status Concat(OnnxNode& node) {
  std::vector<ValueId> inputs;
  for (int i = 0; i < node.input_count(); ++i) inputs.push_back(node.Input(i));
  if (!node.HasAttribute("axis") && node.opset() >= 4)
    return Fail(ErrorCode::kInvalidInput, "attribute 'axis' is missing");
  const int64_t rank = static_cast<int64_t>(node.ShapeOf(node.Input(0)).size());
  ASSIGN_OR_RETURN(const int64_t axis, node.Axis(node.Int("axis", 1), rank));
  // Operands without elements add nothing.
  if (inputs.size() > 1) {
    std::erase_if(inputs, [&](ValueId value) {
      const Shape& shape = node.ShapeOf(value);
      return static_cast<int64_t>(shape.size()) == rank && shape[axis] == 0;
    });
    if (inputs.empty()) inputs.push_back(node.Input(0));
  }
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("Concat", inputs, {{"axis", axis}}));
  node.Return(value);
  return {};
}

// One axis of a Slice, resolved: `count` elements from `start`, `step` apart.
struct Range {
  int64_t axis, start, step, count;
};

Range Resolve(int64_t axis, int64_t extent, int64_t start, int64_t end, int64_t step) {
  // Bounds may be as far out as INT64_MIN and INT64_MAX: clamp before anything is added.
  const auto from_end = [&](int64_t v) { return v < 0 ? std::max(v, -extent - 1) + extent : v; };
  start = from_end(start);
  end = from_end(end);
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, extent);
    end = std::clamp<int64_t>(end, 0, extent);
    step = std::min(step, std::max<int64_t>(extent, 1));
    return {axis, start, step, end > start ? (end - start + step - 1) / step : 0};
  }
  start = std::clamp<int64_t>(start, -1, extent - 1);
  end = std::clamp<int64_t>(end, -1, extent - 1);
  step = std::max(step, -std::max<int64_t>(extent, 1));
  return {axis, start, step, start > end ? (start - end - step - 1) / -step : 0};
}

// Canonical slices step forwards; an axis that steps backwards is gathered.
Result<ValueId> EmitRanges(OnnxNode& node, ValueId x, const std::vector<Range>& ranges) {
  const Shape shape = node.ShapeOf(x);
  std::vector<int64_t> starts, ends, axes, steps;
  for (const Range& range : ranges) {
    if (range.step < 0) continue;
    if (range.start == 0 && range.count == shape[range.axis]) continue;
    axes.push_back(range.axis);
    starts.push_back(range.start);
    steps.push_back(range.step);
    ends.push_back(range.count == 0 ? range.start
                                    : range.start + (range.count - 1) * range.step + 1);
  }
  ValueId value = x;
  if (!axes.empty()) {
    ASSIGN_OR_RETURN(
        value, node.Emit("Slice", {value},
                         {{"starts", starts}, {"ends", ends}, {"axes", axes}, {"steps", steps}}));
  }
  for (const Range& range : ranges) {
    if (range.step > 0) continue;
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < range.count; ++i) indices.push_back(range.start + i * range.step);
    const ValueId picked = node.EmitConstant(Tensor::Int64({range.count}, indices));
    ASSIGN_OR_RETURN(value, node.Emit("Gather", {value, picked}, {{"axis", range.axis}}));
  }
  return value;
}

// Bounds are attributes before opset 10 and inputs since.
Status Slice(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  std::vector<int64_t> starts = node.Ints("starts"), ends = node.Ints("ends"),
                       axes = node.Ints("axes"), steps;
  if (node.opset() >= 10) {
    ASSIGN_OR_RETURN(starts, node.ConstantInts(1, "starts"));
    ASSIGN_OR_RETURN(ends, node.ConstantInts(2, "ends"));
    if (node.HasInput(3)) {
      ASSIGN_OR_RETURN(axes, node.ConstantInts(3, "axes"));
    }
    if (node.HasInput(4)) {
      ASSIGN_OR_RETURN(steps, node.ConstantInts(4, "steps"));
    }
  }
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    return Fail(ErrorCode::kInvalidInput,
                "it has {} starts, {} ends, {} axes and {} steps: expected as many", starts.size(),
                ends.size(), axes.size(), steps.size());
  }
  std::vector<Range> ranges;
  for (size_t i = 0; i < starts.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t axis, node.Axis(axes[i], static_cast<int64_t>(shape.size())));
    if (steps[i] == 0) return Fail(ErrorCode::kInvalidInput, "a step is 0");
    if (std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return r.axis == axis; })) {
      return Fail(ErrorCode::kInvalidInput, "axis {} is sliced twice", axis);
    }
    ranges.push_back(Resolve(axis, shape[axis], starts[i], ends[i], steps[i]));
  }
  ASSIGN_OR_RETURN(const ValueId value, EmitRanges(node, x, ranges));
  node.Return(value);
  return {};
}

// Sizes are an attribute before opset 13 and an input since; without, as many equal parts as
// outputs, the last one smaller.
Status Split(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  ASSIGN_OR_RETURN(const int64_t axis,
                   node.Axis(node.Int("axis", 0), static_cast<int64_t>(shape.size())));
  std::vector<int64_t> sizes = node.Ints("split");
  if (node.HasInput(1)) {
    ASSIGN_OR_RETURN(sizes, node.ConstantInts(1, "sizes"));
  }
  const int64_t parts = node.output_count();
  if (node.Int("num_outputs", parts) != parts || parts == 0) {
    return Fail(ErrorCode::kInvalidInput, "num_outputs is {}, but it has {}",
                node.Int("num_outputs", parts), Counted(parts, "output"));
  }
  if (sizes.empty()) {
    const int64_t size = (shape[axis] + parts - 1) / parts;
    sizes.assign(parts, size);
    sizes.back() = shape[axis] - size * (parts - 1);
  }
  int64_t total = 0;
  const bool positive = std::all_of(sizes.begin(), sizes.end(),
                                    [&](int64_t size) { return size >= 0 && size <= shape[axis]; });
  if (positive) total = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  if (!positive || total != shape[axis] || static_cast<int64_t>(sizes.size()) != parts) {
    return Fail(ErrorCode::kInvalidInput, "sizes [{}] do not cut the {} of axis {} into {}",
                fmt::join(sizes, ", "), shape[axis], axis, Counted(parts, "output"));
  }
  int64_t start = 0;
  for (int i = 0; i < parts; ++i) {
    if (node.OutputUsed(i)) {
      ASSIGN_OR_RETURN(const ValueId value, EmitRanges(node, x, {{axis, start, 1, sizes[i]}}));
      node.Return(value, i);
    }
    start += sizes[i];
  }
  return {};
}

// The amounts [begins, ends] of a Pad, for every dimension.
Result<std::vector<int64_t>> ReadPadAmounts(OnnxNode& node, size_t rank) {
  std::vector<int64_t> pads = node.Ints(node.opset() < 2 ? "paddings" : "pads"), axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (node.opset() >= 11) {
    ASSIGN_OR_RETURN(pads, node.ConstantInts(1, "pads"));
    if (node.HasInput(3)) {
      ASSIGN_OR_RETURN(axes, node.ConstantInts(3, "axes"));
    }
  }
  if (pads.size() != 2 * axes.size()) {
    return Fail(ErrorCode::kInvalidInput, "pads are [{}], expected {} numbers",
                fmt::join(pads, ", "), 2 * axes.size());
  }
  std::vector<int64_t> all(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t axis, node.Axis(axes[i], static_cast<int64_t>(rank)));
    all[axis] = pads[i];
    all[rank + axis] = pads[axes.size() + i];
  }
  return all;
}

// The value that a constant Pad adds: an attribute before opset 11, an input since.
Result<double> ReadPadValue(OnnxNode& node) {
  if (node.opset() < 11) return node.Float("value", 0);
  if (!node.HasInput(2)) return 0.0;
  ASSIGN_OR_RETURN(const Tensor* value, node.ConstantInput(2, "constant_value"));
  if (value->count() != 1) {
    return Fail(ErrorCode::kInvalidInput, "its constant_value is {}, expected one number",
                ToString(value->type()));
  }
  const double number = value->AsDouble(0);
  if (std::isfinite(number) && static_cast<double>(static_cast<float>(number)) != number) {
    return Fail(ErrorCode::kUnsupported, "its constant_value is {}, Whet needs one that f32 holds",
                number);
  }
  return number;
}

Status Pad(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const Shape shape = node.ShapeOf(x);
  const std::string mode = node.String("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap") {
    return Fail(ErrorCode::kInvalidInput, "mode is '{}', expected constant, edge, reflect or wrap",
                PrintableName(mode));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, ReadPadAmounts(node, shape.size()));
  Attributes attributes{{"mode", mode}, {"value", 0.0}};
  if (mode == "constant") {
    ASSIGN_OR_RETURN(const double value, ReadPadValue(node));
    attributes.Set("value", value);
  }
  // Negative amounts cut elements off.
  std::vector<Range> ranges;
  std::vector<int64_t> begins, ends;
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t begin = pads[d], end = pads[shape.size() + d];
    begins.push_back(std::max<int64_t>(begin, 0));
    ends.push_back(std::max<int64_t>(end, 0));
    if (begin >= 0 && end >= 0) continue;
    const int64_t start = -std::clamp<int64_t>(begin, -shape[d], 0);
    const int64_t stop = shape[d] + std::clamp<int64_t>(end, -shape[d], 0);
    ranges.push_back({static_cast<int64_t>(d), start, 1, std::max<int64_t>(stop - start, 0)});
  }
  ASSIGN_OR_RETURN(ValueId value, EmitRanges(node, x, ranges));
  const auto adds = [](int64_t amount) { return amount > 0; };
  if (std::any_of(begins.begin(), begins.end(), adds) ||
      std::any_of(ends.begin(), ends.end(), adds)) {
    attributes.Set("begins", begins);
    attributes.Set("ends", ends);
    ASSIGN_OR_RETURN(value, node.Emit("Pad", {value}, attributes));
  }
  node.Return(value);
  return {};
}

// Indices that are known now are checked now; others by the plan, when it runs.
Status CheckIndices(const Tensor* indices, int64_t axis, int64_t extent) {
  for (int64_t i = 0; indices != nullptr && i < indices->count(); ++i) {
    const int64_t index = indices->AsInt64(i);
    if (index >= -extent && index < extent) continue;
    if (extent == 0)
      return Fail(ErrorCode::kInvalidInput, "axis {} has no elements to choose from", axis);
    return Fail(ErrorCode::kInvalidInput,
                "element {} of its indices is {}, and axis {} has indices from {} to {}", i, index,
                axis, -extent, extent - 1);
  }
  return {};
}

Status Gather(OnnxNode& node) {
  const ValueId x = node.Input(0);
  ValueId indices = node.Input(1);
  ASSIGN_OR_RETURN(const int64_t axis,
                   node.Axis(node.Int("axis", 0), static_cast<int64_t>(node.ShapeOf(x).size())));
  if (node.Type(indices).dtype == DataType::kInt32) {
    ASSIGN_OR_RETURN(indices, node.Emit("Cast", {indices}, {{"to", std::string("i64")}}));
  }
  RETURN_IF_ERROR(CheckIndices(node.Constant(indices), axis, node.ShapeOf(x)[axis]));
  ASSIGN_OR_RETURN(const ValueId value, node.Emit("Gather", {x, indices}, {{"axis", axis}}));
  node.Return(value);
  return {};
}

// Broadcasting to a constant shape: a multiplication by ones of the extents that grow.
Status Expand(OnnxNode& node) {
  const ValueId x = node.Input(0);
  const TensorType type = node.Type(x);
  ASSIGN_OR_RETURN(const std::vector<int64_t> target, node.ConstantInts(1, "shape"));
  const size_t rank = std::max(target.size(), type.shape.size());
  Shape padded(rank - type.shape.size(), 1), ones(rank, 1);
  padded.insert(padded.end(), type.shape.begin(), type.shape.end());
  bool grows = type.shape.size() < rank;
  for (size_t d = rank - target.size(); d < rank; ++d) {
    const int64_t extent = target[d - (rank - target.size())];
    if (extent == padded[d] || extent == 1) continue;
    if (padded[d] != 1) {
      return Fail(ErrorCode::kInvalidInput, "{} cannot be expanded to [{}]", ToString(type),
                  fmt::join(target, ", "));
    }
    ones[d] = extent;
    grows = true;
  }
  ValueId value = x;
  if (grows) {
    if (type.dtype != DataType::kFloat32 && type.dtype != DataType::kInt64) {
      return Fail(ErrorCode::kUnsupported, "expanding {} is not supported, only f32 and i64",
                  ToString(type));
    }
    ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes({type.dtype, ones}));
    if (bytes > int64_t{64} << 20) {
      return Fail(ErrorCode::kUnsupported, "expanding {} to [{}] is not supported: too large",
                  ToString(type), fmt::join(target, ", "));
    }
    Tensor factor(TensorType{type.dtype, ones});
    if (type.dtype == DataType::kFloat32) {
      std::fill_n(factor.data<float>(), factor.count(), 1.0f);
    } else {
      std::fill_n(factor.data<int64_t>(), factor.count(), 1);
    }
    ASSIGN_OR_RETURN(value, node.Emit("Mul", {value, node.EmitConstant(std::move(factor))}));
  }
  node.Return(value);
  return {};
}

constexpr OnnxOperator kOperators[] = {
    {"Transpose", Transpose}, {"Concat", Concat}, {"Slice", Slice}, {"Split", Split}, {"Pad", Pad},
    {"Gather", Gather},       {"Expand", Expand}};

}  // namespace

std::span<const OnnxOperator> MovementOnnxOperators() { return kOperators; }

}  // namespace whet
