// Pad: elements before and after each dimension.
//
//   y[i, j, ..] = x[u(i), v(j), ..]; where an index is outside, mode says what stands there:
//   "constant": value; "edge": the nearest element; "reflect": the elements mirrored about the
//   first and the last one, back and forth; "wrap": those of the other end
#include <algorithm>
#include <cstring>

#include "schedules/operators/checks.h"
#include "schedules/operators/strided.h"

namespace whet {
namespace {

Result<std::string> PadMode(const Attributes& attributes) {
  auto it = attributes.values().find("mode");
  if (it == attributes.values().end()) return std::string("constant");
  const auto* mode = std::get_if<std::string>(&it->second);
  for (const char* known : {"constant", "edge", "reflect", "wrap"})
    if (mode && *mode == known) return *mode;
  return Fail(ErrorCode::kInvalidInput, "attribute mode should be constant, edge, reflect or wrap");
}

Result<TensorType> InferPad(const Attributes& attributes, Types inputs) {
  TensorType y = *inputs[0];
  const int rank = static_cast<int>(y.shape.size());
  if (rank == 0) return Fail(ErrorCode::kInvalidInput, "x is a scalar and has nothing to pad");
  ASSIGN_OR_RETURN(const auto begins, IntsAttribute(attributes, "begins", rank, 0, 1 << 30));
  ASSIGN_OR_RETURN(const auto ends, IntsAttribute(attributes, "ends", rank, 0, 1 << 30));
  ASSIGN_OR_RETURN(const std::string mode, PadMode(attributes));
  if (y.dtype != DataType::kFloat32)  // whose may also be an infinity or NaN
    RETURN_IF_ERROR(FloatAttribute(attributes, "value", 0));
  if (mode == "constant" && y.dtype != DataType::kFloat32 && y.dtype != DataType::kInt32 &&
      y.dtype != DataType::kInt64)
    return Fail(ErrorCode::kInvalidInput,
                "x has elements of type {} and should have f32, i32 or i64", Name(y.dtype));
  for (int d = 0; d < rank; ++d) {
    const int64_t extent = y.shape[d], more = std::max(begins[d], ends[d]);
    if (mode != "constant" && more > 0 && extent == 0)
      return Fail(ErrorCode::kInvalidInput, "dimension {} of x has no elements to repeat", d);
    if (__builtin_add_overflow(extent, begins[d] + ends[d], &y.shape[d]))
      return Fail(ErrorCode::kInvalidInput, "dimension {} becomes too large", d);
  }
  return y;
}

// For each index of a padded dimension the one of x, -1 for the constant.
std::vector<int64_t> Sources(const std::string& mode, int64_t extent, int64_t begin, int64_t end) {
  std::vector<int64_t> sources;
  for (int64_t i = -begin; i < extent + end; ++i) {
    int64_t at = i;
    if (mode == "constant") {
      if (i < 0 || i >= extent) at = -1;
    } else if (mode == "edge") {
      at = std::clamp<int64_t>(i, 0, extent - 1);
    } else if (mode == "wrap") {
      at = (i % extent + extent) % extent;
    } else {
      const int64_t period = std::max<int64_t>(2 * (extent - 1), 1);
      at = (i % period + period) % period;
      at = std::min(at, period - at) % extent;  // one element: always that
    }
    sources.push_back(at);
  }
  return sources;
}

Status ComputePad(const Attributes& attributes, Tensors inputs, Tensor& output) {
  ASSIGN_OR_RETURN(const std::string mode, PadMode(attributes));
  const Shape &in = inputs[0]->shape(), &out = output.shape();
  const std::vector<int64_t> begins = attributes.Ints("begins"), ends = attributes.Ints("ends");
  const double value = attributes.Float("value", 0);
  uint8_t constant[8] = {};
  if (output.dtype() == DataType::kFloat32) {
    const float number = static_cast<float>(value);
    std::memcpy(constant, &number, sizeof(number));
  } else {
    const auto number = static_cast<int64_t>(std::clamp(value, -1e15, 1e15));
    std::memcpy(constant, &number, sizeof(number));  // the low bytes come first
  }
  std::vector<std::vector<int64_t>> sources;
  for (size_t d = 0; d < in.size(); ++d)
    sources.push_back(Sources(mode, in[d], begins[d], ends[d]));
  const std::vector<int64_t> from = RowMajorStrides(in), to = RowMajorStrides(out);
  const int64_t bytes = SizeOf(output.dtype()), count = output.count();
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = 0;
    for (size_t d = 0; d < in.size() && at >= 0; ++d) {
      const int64_t source = sources[d][i / to[d] % out[d]];
      at = source < 0 ? -1 : at + source * from[d];
    }
    std::memcpy(output.bytes() + i * bytes, at < 0 ? constant : inputs[0]->bytes() + at * bytes,
                static_cast<size_t>(bytes));
  }
  return {};
}

}  // namespace

const std::vector<OperatorDef>& PadOperators() {
  static const std::vector<OperatorDef> rows = {
      Row<&InferPad, &ComputePad, &NoFlops, 1, 1>(
          "Pad", OperatorClass::kMovement, {{"x"}},
          {{"begins", AttributeKind::kInts},
           {"ends", AttributeKind::kInts},
           {"mode", AttributeKind::kString, std::string("constant")},
           {"value", AttributeKind::kFloat, 0.0}}),
  };
  return rows;
}

}  // namespace whet
