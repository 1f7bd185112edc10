#include "search/check_job.h"

#include <cstring>
#include <filesystem>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "runtime/scratch_allocator.h"
#include "search/kernel_run.h"
#include "search/kernel_threads.h"
#include "search/made_up_inputs.h"
#include "search/measure_job.h"
#include "search/reference_data.h"

namespace whet {
namespace {

// What memory holds before a run: NaN in every float type and -1, then an ordinary number, then
// NaN again.
constexpr uint8_t kPoison[] = {0xFF, 0x3D, 0xFF};

// Leaves bytes of `pattern` where the kernel's stack frame will be.
__attribute__((noinline)) void DirtyStack(uint8_t pattern) {
  volatile uint8_t frame[64 << 10];
  for (volatile uint8_t& byte : frame) byte = pattern;
}

// The first run that is wrong, or the last one. Runs need not agree to the last bit: where tiles
// overlap at an edge, two threads may compute one element in different ways.
Measurement RunAndCompare(KernelRun& run, const Expected& expected) {
  Measurement measurement;
  for (const uint8_t pattern : kPoison) {
    PoisonScratch(pattern);
    run.PoisonOutput(pattern);
    DirtyStack(pattern);
    run.Run();
    measurement = run.Check(expected);
    if (!measurement.ok()) break;
  }
  return measurement;
}

Result<Json> Check(const Json& payload, JobContext& context) {
  ASSIGN_OR_RETURN(const auto task_json, Field<Json>(payload, "task"));
  ASSIGN_OR_RETURN(const auto trace_json, Field<Json>(payload, "trace"));
  ASSIGN_OR_RETURN(const auto object, Field<std::string>(payload, "object"));
  ASSIGN_OR_RETURN(const auto symbol, Field<std::string>(payload, "symbol"));
  ASSIGN_OR_RETURN(const auto threads, Field<int>(payload, "threads"));
  ASSIGN_OR_RETURN(const Task task, Task::FromJson(task_json));
  ASSIGN_OR_RETURN(const Trace trace, Trace::FromJson(trace_json));
  const std::string library = object + ".check.so";
  RETURN_IF_ERROR(LinkSharedObject({object}, library, {.own_group = false}));

  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MakeInputs(task));
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  ASSIGN_OR_RETURN(const Expected expected, ExpectedOf(task, pointers));

  UseKernelThreads(threads);
  const auto read = [&](size_t index, void* into, size_t bytes) -> Status {
    std::memcpy(into, inputs[index].bytes(), bytes);
    return {};
  };
  const auto run = KernelRun::Prepare(task, trace, library, symbol, read, context);
  std::error_code ignored;
  std::filesystem::remove(library, ignored);  // loaded, or of no use
  if (!run) return tl::unexpected<Error>(run.error());
  return MeasureAnswer({RunAndCompare(**run, expected)});
}

}  // namespace

void AddCheckHandler(WorkerHandlers* handlers) { handlers->jobs["check"] = Check; }

Job MakeCheckJob(const CheckRequest& request) {
  constexpr double kLeastS = 20, kReferenceFlopsPerS = 1e8;  // a tenth of what references do
  Job job;
  job.kind = "check";
  job.payload = Json{{"task", request.task.ToJson()},
                     {"trace", request.trace.ToJson()},
                     {"object", request.object_path},
                     {"symbol", request.symbol},
                     {"threads", request.threads}};
  job.timeout_ms =
      static_cast<int64_t>(1e3 * (kLeastS + request.task.Flops() / kReferenceFlopsPerS));
  return job;
}

}  // namespace whet
