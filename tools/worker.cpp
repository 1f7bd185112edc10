#include "tools/worker.h"

#include "search/worker_handlers.h"

namespace whet {

bool RunAsWorker(int argc, char** argv, int* exit_status) {
  if (!IsWorkerInvocation(argc, argv)) return false;
  *exit_status = WorkerMain(argc, argv, AllWorkerHandlers());
  return true;
}

}  // namespace whet
