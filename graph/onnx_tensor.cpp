#include "graph/onnx_tensor.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <utility>

namespace whet {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<int, DataType> kTypes[] = {
    {onnx::TensorProto::FLOAT, DataType::kFloat32},
    {onnx::TensorProto::FLOAT16, DataType::kFloat16},
    {onnx::TensorProto::BFLOAT16, DataType::kBFloat16},
    {onnx::TensorProto::DOUBLE, DataType::kFloat64},
    {onnx::TensorProto::INT8, DataType::kInt8},
    {onnx::TensorProto::UINT8, DataType::kUInt8},
    {onnx::TensorProto::INT16, DataType::kInt16},
    {onnx::TensorProto::UINT16, DataType::kUInt16},
    {onnx::TensorProto::INT32, DataType::kInt32},
    {onnx::TensorProto::UINT32, DataType::kUInt32},
    {onnx::TensorProto::INT64, DataType::kInt64},
    {onnx::TensorProto::BOOL, DataType::kBool},
};

// Copies `values` (a repeated field, wider than T for small types) into the tensor.
template <typename T, typename Values>
Status Fill(const Values& values, Tensor* tensor) {
  T* out = tensor->data<T>();
  for (int64_t i = 0; i < tensor->count(); ++i)
    out[i] = static_cast<T>(values[static_cast<int>(i)]);
  return {};
}

int64_t TypedCount(const onnx::TensorProto& proto, DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32:
      return proto.float_data_size();
    case DataType::kFloat64:
      return proto.double_data_size();
    case DataType::kInt64:
      return proto.int64_data_size();
    case DataType::kUInt32:
      return proto.uint64_data_size();
    default:
      return proto.int32_data_size();
  }
}

Status FillTyped(const onnx::TensorProto& proto, Tensor* tensor) {
  switch (tensor->dtype()) {
    case DataType::kFloat32:
      return Fill<float>(proto.float_data(), tensor);
    case DataType::kFloat64:
      return Fill<double>(proto.double_data(), tensor);
    case DataType::kInt64:
      return Fill<int64_t>(proto.int64_data(), tensor);
    case DataType::kInt32:
      return Fill<int32_t>(proto.int32_data(), tensor);
    case DataType::kFloat16:
    case DataType::kBFloat16:
      return Fill<uint16_t>(proto.int32_data(), tensor);
    case DataType::kUInt32:
      return Fill<uint32_t>(proto.uint64_data(), tensor);
    case DataType::kInt16:
      return Fill<int16_t>(proto.int32_data(), tensor);
    case DataType::kUInt16:
      return Fill<uint16_t>(proto.int32_data(), tensor);
    case DataType::kInt8:
      return Fill<int8_t>(proto.int32_data(), tensor);
    case DataType::kUInt8:
      return Fill<uint8_t>(proto.int32_data(), tensor);
    case DataType::kBool:
      return Fill<bool>(proto.int32_data(), tensor);
  }
  return {};
}

// Where the bytes begin. How many there are follows from the type: a `length` that says otherwise
// is not believed, as ONNX has it for a hint only and exporters have written wrong ones.
struct ExternalData {
  std::string location;
  int64_t offset = 0;
};

Result<ExternalData> ReadExternalEntries(const onnx::TensorProto& proto) {
  ExternalData data;
  for (const auto& entry : proto.external_data()) {
    const std::string& text = entry.value();
    if (entry.key() == "location") {
      data.location = text;
    } else if (entry.key() == "offset" || entry.key() == "length") {
      int64_t number = -1;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size() || number < 0) {
        return Fail(ErrorCode::kCorrupt,
                    "the {} of its external data is '{}', expected a number of bytes, 0 or more",
                    entry.key(), PrintableName(text));
      }
      if (entry.key() == "offset") data.offset = number;
    }
  }
  if (data.location.empty()) return Fail(ErrorCode::kCorrupt, "its external data has no location");
  return data;
}

// The file of external data, which must lie in the model's folder even after links are followed.
Result<fs::path> ResolveInside(const fs::path& folder, const std::string& location) {
  std::error_code error;
  const fs::path root = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
  const fs::path relative(location);
  const fs::path file = error ? fs::path() : fs::canonical(root / relative, error);
  if (error || relative.is_absolute()) {
    return Fail(ErrorCode::kNotFound, "its external data file '{}' is not in the model's folder",
                PrintableName(location));
  }
  const auto [root_end, file_at] =
      std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (root_end != root.end() || file_at == file.end()) {
    return Fail(ErrorCode::kInvalidInput,
                "its external data file '{}' lies outside the model's folder",
                PrintableName(location));
  }
  return file;
}

Status ReadExternal(const onnx::TensorProto& proto, const fs::path& folder, const TensorType& type,
                    int64_t bytes, Tensor* tensor) {
  if (folder.empty()) return Fail(ErrorCode::kUnsupported, "external data is not accepted here");
  ASSIGN_OR_RETURN(const ExternalData data, ReadExternalEntries(proto));
  ASSIGN_OR_RETURN(const fs::path path, ResolveInside(folder, data.location));
  std::error_code error;
  const uintmax_t file_size = fs::file_size(path, error);
  if (error) return Fail(ErrorCode::kIo, "cannot read '{}': {}", path.string(), error.message());
  const uintmax_t end = static_cast<uintmax_t>(data.offset) + static_cast<uintmax_t>(bytes);
  if (end > file_size) {
    return Fail(ErrorCode::kCorrupt, "{} needs {} bytes at offset {} of '{}', a file of {} bytes",
                ToString(type), bytes, data.offset, path.string(), file_size);
  }
  *tensor = Tensor(type);
  std::ifstream stream(path, std::ios::binary);
  stream.seekg(data.offset);
  stream.read(reinterpret_cast<char*>(tensor->bytes()), bytes);
  if (!stream) return Fail(ErrorCode::kIo, "cannot read {} bytes of '{}'", bytes, path.string());
  return {};
}

}  // namespace

Result<int64_t> CheckedBytes(const TensorType& type) {
  constexpr size_t kMostDimensions = 16;  // of a plan
  if (type.shape.size() > kMostDimensions) {
    return Fail(ErrorCode::kUnsupported, "{} has {} dimensions, Whet supports up to {}",
                ToString(type), type.shape.size(), kMostDimensions);
  }
  int64_t bytes = SizeOf(type.dtype);
  bool empty = false;
  for (int64_t extent : type.shape) {
    if (extent < 0) return Fail(ErrorCode::kInvalidInput, "an extent is negative ({})", extent);
    // An extent of 0 does not excuse the others: their product is computed elsewhere, too.
    if (extent > kMaxTensorBytes / bytes) {
      return Fail(ErrorCode::kUnsupported, "{} is larger than the {} GiB that a tensor may have",
                  ToString(type), kMaxTensorBytes >> 30);
    }
    empty |= extent == 0;
    bytes *= std::max<int64_t>(extent, 1);
  }
  return empty ? 0 : bytes;
}

Result<DataType> DataTypeFromOnnx(int onnx_type) {
  for (const auto& [onnx, dtype] : kTypes) {
    if (onnx == onnx_type) return dtype;
  }
  if (!onnx::TensorProto::DataType_IsValid(onnx_type) ||
      onnx_type == onnx::TensorProto::UNDEFINED) {
    return Fail(ErrorCode::kUnsupported, "element type {} is not one that Whet knows", onnx_type);
  }
  return Fail(
      ErrorCode::kUnsupported, "element type {} is not supported",
      onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(onnx_type)));
}

int OnnxFromDataType(DataType dtype) {
  for (const auto& [onnx, ours] : kTypes) {
    if (ours == dtype) return onnx;
  }
  return onnx::TensorProto::UNDEFINED;
}

Result<Tensor> TensorFromProto(const onnx::TensorProto& proto, const fs::path& folder) {
  ASSIGN_OR_RETURN(const DataType dtype, DataTypeFromOnnx(proto.data_type()));
  const TensorType type{dtype, Shape(proto.dims().begin(), proto.dims().end())};
  if (proto.has_segment())
    return Fail(ErrorCode::kUnsupported, "segmented tensors are not supported");
  ASSIGN_OR_RETURN(const int64_t bytes, CheckedBytes(type));
  Tensor tensor;
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    RETURN_IF_ERROR(ReadExternal(proto, folder, type, bytes, &tensor));
  } else if (proto.has_raw_data()) {
    if (static_cast<int64_t>(proto.raw_data().size()) != bytes) {
      return Fail(ErrorCode::kCorrupt, "{} needs {} bytes, {} are there", ToString(type), bytes,
                  proto.raw_data().size());
    }
    tensor = Tensor(type);
    std::memcpy(tensor.bytes(), proto.raw_data().data(), static_cast<size_t>(bytes));
  } else {
    const int64_t count = bytes / SizeOf(dtype), present = TypedCount(proto, dtype);
    if (count != present) {
      return Fail(ErrorCode::kCorrupt, "{} needs {} elements, {} are there", ToString(type), count,
                  present);
    }
    tensor = Tensor(type);
    RETURN_IF_ERROR(FillTyped(proto, &tensor));
  }
  if (dtype == DataType::kBool) {
    // A byte other than 0 and 1 is no bool for C++.
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.bytes()[i] = tensor.bytes()[i] != 0;
  }
  return tensor;
}

void TensorToProto(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto) {
  proto->set_name(name);
  proto->set_data_type(OnnxFromDataType(tensor.dtype()));
  for (int64_t extent : tensor.shape()) proto->add_dims(extent);
  proto->set_raw_data(reinterpret_cast<const char*>(tensor.bytes()),
                      static_cast<size_t>(tensor.size_bytes()));
}

std::string Counted(int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string PrintableName(const std::string& name) {
  std::string text;
  for (size_t i = 0; i < name.size();) {
    const auto byte = [&](size_t k) { return static_cast<unsigned char>(name[k]); };
    const unsigned char lead = byte(i);
    // Overlong forms, surrogates and code points past U+10FFFF show in the second byte's range.
    size_t length = 1;
    unsigned char low = 0x80, high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) length = 2;
    if (lead >= 0xE0 && lead <= 0xEF) length = 3;
    if (lead >= 0xF0 && lead <= 0xF4) length = 4;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    bool valid = length > 1 ? i + length <= name.size() : lead >= 0x20 && lead < 0x7F;
    for (size_t k = 1; valid && k < length; ++k) {
      valid = byte(i + k) >= (k == 1 ? low : 0x80) && byte(i + k) <= (k == 1 ? high : 0xBF);
    }
    if (valid) {
      text.append(name, i, length);
      i += length;
    } else {
      text += '?';
      ++i;
    }
  }
  return text;
}

}  // namespace whet
