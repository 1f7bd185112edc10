#include "search/reference_data.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <type_traits>

#include "base/rng.h"
#include "search/error_bound.h"
#include "search/extremes.h"

namespace whet {
namespace {

// How to draw the values of one input: low + (high - low) * uniform, and a random sign where
// `signs`.
struct Range {
  double low = -1, high = 1;
  bool signs = false;
};

// Length of the sums that operand 1 of a contraction goes into; 0 for other operators.
int64_t ContractionLength(const TaskNode& node, const Shape& operand) {
  if (operand.empty()) return 0;
  if (node.op == "Conv") return ElementCount(Shape(operand.begin() + 1, operand.end()));
  // Of one phase of the stride; group and stride make it shorter, which only makes results smaller.
  if (node.op == "ConvTranspose") return operand[0];
  if (node.op == "Gemm")
    return node.attributes.Int("transB") != 0 ? operand.back() : operand.front();
  if (node.op == "MatMul") return operand.size() == 1 ? operand[0] : operand[operand.size() - 2];
  return 0;
}

// Values of images: all that the bits hold, or 0 to 1.
Range ImageRange(DataType dtype) {
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

// What operand `position` of `node` must be like.
Range RangeOf(const TaskNode& node, size_t position, const TensorType& type,
              const std::map<std::string, TensorType>& types) {
  if (node.op == "Sqrt" || node.op == "Log") return {0.1, 1};
  if (node.op == "BatchNormalization" && position == 4) return {0.5, 1.5};
  if (node.op == "Div" && position == 1) return {0.5, 1.5, true};
  if (node.op == "Gather" && position == 1) {
    const auto data = types.find(node.inputs[0]);
    const auto rank = data == types.end() ? 0 : static_cast<int64_t>(data->second.shape.size());
    if (rank == 0) return {0, 0};
    const int64_t axis = node.attributes.Int("axis");
    return {0, static_cast<double>(
                   data->second.shape[static_cast<size_t>(axis < 0 ? axis + rank : axis)])};
  }
  const int64_t length = position == 1 ? ContractionLength(node, type.shape) : 0;
  if (length > 0) {
    const double scale = std::min(1.0, std::sqrt(3.0 / static_cast<double>(length)));
    return {-scale, scale};
  }
  if (node.op == "Pipeline") return ImageRange(type.dtype);
  const bool integer = type.dtype == DataType::kInt8 || type.dtype == DataType::kInt32 ||
                       type.dtype == DataType::kInt64;
  if (integer) return {-8, 8};
  if (type.dtype == DataType::kUInt8) return {0, 16};
  if (type.dtype == DataType::kBool) return {0, 2};
  return {};
}

template <typename T>
void Fill(Tensor* tensor, const Range& range, Rng* rng) {
  T* values = tensor->data<T>();
  const int64_t count = tensor->count();
  for (int64_t i = 0; i < count; ++i) {
    double value = range.low + (range.high - range.low) * rng->Uniform();
    if (range.signs && rng->Chance(0.5)) value = -value;
    values[i] = static_cast<T>(std::is_integral_v<T> ? std::floor(value) : value);
  }
}

// Not flushed to the disk, unlike base/file.h: nothing here outlives the run.
Status WriteBytes(const std::filesystem::path& path, const Tensor& tensor) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(tensor.bytes()), tensor.size_bytes());
  file.close();
  if (!file) return Fail(ErrorCode::kIo, "cannot write {}: {}", path.string(), strerror(errno));
  return {};
}

std::filesystem::path BoundsFile(const std::filesystem::path& directory) {
  return directory / "bounds.bin";
}

}  // namespace

Result<std::vector<Tensor>> MakeInputs(const Task& task) {
  ASSIGN_OR_RETURN(const auto types, task.Types());
  const uint64_t seed = std::stoull(task.Fingerprint().substr(0, 16), nullptr, 16);
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const TaskInput& input = task.inputs[i];
    Range range{0, 0};
    for (const TaskNode& node : task.nodes) {
      const auto use = std::find(node.inputs.begin(), node.inputs.end(), input.name);
      if (use == node.inputs.end()) continue;
      range = RangeOf(node, static_cast<size_t>(use - node.inputs.begin()), input.type, types);
      break;
    }
    Rng rng(seed + i);
    Tensor tensor(input.type);
    switch (input.type.dtype) {
      case DataType::kFloat32:
        Fill<float>(&tensor, range, &rng);
        break;
      case DataType::kFloat64:
        Fill<double>(&tensor, range, &rng);
        break;
      case DataType::kInt8:
        Fill<int8_t>(&tensor, range, &rng);
        break;
      case DataType::kUInt8:
      case DataType::kBool:
        Fill<uint8_t>(&tensor, range, &rng);
        break;
      case DataType::kInt16:
        Fill<int16_t>(&tensor, range, &rng);
        break;
      case DataType::kUInt16:
        Fill<uint16_t>(&tensor, range, &rng);
        break;
      case DataType::kInt32:
        Fill<int32_t>(&tensor, range, &rng);
        break;
      case DataType::kUInt32:
        Fill<uint32_t>(&tensor, range, &rng);
        break;
      case DataType::kInt64:
        Fill<int64_t>(&tensor, range, &rng);
        break;
      default:
        return Fail(ErrorCode::kUnsupported,
                    "kernels with inputs of type {} cannot be checked: input '{}'",
                    Name(input.type.dtype), input.name);
    }
    tensors.push_back(std::move(tensor));
  }
  if (task.accuracy == Accuracy::kStrict) PlaceExtremes(task, &tensors);
  return tensors;
}

Result<Expected> ExpectedOf(const Task& task, std::span<const Tensor* const> inputs) {
  ASSIGN_OR_RETURN(Tensor output, RunReference(task, inputs));
  ASSIGN_OR_RETURN(std::optional<Tensor> bounds, ErrorBounds(task, inputs));
  const double tolerance = ToleranceFor(task, output.dtype());
  return Expected{std::move(output), tolerance, std::move(bounds)};
}

Status WriteReferenceData(const Task& task, const std::filesystem::path& directory) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MakeInputs(task));
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  ASSIGN_OR_RETURN(const Expected expected, ExpectedOf(task, pointers));
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return Fail(ErrorCode::kIo, "cannot create {}: {}", directory.string(), error.message());
  for (size_t i = 0; i < inputs.size(); ++i)
    RETURN_IF_ERROR(WriteBytes(InputFile(directory, i), inputs[i]));
  if (expected.bounds) RETURN_IF_ERROR(WriteBytes(BoundsFile(directory), *expected.bounds));
  return WriteBytes(OutputFile(directory), expected.output);
}

Result<Expected> ReadExpected(const Task& task, const std::filesystem::path& directory) {
  ASSIGN_OR_RETURN(const TensorType type, task.OutputType());
  const auto bytes = static_cast<size_t>(type.bytes());
  Expected expected{Tensor(type), ToleranceFor(task, type.dtype), std::nullopt};
  RETURN_IF_ERROR(ReadBytes(OutputFile(directory), expected.output.bytes(), bytes));
  if (!std::filesystem::exists(BoundsFile(directory))) return expected;
  expected.bounds.emplace(type);
  RETURN_IF_ERROR(ReadBytes(BoundsFile(directory), expected.bounds->bytes(), bytes));
  return expected;
}

std::filesystem::path InputFile(const std::filesystem::path& directory, size_t index) {
  return directory / fmt::format("in{}.bin", index);
}

std::filesystem::path OutputFile(const std::filesystem::path& directory) {
  return directory / "out.bin";
}

Status ReadBytes(const std::filesystem::path& path, void* into, size_t bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(ErrorCode::kIo, "cannot read {}: {}", path.string(), strerror(errno));
  auto* next = static_cast<char*>(into);
  size_t left = bytes;
  ssize_t size = 1;
  while (left > 0 && size > 0) {
    size = read(fd, next, left);
    if (size < 0 && errno == EINTR) {
      size = 1;
      continue;
    }
    if (size > 0) {
      next += size;
      left -= static_cast<size_t>(size);
    }
  }
  const int error = size < 0 ? errno : 0;
  char one_more = 0;
  const bool longer = error == 0 && left == 0 && read(fd, &one_more, 1) == 1;
  close(fd);
  if (error != 0) return Fail(ErrorCode::kIo, "cannot read {}: {}", path.string(), strerror(error));
  if (left > 0 || longer)
    return Fail(ErrorCode::kCorrupt, "{} does not have {} bytes", path.string(), bytes);
  return {};
}

}  // namespace whet
