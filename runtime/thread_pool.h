// The thread pool that every kernel runs on: tuner, executor and bundle alike.
//
// A parallel loop costs a kernel of ten microseconds dearly, so workers spin for a while (about 50
// us of idle time) before they sleep, and the calling thread takes part. Every thread begins with
// an equal part of the iterations, the same part of every loop of that length, so that it finds in
// its core's caches what it left there; then it helps the others. A parallel loop inside a parallel
// loop runs serially on its thread. Thread safety: ParallelFor may be called from any thread; calls
// from several threads take turns.
#pragma once

#include <cstdint>

namespace whet {

// Runs task(context, i) for i in [begin, begin + count). Returns the first non-zero result of a
// task, or 0.
using ParallelTask = int (*)(void* context, int index);
int ParallelFor(int begin, int count, ParallelTask task, void* context);

// Threads that parallel loops use, the caller included. Before the first loop: 1. Resizing joins
// the old workers; it must not run inside a parallel loop. Each worker is bound to one of the
// allowed CPUs that the thread which starts a loop is not on, and moves away when that thread
// comes.
void SetThreadCount(int threads);
int ThreadCount();

}  // namespace whet
