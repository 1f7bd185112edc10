// Constants in the form that a kernel wants them in: PackedType and PackConstant.
#include <algorithm>
#include <cstring>

#include "codegen/kernel_compiler.h"
#include "codegen/packed_layout.h"
#include "schedules/halide_algorithm.h"

namespace whet {
namespace {

// `count` elements of `size` bytes that lie `stride` bytes apart, one behind the other.
void CopyStrided(uint8_t* to, const uint8_t* from, int64_t count, int64_t stride, int64_t size) {
  if (stride == size) {
    std::memcpy(to, from, static_cast<size_t>(count * size));
  } else if (size == 4) {
    for (int64_t i = 0; i < count; ++i) std::memcpy(to + 4 * i, from + i * stride, 4);
  } else {
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(to + i * size, from + i * stride, static_cast<size_t>(size));
  }
}

// Walks over the levels of a packed layout but the innermost, like an odometer, and knows which
// element of the natural tensor each run along the innermost level begins with.
class PackedOrder {
 public:
  // `extents`: of the levels, innermost first.
  PackedOrder(const std::vector<PackLevel>& levels, const std::vector<int64_t>& extents,
              const Shape& shape)
      : shape_(shape), source_(shape.size(), 0) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
    std::vector<int64_t> inner(shape.size(), 1);
    for (size_t l = 0; l < levels.size(); ++l) {
      const auto dim = static_cast<size_t>(levels[l].dim);
      wheels_.push_back({dim, extents[l], inner[dim], strides[dim] * inner[dim]});
      inner[dim] *= extents[l];
    }
  }

  // Elements of the run that begins here; none where all of it is padding.
  int64_t RunLength() const {
    if (outside_ > 0) return 0;
    const Wheel& run = wheels_[0];
    return std::min(run.extent, (shape_[run.dim] - source_[run.dim] + run.step - 1) / run.step);
  }
  int64_t RunStride() const { return wheels_[0].stride; }  // elements
  int64_t offset() const { return offset_; }               // elements, of the first one

  void Next() {
    for (size_t l = 1; l < wheels_.size(); ++l) {
      Wheel& wheel = wheels_[l];
      if (++wheel.at < wheel.extent) return Move(wheel, 1);
      Move(wheel, 1 - wheel.extent);
      wheel.at = 0;
    }
  }

 private:
  struct Wheel {
    size_t dim;
    int64_t extent, step, stride;  // step: along `dim`; stride: in elements of the natural tensor
    int64_t at = 0;
  };

  void Move(const Wheel& wheel, int64_t steps) {
    int64_t& source = source_[wheel.dim];
    outside_ -= source >= shape_[wheel.dim];
    source += steps * wheel.step;
    outside_ += source >= shape_[wheel.dim];
    offset_ += steps * wheel.stride;
  }

  const Shape& shape_;
  std::vector<Wheel> wheels_;
  std::vector<int64_t> source_;
  int64_t offset_ = 0;
  int outside_ = 0;  // dimensions in which the run begins behind the end
};

}  // namespace

std::vector<PackLevel> PackedLayoutOf(const Task& task, const Trace& trace, size_t index) {
  if (!task.inputs[index].constant) return {};
  for (const Directive& d : trace.directives)
    if (d.kind == DirectiveKind::kPack && d.stage == task.inputs[index].name) return d.layout;
  return {};
}

Result<TensorType> PackedType(const Task& task, const Trace& trace, size_t index) {
  ASSIGN_OR_RETURN(const TensorType natural,
                   PreparedType(task, AlgorithmOptionsOf(trace.directives), index));
  const std::vector<PackLevel> levels = PackedLayoutOf(task, trace, index);
  if (levels.empty()) return natural;
  TensorType packed{natural.dtype, Shape(levels.size())};
  std::vector<int64_t> inner(natural.shape.size(), 1);
  for (size_t l = 0; l < levels.size(); ++l) {
    const int64_t left =
        (natural.shape[levels[l].dim] + inner[levels[l].dim] - 1) / inner[levels[l].dim];
    const int64_t extent = levels[l].size == 0 ? left : levels[l].size;
    packed.shape[levels.size() - 1 - l] = extent;
    inner[levels[l].dim] *= extent;
  }
  return packed;
}

Result<Tensor> PackConstant(const Task& task, const Trace& trace, size_t index,
                            const Tensor& constant) {
  ASSIGN_OR_RETURN(Tensor natural,
                   PrepareConstant(task, AlgorithmOptionsOf(trace.directives), index, constant));
  const std::vector<PackLevel> levels = PackedLayoutOf(task, trace, index);
  if (levels.empty()) return natural;
  ASSIGN_OR_RETURN(const TensorType packed_type, PackedType(task, trace, index));
  Tensor packed(packed_type);
  const Shape& outermost_first = packed.shape();
  PackedOrder order(levels, {outermost_first.rbegin(), outermost_first.rend()}, natural.shape());
  const int64_t element = SizeOf(natural.dtype());
  for (int64_t i = 0; i < packed.count(); i += outermost_first.back()) {
    CopyStrided(packed.bytes() + i * element, natural.bytes() + order.offset() * element,
                order.RunLength(), order.RunStride() * element, element);
    order.Next();
  }
  return packed;
}

}  // namespace whet
