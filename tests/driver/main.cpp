// The tests of driver/, and their worker (`_worker`), whose kernels may be spoilt.
#include <gtest/gtest.h>

#include "tests/driver/spoiling.h"

int main(int argc, char** argv) {
  if (whet::IsWorkerInvocation(argc, argv))
    return whet::WorkerMain(argc, argv, whet::SpoilingHandlers());
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
