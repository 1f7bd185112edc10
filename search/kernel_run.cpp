#include "search/kernel_run.h"

#include <cstring>
#include <utility>

#include "codegen/kernel_compiler.h"
#include "runtime/halide_runtime.h"
#include "runtime/halide_type.h"
#include "search/measure_job.h"
#include "search/reference_data.h"

namespace whet {
namespace {

Json OverrunAnswer(const std::string& message) {
  Measurement measurement;
  measurement.status = MeasureStatus::kGuardOverrun;
  measurement.message = message;
  return MeasureAnswer({measurement});
}

}  // namespace

Result<std::unique_ptr<KernelRun>> KernelRun::Prepare(const Task& task, const Trace& trace,
                                                      const std::string& library,
                                                      const std::filesystem::path& data,
                                                      JobContext& context) {
  const auto read = [&](size_t index, void* into, size_t bytes) {
    return ReadBytes(InputFile(data, index), into, bytes);
  };
  return Prepare(task, trace, library, kCandidateKernel, read, context);
}

Result<std::unique_ptr<KernelRun>> KernelRun::Prepare(const Task& task, const Trace& trace,
                                                      const std::string& library,
                                                      const std::string& symbol,
                                                      const ReadInput& read, JobContext& context) {
  std::unique_ptr<KernelRun> run(new KernelRun);
  ASSIGN_OR_RETURN(run->library_, KernelLibrary::Open(library));
  ASSIGN_OR_RETURN(run->function_, run->library_->Find(symbol));
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const TaskInput& input = task.inputs[i];
    ASSIGN_OR_RETURN(const TensorType type,
                     input.constant ? PackedType(task, trace, i) : Result<TensorType>(input.type));
    RETURN_IF_ERROR(run->AddArgument(
        type, GuardedBuffer::Use::kInput,
        fmt::format("the kernel wrote to its input '{}' or ran far out of it", input.name),
        context));
    GuardedBuffer& memory = run->storage_.back()->memory;
    if (input.constant) {
      Tensor natural(input.type);
      RETURN_IF_ERROR(read(i, natural.bytes(), static_cast<size_t>(natural.size_bytes())));
      ASSIGN_OR_RETURN(const Tensor packed, PackConstant(task, trace, i, natural));
      std::memcpy(memory.data(), packed.bytes(), memory.size());
    } else {
      RETURN_IF_ERROR(read(i, memory.data(), memory.size()));
    }
    memory.MakeReadOnly();
  }
  ASSIGN_OR_RETURN(const TensorType output, task.OutputType());
  RETURN_IF_ERROR(run->AddArgument(output, GuardedBuffer::Use::kOutput,
                                   "the kernel ran out of its output and into the guard zone",
                                   context));
  run->storage_.back()->memory.FillWithNan();
  for (const auto& argument : run->storage_) run->arguments_.push_back(&argument->buffer);
  return run;
}

Status KernelRun::AddArgument(const TensorType& type, GuardedBuffer::Use use,
                              const std::string& overrun, JobContext& context) {
  ASSIGN_OR_RETURN(GuardedBuffer memory,
                   GuardedBuffer::Create(static_cast<size_t>(type.bytes()), use));
  const auto [region, region_bytes] = memory.Region();
  context.AnswerFaultsIn(region, region_bytes, OverrunAnswer(overrun));
  auto argument = std::make_unique<Argument>(Argument{std::move(memory), {}, {}});
  int64_t stride = 1;
  for (auto extent = type.shape.rbegin(); extent != type.shape.rend(); ++extent) {
    argument->dimensions.push_back(
        halide_dimension_t(0, static_cast<int32_t>(*extent), static_cast<int32_t>(stride)));
    stride *= *extent;
  }
  argument->buffer.host = argument->memory.data();
  argument->buffer.type = HalideType(type.dtype);
  argument->buffer.dimensions = static_cast<int32_t>(argument->dimensions.size());
  argument->buffer.dim = argument->dimensions.data();
  storage_.push_back(std::move(argument));
  return {};
}

void KernelRun::PoisonOutput(uint8_t pattern) {
  std::memset(output().data(), pattern, output().size());
}

Measurement KernelRun::Check(const Expected& expected) const {
  Measurement measurement;
  if (code_ != 0) {
    measurement.status = code_ == halide_error_code_out_of_memory ? MeasureStatus::kOutOfMemory
                                                                  : MeasureStatus::kRunCrash;
    const std::string said = TakeKernelError();
    measurement.message =
        fmt::format("the kernel returned error code {}{}{}", code_, said.empty() ? "" : ": ", said);
    return measurement;
  }
  if (const auto damage = output().Damage()) {
    measurement.status = MeasureStatus::kGuardOverrun;
    measurement.message = fmt::format("the kernel wrote outside of its output, {}", *damage);
    return measurement;
  }
  const Deviation deviation = CompareWithReference(expected, output().data());
  measurement.max_error = deviation.max_error;
  if (!deviation.ok()) {
    measurement.status = MeasureStatus::kWrongResult;
    measurement.message = ToString(deviation, expected);
  }
  return measurement;
}

}  // namespace whet
