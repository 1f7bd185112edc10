#include "codegen/build_job.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>
#include <filesystem>

#include "codegen/kernel_compiler.h"
#include "codegen/target.h"
#include "schedules/sketch.h"

namespace whet {
namespace {

// A compile allocates and frees millions of small nodes in a process that ends with it: what is
// free stays in the heap, which grows in large steps, the first one of huge pages where the system
// has them: a page fault costs some 2 us on a virtual machine.
void KeepMemory() {
  constexpr size_t kHeapBytes = 64 << 20;
  constexpr uintptr_t kHugePage = 2 << 20;
  mallopt(M_TOP_PAD, static_cast<int>(kHeapBytes));
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  void* block = std::malloc(kHeapBytes);
  const auto address = reinterpret_cast<uintptr_t>(block);
  const uintptr_t begin = (address + kHugePage - 1) / kHugePage * kHugePage;
  if (block != nullptr)
    madvise(reinterpret_cast<void*>(begin), kHeapBytes - kHugePage, MADV_HUGEPAGE);
  std::free(block);
}

Result<Json> Build(const Json& payload, JobContext&) {
  ASSIGN_OR_RETURN(const auto task_json, Field<Json>(payload, "task"));
  ASSIGN_OR_RETURN(const auto trace_json, Field<Json>(payload, "trace"));
  ASSIGN_OR_RETURN(const auto kernel_name, Field<std::string>(payload, "kernel_name"));
  ASSIGN_OR_RETURN(auto object_path, Field<std::string>(payload, "object_path"));
  ASSIGN_OR_RETURN(const auto library_path, Field<std::string>(payload, "library_path"));
  ASSIGN_OR_RETURN(const Task task, Task::FromJson(task_json));
  ASSIGN_OR_RETURN(const Trace trace, Trace::FromJson(trace_json));
  KeepMemory();
  const bool keep_object = !object_path.empty();
  if (!keep_object) object_path = library_path + ".o";
  RETURN_IF_ERROR(CompileKernel(task, trace, kernel_name, {.object_path = object_path}));
  // The linker goes with the job when that is stopped.
  if (!library_path.empty())
    RETURN_IF_ERROR(LinkSharedObject({object_path}, library_path, {.own_group = false}));
  std::error_code ignored;
  if (!keep_object) std::filesystem::remove(object_path, ignored);
  return Json::object();
}

// Everything that a first compile loads and initialises: Halide, LLVM's target, the scheduler of
// instructions.
Status WarmUp(const std::string& scratch) {
  const Target target = Target::Host(1);
  ASSIGN_OR_RETURN(const Task task,
                   ParseTaskSpelling("MatMul(a=32x32,b=32x32)+Relu", target.ToString()));
  ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
  ASSIGN_OR_RETURN(const SketchSpace space, SketchSpace::Create(task, machine));
  const std::string object_path = scratch + "/warm_up.o";
  RETURN_IF_ERROR(
      CompileKernel(task, space.Default(), "whet_warm_up", {.object_path = object_path}));
  std::error_code ignored;
  std::filesystem::remove(object_path, ignored);
  return {};
}

}  // namespace

void AddBuildHandler(WorkerHandlers* handlers) {
  handlers->warm_up = WarmUp;
  handlers->jobs["build"] = Build;
}

Job MakeBuildJob(const KernelRequest& request, int64_t timeout_ms) {
  Job job;
  job.kind = "build";
  job.payload = Json{{"task", request.task.ToJson()},
                     {"trace", request.trace.ToJson()},
                     {"kernel_name", request.kernel_name},
                     {"object_path", request.object_path},
                     {"library_path", request.library_path}};
  job.timeout_ms = timeout_ms;
  return job;
}

}  // namespace whet
