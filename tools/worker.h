// The hidden verb `_worker`: the process that builds and measures candidates for another `whet`.
#pragma once

namespace whet {

// Call first in main(), before anything starts a thread: if this process was started as a worker,
// serves until its peer is gone, stores the exit status and returns true.
bool RunAsWorker(int argc, char** argv, int* exit_status);

}  // namespace whet
