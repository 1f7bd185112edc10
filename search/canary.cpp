#include "search/canary.h"

#include "schedules/sketch.h"

namespace whet {
namespace {

// Vectors, a tail of them, and loops on several threads.
constexpr const char* kCanary = "MatMul(a=40x33,b=33x72)+Relu";

}  // namespace

Status RunCanary(const Target& target, ProcessMeasurer& measurer) {
  ASSIGN_OR_RETURN(const Task task, ParseTaskSpelling(kCanary, target.ToString()));
  ASSIGN_OR_RETURN(const MachineModel machine, target.Machine());
  ASSIGN_OR_RETURN(const SketchSpace space, SketchSpace::Create(task, machine));
  ASSIGN_OR_RETURN(const Measurement measurement, measurer.TryMachine(task, space.Default()));
  if (measurement.ok()) return {};
  return Fail(
      ErrorCode::kUnsupported,
      "target {}: a small kernel ({}) does not work on this machine, so that nothing can be "
      "measured: {}: {}",
      target.ToString(), kCanary, Name(measurement.status), measurement.message);
}

}  // namespace whet
