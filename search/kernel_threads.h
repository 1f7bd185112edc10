// The thread pool of a child that runs kernels, as an executor would have it.
#pragma once

namespace whet {

// Gives the pool `threads` threads. The pool binds its worker i to the i-th allowed CPU; the
// caller, which takes part, gets the first one where there are enough. Thread safety: call it
// before the first kernel, from the thread that runs them.
void UseKernelThreads(int threads);

}  // namespace whet
