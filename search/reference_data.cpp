#include "search/reference_data.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "search/error_bound.h"
#include "search/made_up_inputs.h"
#include "search/rounding_noise.h"

namespace whet {
namespace {

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

Result<Expected> ExpectedOf(const Task& task, std::span<const Tensor* const> inputs) {
  ASSIGN_OR_RETURN(Tensor output, RunReference(task, inputs));
  ASSIGN_OR_RETURN(std::optional<Tensor> bounds, ErrorBounds(task, inputs));
  const double tolerance = ToleranceFor(task, output.dtype());
  if (!bounds) {
    ASSIGN_OR_RETURN(bounds, NoiseBounds(task, inputs, output, tolerance));
  }
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
  expected.bounds.emplace(TensorType{DataType::kFloat32, type.shape});
  RETURN_IF_ERROR(ReadBytes(BoundsFile(directory), expected.bounds->bytes(),
                            static_cast<size_t>(expected.bounds->size_bytes())));
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
