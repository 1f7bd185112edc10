#include "graph/onnx_pool_indices.h"

#include <algorithm>

namespace whet {
namespace {

constexpr int64_t kLargestWindow = 64;

// Where one element of the window lies along an axis, for each output.
struct Places {
  std::vector<int64_t> at;  // clamped to the image
  std::vector<bool> inside;
};

Places PlacesOf(const PoolWindow& window, int axis, int64_t k, int64_t in, int64_t out) {
  Places places;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t at = o * window.strides[axis] - window.pads[axis] + k * window.dilations[axis];
    places.at.push_back(std::clamp<int64_t>(at, 0, in - 1));
    places.inside.push_back(at >= 0 && at < in);
  }
  return places;
}

ValueId EmitMask(OnnxNode& node, const Places& rows, const Places& columns) {
  const auto height = static_cast<int64_t>(rows.at.size()),
             width = static_cast<int64_t>(columns.at.size());
  Tensor mask(TensorType{DataType::kBool, {1, 1, height, width}});
  for (int64_t i = 0; i < mask.count(); ++i)
    mask.data<uint8_t>()[i] = rows.inside[i / width] && columns.inside[i % width];
  return node.EmitConstant(std::move(mask));
}

}  // namespace

Result<ValueId> EmitPoolIndices(OnnxNode& node, ValueId image, ValueId pooled,
                                const PoolWindow& window, bool by_columns) {
  const int64_t count = window.kernel[0] * window.kernel[1];
  if (count > kLargestWindow) {
    return Fail(ErrorCode::kUnsupported,
                "its indices are used, which Whet computes for windows of up to {} elements",
                kLargestWindow);
  }
  const Shape in = node.ShapeOf(image), out = node.ShapeOf(pooled);
  ValueId found = node.EmitConstant(Tensor(TensorType{DataType::kInt64, {1, 1, out[2], out[3]}}));
  // From the last element of the window to the first: the first that fits stays.
  for (int64_t k = count; k-- > 0;) {
    const Places rows = PlacesOf(window, 0, k / window.kernel[1], in[2], out[2]),
                 columns = PlacesOf(window, 1, k % window.kernel[1], in[3], out[3]);
    Tensor indices(TensorType{DataType::kInt64, {1, 1, out[2], out[3]}});
    for (int64_t i = 0; i < indices.count(); ++i) {
      const int64_t row = rows.at[i / out[3]], column = columns.at[i % out[3]];
      indices.data<int64_t>()[i] = by_columns ? column * in[2] + row : row * in[3] + column;
    }
    const ValueId row_places = node.EmitConstant(Tensor::Int64({out[2]}, rows.at)),
                  column_places = node.EmitConstant(Tensor::Int64({out[3]}, columns.at));
    ASSIGN_OR_RETURN(ValueId element,
                     node.Emit("Gather", {image, row_places}, {{"axis", int64_t{2}}}));
    ASSIGN_OR_RETURN(element,
                     node.Emit("Gather", {element, column_places}, {{"axis", int64_t{3}}}));
    ASSIGN_OR_RETURN(ValueId fits, node.Emit("Equal", {element, pooled}));
    const ValueId no = node.EmitConstant(Tensor(TensorType{DataType::kBool, {}}));
    ASSIGN_OR_RETURN(fits, node.Emit("Where", {EmitMask(node, rows, columns), fits, no}));
    ASSIGN_OR_RETURN(found,
                     node.Emit("Where", {fits, node.EmitConstant(std::move(indices)), found}));
  }
  Tensor planes(TensorType{DataType::kInt64, {in[0], in[1], 1, 1}});
  for (int64_t p = 0; p < planes.count(); ++p) planes.data<int64_t>()[p] = p * in[2] * in[3];
  return node.Emit("Add", {found, node.EmitConstant(std::move(planes))});
}

}  // namespace whet
