// Whether the CPUs of the thread pool are cores of their own at the moment.
//
// A virtual machine's two CPUs are, for seconds at a time, the two hyperthreads of one core: then
// everything that two threads compute takes exactly twice as long, steadily, and looks like a
// property of the candidate. Only the host can change that; after a short sleep it often has.
// Thread safety: those of the thread pool.
#pragma once

namespace whet {

// Time of work done by all threads of the pool at once over the time of the same work done by one:
// about 1 on cores of their own, about 2 where two threads share one. Takes about half a
// millisecond; 1 for a pool of one thread.
double ParallelSlowdown();
inline constexpr double kSharedCoreSlowdown = 1.5;  // half way between the two

// Sleeps and looks again until the threads have cores of their own, or `most_tries` times. The last
// slowdown seen.
double AwaitOwnCores(int most_tries);

}  // namespace whet
