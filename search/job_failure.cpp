#include "search/job_failure.h"

#include <string>
#include <utility>

namespace whet {
namespace {

Measurement Failure(MeasureStatus status, std::string message) {
  Measurement measurement;
  measurement.status = status;
  measurement.message = std::move(message);
  return measurement;
}

}  // namespace

Measurement BuildFailure(const JobResult& result) {
  switch (result.status) {
    case JobStatus::kOk:
    case JobStatus::kError:
      return Failure(MeasureStatus::kCompileError, result.message);
    case JobStatus::kCrash:
      return Failure(MeasureStatus::kCompileCrash, "the compiler " + result.message);
    case JobStatus::kTimeout:
      return Failure(MeasureStatus::kCompileTimeout, "the compiler " + result.message);
    case JobStatus::kOutOfMemory:
      return Failure(MeasureStatus::kOutOfMemory, "the compiler " + result.message);
    case JobStatus::kWorkerLost:
      break;
  }
  return Failure(MeasureStatus::kWorkerLost, "the compiler " + result.message);
}

Measurement RunFailure(const JobResult& result) {
  switch (result.status) {
    case JobStatus::kOk:
    case JobStatus::kError:
      return Failure(MeasureStatus::kRunCrash, result.message);
    case JobStatus::kCrash:
      return Failure(MeasureStatus::kRunCrash, "the kernel " + result.message);
    case JobStatus::kTimeout:
      return Failure(MeasureStatus::kRunTimeout, "the kernel " + result.message);
    case JobStatus::kOutOfMemory:
      return Failure(MeasureStatus::kOutOfMemory, "the kernel " + result.message);
    case JobStatus::kWorkerLost:
      break;
  }
  return Failure(MeasureStatus::kWorkerLost, "the kernel " + result.message);
}

}  // namespace whet
