// The element types of our tensors as Halide's runtime spells them.
//
// Private to sources that call kernels: HalideRuntime.h is not in the include path of others.
// Thread safety: pure function.
#pragma once

#include <HalideRuntime.h>

#include "base/tensor.h"

namespace whet {

inline halide_type_t HalideType(DataType dtype) {
  switch (dtype) {
    case DataType::kFloat32:
      return {halide_type_float, 32};
    case DataType::kFloat16:
      return {halide_type_float, 16};
    case DataType::kBFloat16:
      return {halide_type_bfloat, 16};
    case DataType::kFloat64:
      return {halide_type_float, 64};
    case DataType::kInt8:
      return {halide_type_int, 8};
    case DataType::kUInt8:
      return {halide_type_uint, 8};
    case DataType::kInt16:
      return {halide_type_int, 16};
    case DataType::kUInt16:
      return {halide_type_uint, 16};
    case DataType::kInt32:
      return {halide_type_int, 32};
    case DataType::kUInt32:
      return {halide_type_uint, 32};
    case DataType::kInt64:
      return {halide_type_int, 64};
    case DataType::kBool:
      return {halide_type_uint, 1};
  }
  return {halide_type_uint, 8};
}

}  // namespace whet
