#include "codegen/kernel_compiler.h"

#include <Halide.h>

#include <cstring>
#include <map>

#include "codegen/target.h"
#include "codegen/transpose_loads.h"
#include "schedules/apply_halide.h"
#include "schedules/halide_algorithm.h"

namespace whet {
namespace {

// Extents of the levels of a packed layout, innermost first, and the layout itself; empty: not
// packed.
std::vector<PackLevel> LayoutOf(const Task& task, const Trace& trace, size_t index) {
  if (!task.inputs[index].constant) return {};
  for (const Directive& d : trace.directives)
    if (d.kind == DirectiveKind::kPack && d.stage == task.inputs[index].name) return d.layout;
  return {};
}

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

Status CheckLayouts(const Task& task, const Trace& trace) {
  const AlgorithmOptions options = AlgorithmOptionsOf(trace.directives);
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    ASSIGN_OR_RETURN(const TensorType prepared, PreparedType(task, options, i));
    const Shape& shape = prepared.shape;
    std::vector<bool> seen(shape.size(), false);
    for (const PackLevel& level : LayoutOf(task, trace, i)) {
      if (level.dim < 0 || level.dim >= static_cast<int>(shape.size()) || level.size < 0) {
        return Fail(ErrorCode::kInvalidInput, "the packed layout of '{}' names dimension {} of {}",
                    task.inputs[i].name, level.dim, shape.size());
      }
      seen[level.dim] = true;
    }
  }
  return {};
}

}  // namespace

Status CompileKernel(const Task& task, const Trace& trace, const std::string& kernel_name,
                     const EmitRequest& emit) {
  ASSIGN_OR_RETURN(const Target target, Target::Parse(task.target));
  ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
  RETURN_IF_ERROR(CheckLayouts(task, trace));
  try {
    HalideAlgorithm algorithm = BuildHalideAlgorithm(task, AlgorithmOptionsOf(trace.directives));
    RETURN_IF_ERROR(ApplyHalide(trace.directives, &algorithm));
    const Halide::Target halide_target(target.HalideTarget());
    std::vector<Halide::Argument> arguments;
    for (const HalideInput& input : algorithm.inputs) arguments.push_back(input.param);
    std::map<Halide::OutputFileType, std::string> files;
    if (!emit.object_path.empty()) files[Halide::OutputFileType::object] = emit.object_path;
    if (!emit.stmt_path.empty()) files[Halide::OutputFileType::conceptual_stmt] = emit.stmt_path;
    if (!emit.assembly_path.empty()) files[Halide::OutputFileType::assembly] = emit.assembly_path;
    Halide::Module module =
        algorithm.stages.back().func.compile_to_module(arguments, kernel_name, halide_target);
    TransposeLoads(machine.vector_bytes, &module);
    module.compile(files);
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kFailed, "Halide: {}", e.what());
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kFailed, "compile: {}", e.what());
  }
  return {};
}

Result<TensorType> PackedType(const Task& task, const Trace& trace, size_t index) {
  ASSIGN_OR_RETURN(const TensorType natural,
                   PreparedType(task, AlgorithmOptionsOf(trace.directives), index));
  const std::vector<PackLevel> levels = LayoutOf(task, trace, index);
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
  ASSIGN_OR_RETURN(const Tensor natural,
                   PrepareConstant(task, AlgorithmOptionsOf(trace.directives), index, constant));
  const std::vector<PackLevel> levels = LayoutOf(task, trace, index);
  if (levels.empty()) return natural;
  ASSIGN_OR_RETURN(const TensorType packed_type, PackedType(task, trace, index));
  Tensor packed(packed_type);
  const Shape& shape = natural.shape();
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  const int64_t element = SizeOf(natural.dtype());
  const Shape& extents = packed.shape();  // outermost level first
  std::vector<int64_t> step(levels.size());
  std::vector<int64_t> inner(shape.size(), 1);
  for (size_t l = 0; l < levels.size(); ++l) {
    step[l] = inner[levels[l].dim];
    inner[levels[l].dim] *= extents[levels.size() - 1 - l];
  }
  // Runs along the innermost level; the others count like an odometer.
  const int run_dim = levels[0].dim;
  const int64_t run = extents.back(), run_stride = strides[run_dim] * step[0] * element;
  std::vector<int64_t> at(levels.size(), 0);  // innermost level first
  std::vector<int64_t> source(shape.size());
  for (int64_t i = 0; i < packed.count(); i += run) {
    std::fill(source.begin(), source.end(), 0);
    for (size_t l = 1; l < levels.size(); ++l) source[levels[l].dim] += at[l] * step[l];
    bool inside = true;
    int64_t offset = 0;
    for (size_t d = 0; d < shape.size(); ++d) {
      inside &= source[d] < shape[d];
      offset += source[d] * strides[d];
    }
    if (inside) {
      const int64_t left = (shape[run_dim] - source[run_dim] + step[0] - 1) / step[0];
      CopyStrided(packed.bytes() + i * element, natural.bytes() + offset * element,
                  std::min(run, left), run_stride, element);
    }
    for (size_t l = 1; l < levels.size(); ++l) {
      if (++at[l] < extents[levels.size() - 1 - l]) break;
      at[l] = 0;
    }
  }
  return packed;
}

}  // namespace whet
