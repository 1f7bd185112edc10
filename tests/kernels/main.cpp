// The kernel tests, and their worker.
#include <gtest/gtest.h>

#include "search/worker_handlers.h"

int main(int argc, char** argv) {
  if (whet::IsWorkerInvocation(argc, argv))
    return whet::WorkerMain(argc, argv, whet::AllWorkerHandlers());
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
