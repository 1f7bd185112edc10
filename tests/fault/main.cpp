// The fault tests, their worker (`_worker`), and a program to be killed (`abandon FILE`).
#include <gtest/gtest.h>

#include <cstring>

#include "codegen/worker.h"
#include "handlers.h"

namespace {

// Leaves the ids of its worker and of a child that never ends in FILE, and the scratch directory in
// FILE.scratch.
int Abandon(const std::string& file) {
  auto client = whet::WorkerClient::Start({.jobs = 1});
  if (!client) return 1;
  const auto written = whet::WriteFileAtomically(file + ".scratch", (*client)->scratch().string());
  if (!written) return 1;
  whet::Job job;
  job.kind = "pids";
  job.payload = whet::Json{{"file", file}};
  job.timeout_ms = 600'000;
  (*client)->Submit(job);
  return (*client)->Wait() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (whet::IsWorkerInvocation(argc, argv))
    return whet::WorkerMain(argc, argv, whet::FaultHandlers());
  if (argc == 3 && std::strcmp(argv[1], "abandon") == 0) return Abandon(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
