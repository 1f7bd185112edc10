// Builds many kernels at once in worker children: what the tuner does with candidates and `whet
// compile` with a network's tasks. Thread safety: that of the client.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codegen/build_job.h"
#include "codegen/worker.h"

namespace whet {

struct KernelBuild {
  explicit KernelBuild(JobResult result);

  JobStatus status = JobStatus::kOk;
  std::string message;    // one sentence; empty if ok
  double compile_ms = 0;  // life of the child, link included
  bool ok() const { return status == JobStatus::kOk; }
  // kFailed with the message unless ok.
  Status ToStatus() const;
};

// Builds the requests with as many children as the client has: WorkerClient::RunAll, whose
// requirements and errors these are. One result a request, in their order; a request that fails is
// a KernelBuild, no error.
Result<std::vector<KernelBuild>> BuildKernels(
    std::span<const KernelRequest> requests, WorkerClient& client, int64_t timeout_ms,
    const std::function<void(size_t done)>& progress = {});

}  // namespace whet
