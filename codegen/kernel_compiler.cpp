#include "codegen/kernel_compiler.h"

#include <Halide.h>

#include <map>
#include <string_view>

#include "base/version.h"
#include "codegen/packed_layout.h"
#include "codegen/target.h"
#include "codegen/transpose_loads.h"
#include "schedules/apply_halide.h"
#include "schedules/halide_algorithm.h"

#define WHET_TEXT(macro) WHET_LITERAL(macro)
#define WHET_LITERAL(text) #text
static_assert(std::string_view(whet::kHalideVersion) ==
                  WHET_TEXT(HALIDE_VERSION_MAJOR) "." WHET_TEXT(HALIDE_VERSION_MINOR) "." WHET_TEXT(
                      HALIDE_VERSION_PATCH),
              "base/version.h names the Halide that is compiled with");

namespace whet {
namespace {

Status CheckLayouts(const Task& task, const Trace& trace) {
  const AlgorithmOptions options = AlgorithmOptionsOf(trace.directives);
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    ASSIGN_OR_RETURN(const TensorType prepared, PreparedType(task, options, i));
    const Shape& shape = prepared.shape;
    for (const PackLevel& level : PackedLayoutOf(task, trace, i)) {
      if (level.dim < 0 || level.dim >= static_cast<int>(shape.size()) || level.size < 0) {
        return Fail(ErrorCode::kInvalidInput, "the packed layout of '{}' names dimension {} of {}",
                    task.inputs[i].name, level.dim, shape.size());
      }
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
    // Without metadata, which nothing reads: some milliseconds of a candidate's compile.
    Halide::Module module = Halide::Pipeline(algorithm.stages.back().func)
                                .compile_to_module(arguments, kernel_name, halide_target,
                                                   Halide::LinkageType::ExternalPlusArgv);
    TransposeLoads(machine.vector_bytes, &module);
    module.compile(files);
  } catch (const Halide::Error& e) {
    return Fail(ErrorCode::kFailed, "Halide: {}", e.what());
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kFailed, "compile: {}", e.what());
  }
  return {};
}

}  // namespace whet
