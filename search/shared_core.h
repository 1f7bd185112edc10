// Whether the CPUs of the thread pool are cores of their own at the moment.
//
// A virtual machine's two CPUs are, for milliseconds to seconds at a time, the two hyperthreads of
// one core: then everything that two threads compute takes exactly twice as long, steadily, and
// looks like a property of the candidate. Only the host can change that. It is sought with
// multiply-adds: work of another kind is slowed as much by a neighbour on the core that hardly
// slows kernels.
// Thread safety: those of the thread pool.
#pragma once

#include <chrono>

namespace whet {

// Time of multiply-adds by all threads of the pool at once over the time of as many by one: about 1
// on cores of their own, about 2 where two threads share one. Takes about 0.1 ms with workers
// awake; 1 for a pool of one thread.
double ParallelSlowdown();
inline constexpr double kSharedCoreSlowdown = 1.5;  // half way between the two

// Looks again until the threads have cores of their own, or the time is over. The last slowdown
// seen. It computes all the while, since sleeping makes it worse: after 2 to 50 ms of sleep,
// threads had cores of their own in 16 to 30 % of the looks, after as much work in 84 to 94 %.
double AwaitOwnCores(std::chrono::nanoseconds most);

}  // namespace whet
