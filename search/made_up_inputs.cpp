#include "search/made_up_inputs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>

#include "base/rng.h"
#include "schedules/operators/operator.h"
#include "search/extremes.h"
#include "search/reach.h"

namespace whet {
namespace {

constexpr int64_t kShare = 16;    // of elements
constexpr int64_t kRowShare = 4;  // of rows

// Values of images: all that the bits hold, or 0 to 1.
ValueRange ImageRange(DataType dtype) {
  switch (dtype) {
    case DataType::kUInt8:
      return {0, 256};
    case DataType::kInt8:
      return {-128, 128};
    case DataType::kUInt16:
      return {0, 65536};
    case DataType::kInt16:
      return {-32768, 32768};
    case DataType::kInt32:
    case DataType::kUInt32:
    case DataType::kInt64:
      return {0, 65536};
    case DataType::kBool:
      return {0, 2};
    default:
      return {0, 1};
  }
}

// The extent that operand `position` holds indices into; 0 where it holds none.
int64_t IndexedExtent(const TaskNode& node, const OperandDef& operand,
                      const std::map<std::string, TensorType>& types) {
  const auto data = types.find(node.inputs[0]);
  if (!operand.index || data == types.end()) return 0;
  const Shape& shape = data->second.shape;
  const int64_t axis = node.attributes.Int("axis");
  const auto rank = static_cast<int64_t>(shape.size());
  return rank == 0 ? 0 : shape[static_cast<size_t>(axis < 0 ? axis + rank : axis)];
}

// What an input is like: its first reader's wishes.
struct Wishes {
  ValueRange range{0, 0};
  int64_t indexed = 0;   // extent that it holds indices into
  bool extremes = true;  // make sense
};

Wishes WishesOf(const Task& task, const std::map<std::string, TensorType>& types,
                const TaskInput& input) {
  for (const TaskNode& node : task.nodes) {
    const auto use = std::find(node.inputs.begin(), node.inputs.end(), input.name);
    if (use == node.inputs.end()) continue;
    const TensorType& type = input.type;
    if (node.op == "Pipeline") return {ImageRange(type.dtype), 0, false};
    const OperatorDef* def = FindOperator(node.op);
    const auto position = static_cast<size_t>(use - node.inputs.begin());
    const OperandDef any;
    const OperandDef& operand =
        def != nullptr && position < def->operands.size() ? def->operands[position] : any;
    if (const int64_t extent = IndexedExtent(node, operand, types); operand.index)
      return {{0, static_cast<double>(extent)}, extent, true};
    if (operand.sum_length != nullptr) {
      const int64_t length = operand.sum_length(node.attributes, type.shape);
      const double scale =
          length > 0 ? std::min(1.0, std::sqrt(3.0 / static_cast<double>(length))) : 1.0;
      return {{-scale, scale}};
    }
    switch (type.dtype) {
      case DataType::kInt8:
      case DataType::kInt32:
      case DataType::kInt64:
        return {{-8, 8}};
      case DataType::kUInt8:
        return {{0, 16}, 0, false};
      case DataType::kBool:
        return {{0, 2}, 0, false};
      default:
        return {operand.range};
    }
  }
  return {};
}

// The extremes of a type. The first are exact whatever is made of them, but that a product of an
// infinity and a result that is about 0 has no sign that one could rely on.
template <typename T>
std::vector<T> Extremes(const Reach& reach) {
  if constexpr (std::is_integral_v<T>) {
    if (!reach.alone || reach.kind != Reach::Kind::kElement) return {};
    return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), T{0}, static_cast<T>(-1)};
  } else {
    constexpr T kInf = std::numeric_limits<T>::infinity();
    if (reach.computed) return {std::numeric_limits<T>::quiet_NaN()};
    std::vector<T> values = {std::numeric_limits<T>::quiet_NaN(), kInf, -kInf, T{0}, -T{0}};
    if (reach.alone && reach.kind == Reach::Kind::kElement) {
      constexpr T kMost = std::numeric_limits<T>::max();
      for (T value : {T(0.5), T(-1.5), T(2.5), T(1), T(-1), T(1e30), kMost, -kMost})
        values.push_back(value);
    }
    return values;
  }
}

// What is or becomes a denormal somewhere: some processors take a hundred cycles for one, and
// kernels are timed on these inputs.
template <typename T>
std::vector<T> SlowExtremes(const Reach& reach) {
  std::vector<T> values = {std::numeric_limits<T>::min() / 1000,
                           -std::numeric_limits<T>::denorm_min()};
  if (reach.alone && reach.kind == Reach::Kind::kElement && !reach.computed)
    values.insert(values.end(), {T(88.5), T(-88.5), T(104), T(-104), T(1e-30)});
  return values;
}

// Which row along `dims` element `i` is in.
int64_t RowOf(int64_t i, const Shape& shape, const std::vector<int64_t>& dims) {
  int64_t row = 0, scale = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    const int64_t at = i % shape[d];
    i /= shape[d];
    if (std::binary_search(dims.begin(), dims.end(), static_cast<int64_t>(d))) continue;
    row += at * scale;
    scale *= shape[d];
  }
  return row;
}

// Whether an extreme goes to element `i`.
bool IsExtreme(const Tensor& tensor, int64_t i, const Reach& reach, Rng* rng) {
  if (reach.kind == Reach::Kind::kElement)
    return rng->Chance(1.0 / kShare) || i == tensor.count() / 2;
  const int64_t row = RowOf(i, tensor.shape(), reach.dims);
  int64_t length = 1;
  for (int64_t dim : reach.dims) length *= tensor.shape()[static_cast<size_t>(dim)];
  // About one in such a row; a row of nothing but -infinity comes up where rows are short.
  return tensor.count() > length && row % kRowShare == 1 &&
         rng->Chance(1.0 / static_cast<double>(std::max<int64_t>(1, length)));
}

template <typename T>
void AddExtremes(Tensor* tensor, const Wishes& wishes, const Reach& reach, Rng* rng) {
  T* values = tensor->data<T>();
  const int64_t count = tensor->count();
  if (count == 0 || !wishes.extremes) return;
  if (wishes.indexed > 0) {  // both ends
    values[0] = static_cast<T>(wishes.indexed - 1);
    values[count / 2] = 0;
    return;
  }
  // Where there are few elements, each may be felt everywhere: broadcast, it would say nothing
  // else.
  const std::vector<T> extremes = Extremes<T>(reach);
  if (extremes.empty() || count < kShare) return;
  if (reach.kind == Reach::Kind::kSum) {
    if constexpr (std::is_floating_point_v<T>) {
      for (int64_t i = 0; i < count && wishes.range.low < 0; ++i)
        if (rng->Chance(1.0 / kShare)) values[i] = rng->Chance(0.5) ? T{0} : -T{0};
    }
    return;
  }
  size_t next = static_cast<size_t>(rng->Below(static_cast<int64_t>(extremes.size())));
  for (int64_t i = 0; i < count; ++i)
    if (IsExtreme(*tensor, i, reach, rng)) values[i] = extremes[next++ % extremes.size()];
  if constexpr (std::is_floating_point_v<T>) {
    for (T value : SlowExtremes<T>(reach)) values[rng->Below(count)] = value;
  }
}

struct Maker {
  const Wishes& wishes;
  const Reach& reach;
  Rng* rng;

  template <typename T>
  void Fill(Tensor* tensor) const {
    const ValueRange& range = wishes.range;
    T* values = tensor->data<T>();
    const int64_t count = tensor->count();
    for (int64_t i = 0; i < count; ++i) {
      double value = range.low + (range.high - range.low) * rng->Uniform();
      if (range.signs && rng->Chance(0.5)) value = -value;
      values[i] = static_cast<T>(std::is_integral_v<T> ? std::floor(value) : value);
    }
    AddExtremes<T>(tensor, wishes, reach, rng);
  }
};

// Half precision is moved and not computed with: any bits will do.
void FillWithBits(Tensor* tensor, Rng* rng) {
  auto* values = reinterpret_cast<uint16_t*>(tensor->bytes());
  for (int64_t i = 0; i < tensor->count(); ++i)
    values[i] = static_cast<uint16_t>(rng->Below(int64_t{1} << 16));
}

bool FillTensor(const Maker& maker, Tensor* tensor) {
  switch (tensor->dtype()) {
    case DataType::kFloat16:
    case DataType::kBFloat16:
      FillWithBits(tensor, maker.rng);
      return true;
    case DataType::kFloat32:
      maker.Fill<float>(tensor);
      return true;
    case DataType::kFloat64:
      maker.Fill<double>(tensor);
      return true;
    case DataType::kInt8:
      maker.Fill<int8_t>(tensor);
      return true;
    case DataType::kUInt8:
    case DataType::kBool:
      maker.Fill<uint8_t>(tensor);
      return true;
    case DataType::kInt16:
      maker.Fill<int16_t>(tensor);
      return true;
    case DataType::kUInt16:
      maker.Fill<uint16_t>(tensor);
      return true;
    case DataType::kInt32:
      maker.Fill<int32_t>(tensor);
      return true;
    case DataType::kUInt32:
      maker.Fill<uint32_t>(tensor);
      return true;
    case DataType::kInt64:
      maker.Fill<int64_t>(tensor);
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<std::vector<Tensor>> MakeInputs(const Task& task) {
  ASSIGN_OR_RETURN(const auto types, task.Types());
  const uint64_t seed = std::stoull(task.Fingerprint().substr(0, 16), nullptr, 16);
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const TaskInput& input = task.inputs[i];
    const Wishes wishes = WishesOf(task, types, input);
    const Reach reach = ReachOf(task, types, input);
    Rng rng(seed + i);
    Tensor tensor(input.type);
    if (!FillTensor({wishes, reach, &rng}, &tensor)) {
      return Fail(ErrorCode::kUnsupported,
                  "kernels with inputs of type {} cannot be checked: input '{}'",
                  Name(input.type.dtype), input.name);
    }
    tensors.push_back(std::move(tensor));
  }
  if (task.accuracy == Accuracy::kStrict) PlaceExtremes(task, &tensors);
  return tensors;
}

}  // namespace whet
