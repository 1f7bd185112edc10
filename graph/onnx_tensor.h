// ONNX TensorProto to Tensor and back, in every way that ONNX stores elements. Private to graph/.
//
// A file's claim is not believed: the declared shape must match the bytes that are there before
// anything is allocated. Thread safety: pure functions.
#pragma once

#include <filesystem>
#include <string>

#include "base/status.h"
#include "base/tensor.h"
#include "onnx.pb.h"

namespace whet {

// No tensor that a file declares, or that its operators compute, may be larger: 64 GiB.
inline constexpr int64_t kMaxTensorBytes = int64_t{1} << 36;

// The bytes of a tensor of this type; kInvalidInput for a negative extent, kUnsupported beyond
// kMaxTensorBytes. Unlike ElementCount it cannot overflow.
Result<int64_t> CheckedBytes(const TensorType& type);

// Whet's type for an ONNX element type. kUnsupported with ONNX's name for the others.
Result<DataType> DataTypeFromOnnx(int onnx_type);
int OnnxFromDataType(DataType dtype);

// `folder` is where external data lies; files outside it are refused. Empty: external data is
// refused.
Result<Tensor> TensorFromProto(const onnx::TensorProto& proto, const std::filesystem::path& folder);

// Elements as raw bytes.
void TensorToProto(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto);

// "1 input", "2 inputs": a number and what it counts, in messages.
std::string Counted(int64_t count, const std::string& noun);

// Text of a file made safe for messages and JSON: bytes that are not UTF-8 become '?'.
std::string PrintableName(const std::string& name);

}  // namespace whet
