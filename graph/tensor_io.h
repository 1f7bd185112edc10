// Tensors on disk: ONNX TensorProto (.pb) and NumPy (.npy, versions 1 to 3, C or Fortran order,
// little endian).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/tensor.h"

namespace whet {

Result<Tensor> ReadTensorFile(const std::string& path);  // by extension: .npy or .pb
Result<Tensor> ParseNpy(std::string_view bytes);
std::string ToNpy(const Tensor& tensor);
Result<Tensor> ParseTensorProto(std::string_view bytes);

}  // namespace whet
