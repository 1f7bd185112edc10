#include "search/kernel_threads.h"

#include <pthread.h>
#include <sched.h>

#include "runtime/thread_pool.h"

namespace whet {

void UseKernelThreads(int threads) {
  SetThreadCount(threads);
  cpu_set_t allowed, first;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < threads) return;
  CPU_ZERO(&first);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_SET(cpu, &first);
    pthread_setaffinity_np(pthread_self(), sizeof(first), &first);
    return;
  }
}

}  // namespace whet
