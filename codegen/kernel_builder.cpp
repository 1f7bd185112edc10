#include "codegen/kernel_builder.h"

#include <utility>

namespace whet {

KernelBuild::KernelBuild(JobResult result)
    : status(result.status), message(std::move(result.message)), compile_ms(result.ms) {}

Status KernelBuild::ToStatus() const {
  if (ok()) return {};
  // Other than an error, the message has no subject: it tells how the child ended.
  const bool is_error = status == JobStatus::kError;
  return Fail(ErrorCode::kFailed, "{}{}", is_error ? "" : "the compiler ", message);
}

Result<std::vector<KernelBuild>> BuildKernels(std::span<const KernelRequest> requests,
                                              WorkerClient& client, int64_t timeout_ms,
                                              const std::function<void(size_t done)>& progress) {
  std::vector<Job> jobs;
  jobs.reserve(requests.size());
  for (const KernelRequest& request : requests) jobs.push_back(MakeBuildJob(request, timeout_ms));
  ASSIGN_OR_RETURN(std::vector<JobResult> results, client.RunAll(std::move(jobs), progress));
  std::vector<KernelBuild> builds;
  builds.reserve(results.size());
  for (JobResult& result : results) builds.emplace_back(std::move(result));
  return builds;
}

}  // namespace whet
