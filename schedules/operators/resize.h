// Where Resize reads: the coordinate transformations of ONNX in exact integer arithmetic.
//
// A scale is a ratio of whole numbers, so a position in the input is one too, and its floor or the
// nearest whole number is a division that rounds down: indices that kernels compute without
// floating point and that schedules can reason about.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "base/tensor.h"
#include "schedules/attributes.h"

namespace whet {

// floor((factor * o + offset) / divisor) of an output's position o; divisor > 0.
struct RoundedDown {
  int64_t factor = 0, offset = 0, divisor = 1;
  int64_t At(int64_t o) const;
  bool IsIdentity() const { return factor == divisor && offset == 0; }
};

// One spatial axis of a Resize.
struct ResizeAxis {
  int64_t in = 1, out = 1;  // extents
  // With linear interpolation: the position (factor * o + offset) / divisor in the input, not
  // rounded; between the elements floor and floor + 1, each clamped to the input. With nearest: the
  // element, to be clamped.
  RoundedDown position;
  // The part of the way from element floor to the next, times the divisor.
  int64_t Remainder(int64_t o) const;
};

struct ResizeShape {
  bool linear = false;
  ResizeAxis height, width;
};

// Reads and checks the attributes of a Resize of 4-D data of this shape. Errors name the attribute.
Result<ResizeShape> ReadResize(const Attributes& attributes, const Shape& x);

}  // namespace whet
