#include "graph/tensor_io.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <new>
#include <optional>

#include "base/file.h"
#include "graph/onnx_tensor.h"

namespace whet {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";

struct NpyType {
  std::string_view descr;  // without the byte order
  DataType dtype;
};
constexpr NpyType kNpyTypes[] = {
    {"f4", DataType::kFloat32}, {"f2", DataType::kFloat16}, {"f8", DataType::kFloat64},
    {"i1", DataType::kInt8},    {"u1", DataType::kUInt8},   {"i2", DataType::kInt16},
    {"u2", DataType::kUInt16},  {"u4", DataType::kUInt32},  {"i4", DataType::kInt32},
    {"i8", DataType::kInt64},   {"b1", DataType::kBool},
};

struct NpyHeader {
  TensorType type;
  bool fortran_order = false;
};

// Reads the header, a Python dictionary literal such as
//   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }
class NpyHeaderParser {
 public:
  explicit NpyHeaderParser(std::string_view text) : text_(text) {}

  Result<NpyHeader> Parse() {
    NpyHeader header;
    bool has_descr = false, has_order = false, has_shape = false;
    if (!Eat('{')) return Malformed();
    while (!Eat('}')) {
      const std::optional<std::string_view> key = String();
      if (!key || !Eat(':')) return Malformed();
      if (*key == "descr") {
        const std::optional<std::string_view> descr = String();
        if (!descr)
          return Fail(ErrorCode::kUnsupported, "the .npy element type is a record, not a number");
        ASSIGN_OR_RETURN(header.type.dtype, Type(*descr));
        has_descr = true;
      } else if (*key == "fortran_order") {
        if (Word("True")) {
          header.fortran_order = true;
        } else if (!Word("False")) {
          return Malformed();
        }
        has_order = true;
      } else if (*key == "shape") {
        if (!ReadShape(&header.type.shape)) return Malformed();
        has_shape = true;
      } else {
        return Malformed();
      }
      if (!Eat(',') && Peek() != '}') return Malformed();
    }
    if (!has_descr || !has_order || !has_shape) return Malformed();
    return header;
  }

 private:
  static tl::unexpected<Error> Malformed() {
    return Fail(ErrorCode::kCorrupt,
                "the .npy header is malformed: expected descr, fortran_order and shape");
  }
  static Result<DataType> Type(std::string_view descr) {
    if (descr.size() >= 2 && (descr[0] == '<' || descr[0] == '|' || descr[0] == '=')) {
      for (const NpyType& row : kNpyTypes) {
        if (row.descr == descr.substr(1)) return row.dtype;
      }
    }
    return Fail(ErrorCode::kUnsupported,
                "the .npy element type '{}' is not supported: expected little-endian f2, f4, f8, "
                "i1, u1, i4, "
                "i8 or b1",
                PrintableName(std::string(descr)));
  }
  char Peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Eat(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  bool Word(std::string_view word) {
    Peek();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  std::optional<std::string_view> String() {
    const char quote = Peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }
  bool ReadShape(Shape* shape) {
    if (!Eat('(')) return false;
    while (!Eat(')')) {
      Peek();
      int64_t extent = 0;
      const char* end = text_.data() + text_.size();
      const auto [parsed, error] = std::from_chars(text_.data() + at_, end, extent);
      if (error != std::errc() || extent < 0 || shape->size() >= 64) return false;
      at_ = static_cast<size_t>(parsed - text_.data());
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
      shape->push_back(extent);
      if (!Eat(',') && Peek() != ')') return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Column-major elements into the row-major tensor.
void CopyFortran(std::string_view payload, Tensor* tensor) {
  const Shape& shape = tensor->shape();
  const size_t size = static_cast<size_t>(SizeOf(tensor->dtype()));
  std::vector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0; i < tensor->count(); ++i) {
    int64_t offset = 0;
    for (size_t d = shape.size(); d-- > 0;) offset = offset * shape[d] + index[d];
    std::memcpy(tensor->bytes() + i * static_cast<int64_t>(size), payload.data() + offset * size,
                size);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

}  // namespace

Result<Tensor> ParseNpy(std::string_view bytes) {
  if (bytes.substr(0, kNpyMagic.size()) != kNpyMagic || bytes.size() < 10) {
    return Fail(ErrorCode::kCorrupt, "not a .npy file: its first bytes are not NumPy's");
  }
  const int version = bytes[6];
  if (version < 1 || version > 3) {
    return Fail(ErrorCode::kUnsupported, ".npy version {} is not supported: expected 1, 2 or 3",
                version);
  }
  const size_t length_bytes = version == 1 ? 2 : 4, begin = 8 + length_bytes;
  const size_t length =
      bytes.size() < begin ? SIZE_MAX : LittleEndian(bytes.substr(8, length_bytes));
  if (bytes.size() < begin || bytes.size() - begin < length) {
    return Fail(ErrorCode::kCorrupt, "the .npy file ends within its header");
  }
  ASSIGN_OR_RETURN(const NpyHeader header, NpyHeaderParser(bytes.substr(begin, length)).Parse());
  ASSIGN_OR_RETURN(const int64_t needed, CheckedBytes(header.type));
  const std::string_view payload = bytes.substr(begin + length);
  if (static_cast<int64_t>(payload.size()) != needed) {
    return Fail(ErrorCode::kCorrupt, "the .npy file declares {}, which is {} bytes, and holds {}",
                ToString(header.type), needed, payload.size());
  }
  Tensor tensor(header.type);
  if (header.fortran_order) {
    CopyFortran(payload, &tensor);
  } else {
    std::memcpy(tensor.bytes(), payload.data(), payload.size());
  }
  if (header.type.dtype == DataType::kBool) {
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.bytes()[i] = tensor.bytes()[i] != 0;
  }
  return tensor;
}

std::string ToNpy(const Tensor& tensor) {
  if (tensor.dtype() == DataType::kBFloat16) {
    // NumPy has no bfloat16; f32 holds every one of its values.
    Tensor wide(TensorType{DataType::kFloat32, tensor.shape()});
    for (int64_t i = 0; i < wide.count(); ++i)
      wide.data<float>()[i] = static_cast<float>(tensor.AsDouble(i));
    return ToNpy(wide);
  }
  const NpyType* row =
      std::find_if(std::begin(kNpyTypes), std::end(kNpyTypes),
                   [&](const NpyType& type) { return type.dtype == tensor.dtype(); });
  std::string shape;
  for (int64_t extent : tensor.shape()) shape += fmt::format("{}, ", extent);
  if (tensor.shape().size() > 1) shape.resize(shape.size() - 2);
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                   SizeOf(tensor.dtype()) == 1 ? '|' : '<', row->descr, shape);
  // NumPy aligns the elements to 64 bytes with blanks and a line feed.
  header.append(63 - (kNpyMagic.size() + 4 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(kNpyMagic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF),
            static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(tensor.bytes()),
               static_cast<size_t>(tensor.size_bytes()));
  return bytes;
}

Result<Tensor> ParseTensorProto(std::string_view bytes) {
  onnx::TensorProto proto;
  if (bytes.empty() || bytes.size() > INT32_MAX ||
      !proto.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !proto.has_data_type()) {
    return Fail(ErrorCode::kCorrupt, "not an ONNX tensor");
  }
  return TensorFromProto(proto, {});
}

Result<Tensor> ReadTensorFile(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".npy" && extension != ".pb") {
    return Fail(ErrorCode::kInvalidInput, "{}: expected a tensor file that ends in .npy or .pb",
                path);
  }
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  try {
    Result<Tensor> tensor = extension == ".npy" ? ParseNpy(bytes) : ParseTensorProto(bytes);
    if (!tensor) return Prefixed(std::move(tensor).error(), path);
    return tensor;
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kFailed, "{}: not enough memory", path);
  }
}

}  // namespace whet
