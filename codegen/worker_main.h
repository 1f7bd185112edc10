// The worker: a process that forks one child a job and supervises it.
//
// It is the program itself, started with the hidden verb `_worker` and a socket as descriptor 3. It
// warms up once, starts no thread (a forked child has only the thread that forked), and serves jobs
// until its peer is gone, also when that was killed: then it kills its children, removes the
// scratch directory and ends.
//   frames in:  {"id", "kind", "payload", "timeout_ms", "memory_bytes"}, {"cancel": true}
//   frames out: {"ready": true} or {"ready": false, "message"}; then {"id", ..JobResult} in order
//   of completion
#pragma once

#include <string>

#include "codegen/worker_child.h"

namespace whet {

inline constexpr const char* kWorkerVerb = "_worker";
inline constexpr int kWorkerSocket = 3;

// Whether main() was started as a worker and must call WorkerMain before anything else.
bool IsWorkerInvocation(int argc, char** argv);

// PROGRAM _worker JOBS SCRATCH: at most JOBS children at once. Returns the exit status of the
// process.
int WorkerMain(int argc, char** argv, const WorkerHandlers& handlers);

// The same on any connected stream socket.
int RunWorker(int socket, int jobs, const std::string& scratch, const WorkerHandlers& handlers);

}  // namespace whet
