// How a loop is handed out: every thread has a shard, an equal part of the iterations, and takes
// them from its front; with none left there it takes those of the others' shards. The same loop run
// again, or the next one over the same rows, so finds its data in the cache of the core that left
// them there.
//
// A shard's ticket holds the loop's number in its high half and the next iteration in its low half.
// A thread takes an iteration by advancing the ticket from the value under which it read the loop's
// fields. The fields stay as they are until all iterations are done, and all tickets are closed
// while the next loop's are written, so a thread that comes late either takes part in the loop that
// it read, or fails and takes nothing. No worker has to report for a loop to end.
#include "runtime/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <mutex>
#include <vector>

#include "base/cpu.h"

namespace whet {
namespace {

constexpr std::chrono::microseconds kSpinTime{50};
constexpr int kPausesPerClockRead = 32;
constexpr int kMaxThreads = 1024;
constexpr uint64_t kIterationMask = 0xffffffff;
constexpr uint64_t kClosed = kIterationMask;  // above every iteration

thread_local bool inside_loop = false;

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// As they were when the process started: a thread that pinned itself since does not confine the
// workers to its own CPU.
const std::vector<int> allowed_cpus = AllowedCpus();

cpu_set_t SetOf(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) CPU_SET(cpu, &set);
  return set;
}

class Pool {
 public:
  // `abandoned`: the pool of the process that this one was forked from, or null.
  explicit Pool(int threads, const Pool* abandoned) : threads_(threads), abandoned_(abandoned) {}

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  void Resize(int threads) {
    const std::lock_guard lock(turn_);
    if (threads == threads_) return;
    Join();
    threads_ = threads;
  }

  int Run(int begin, int count, ParallelTask task, void* context) {
    const std::lock_guard lock(turn_);
    if (workers_.empty()) Spawn();
    KeepApart();
    const uint64_t loop = loop_.load(std::memory_order_relaxed) + 1;
    for (Shard& shard : shards_)
      shard.ticket.store(loop << 32 | kClosed, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);  // with the one in TakeFrom
    begin_.store(begin, std::memory_order_relaxed);
    count_.store(count, std::memory_order_relaxed);
    task_.store(task, std::memory_order_relaxed);
    context_.store(context, std::memory_order_relaxed);
    result_.store(0, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    for (size_t s = 0; s < shards_.size(); ++s)
      shards_[s].ticket.store(loop << 32 | ShardBegin(s, count), std::memory_order_release);
    // Sequentially consistent, as are a worker's steps into sleep: one of the two sees the other.
    loop_.store(loop);
    WakeSleepers(count - 1);
    inside_loop = true;
    TakeIterations(0);
    inside_loop = false;
    AwaitDone(count);
    return result_.load(std::memory_order_relaxed);
  }

  // Joins the workers unless a loop is running: for the end of the program.
  void JoinIfIdle() {
    if (inside_loop || !turn_.try_lock()) return;
    Join();
    turn_.unlock();
  }

 private:
  struct alignas(64) Shard {                // on a cache line of its own
    std::atomic<uint64_t> ticket{kClosed};  // the last loop's fields are those of other shards
  };

  // Where the shard begins; that of the one after the last: `count`.
  uint64_t ShardBegin(size_t shard, int count) const {
    return shard * static_cast<uint64_t>(count) / shards_.size();
  }

  // Workers start with the first loop: a program that only asks for threads may still fork.
  void Spawn() {
    enough_cpus_ = allowed_cpus.size() >= static_cast<size_t>(threads());
    // More threads than CPUs: whoever spins keeps another thread from its work.
    spin_ = enough_cpus_ ? kSpinTime : std::chrono::microseconds(0);
    stop_ = false;
    caller_cpu_ = sched_getcpu();
    shards_ = std::vector<Shard>(static_cast<size_t>(threads()));
    next_worker_ = 1;
    for (int i = 0; i + 1 < threads(); ++i) {
      // A worker has its CPU before it runs. One that began on the caller's and then moved was late
      // by a time slice: 4 ms, of measurements that last 20.
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      const cpu_set_t cpus = CpusOfWorker(i);
      pthread_attr_setaffinity_np(&attributes, sizeof(cpus), &cpus);
      pthread_t worker;
      const int failed = pthread_create(&worker, &attributes, &Pool::Enter, this);
      pthread_attr_destroy(&attributes);
      if (failed)
        return;  // the system gives no more threads: the loops run on those that there are
      workers_.push_back(worker);
    }
  }

  static void* Enter(void* context) {
    Pool* const pool = static_cast<Pool*>(context);
    pool->Work(pool->next_worker_.fetch_add(1));
    return nullptr;
  }

  // One of the CPUs that the caller is not on; all allowed ones where there are too few.
  cpu_set_t CpusOfWorker(int index) const {
    if (!enough_cpus_) return SetOf(allowed_cpus);
    for (int cpu : allowed_cpus)
      if (cpu != caller_cpu_ && index-- == 0) return SetOf({cpu});
    return SetOf(allowed_cpus);
  }

  // The system may have moved the caller to a worker's CPU, and leaves it there for long: both at
  // half the speed. Then the workers go elsewhere.
  void KeepApart() {
    const int here = sched_getcpu();
    if (here == caller_cpu_ || !enough_cpus_) return;
    caller_cpu_ = here;
    for (size_t i = 0; i < workers_.size(); ++i) {
      const cpu_set_t cpus = CpusOfWorker(static_cast<int>(i));
      pthread_setaffinity_np(workers_[i], sizeof(cpus), &cpus);
    }
  }

  void Join() {
    stop_ = true;
    wake_.fetch_add(1);
    wake_.notify_all();
    for (pthread_t worker : workers_) pthread_join(worker, nullptr);
    workers_.clear();
  }

  void Work(size_t own_shard) {
    inside_loop = true;
    uint64_t seen = 0;  // the last loop that has nothing left for this thread
    while (!stop_) {
      const uint64_t loop = loop_.load(std::memory_order_acquire);
      TakeIterations(own_shard);
      seen = loop;
      if (SpinForLoopAfter(seen)) continue;
      sleepers_.fetch_add(1);
      const int wake = wake_.load();
      if (loop_.load() == seen && !stop_) wake_.wait(wake);
      sleepers_.fetch_sub(1);
    }
  }

  bool SpinForLoopAfter(uint64_t seen) const {
    const auto end = std::chrono::steady_clock::now() + spin_;
    do {
      for (int i = 0; i < kPausesPerClockRead; ++i) {
        if (loop_.load(std::memory_order_relaxed) != seen || stop_.load(std::memory_order_relaxed))
          return true;
        Pause();
      }
    } while (std::chrono::steady_clock::now() < end);
    return false;
  }

  void WakeSleepers(int wanted) {
    const int sleepers = sleepers_.load();
    if (sleepers == 0) return;
    wake_.fetch_add(1);
    if (wanted >= sleepers) {
      wake_.notify_all();
    } else {
      for (int i = 0; i < wanted; ++i) wake_.notify_one();
    }
  }

  void TakeIterations(size_t own_shard) {
    int taken = 0, count = 0;
    for (size_t i = 0; i < shards_.size(); ++i)
      taken += TakeFrom((own_shard + i) % shards_.size(), &count);
    // A loop whose iterations were taken here cannot have ended before they are counted.
    if (taken > 0 && done_.fetch_add(taken, std::memory_order_acq_rel) + taken == count)
      done_.notify_all();
  }

  // Runs what is left in a shard. The number of iterations; `loop_count` becomes that of the loop
  // if there were any.
  int TakeFrom(size_t shard, int* loop_count) {
    std::atomic<uint64_t>& at = shards_[shard].ticket;
    int taken = 0;
    uint64_t ticket = at.load(std::memory_order_acquire);
    while (true) {
      const int count = count_.load(std::memory_order_relaxed);
      const int begin = begin_.load(std::memory_order_relaxed);
      const ParallelTask task = task_.load(std::memory_order_relaxed);
      void* const context = context_.load(std::memory_order_relaxed);
      const uint64_t index = ticket & kIterationMask;
      if (index >= ShardBegin(shard + 1, count)) break;
      std::atomic_thread_fence(std::memory_order_acquire);
      if (!at.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
        continue;  // with the ticket as it is now
      }
      ++taken;
      *loop_count = count;
      // After a failure the rest of the loop is only counted.
      if (result_.load(std::memory_order_relaxed) == 0) {
        if (const int result = task(context, begin + static_cast<int>(index)); result != 0) {
          int none = 0;
          result_.compare_exchange_strong(none, result);
        }
      }
      ticket = at.load(std::memory_order_acquire);
    }
    return taken;
  }

  void AwaitDone(int count) const {
    const auto end = std::chrono::steady_clock::now() + spin_;
    int done = done_.load(std::memory_order_acquire);
    for (int i = 1; done != count; ++i) {
      if (i % kPausesPerClockRead == 0 && std::chrono::steady_clock::now() >= end) {
        done_.wait(done, std::memory_order_acquire);
      } else {
        Pause();
      }
      done = done_.load(std::memory_order_acquire);
    }
  }

  std::mutex turn_;  // held for a whole loop; guards workers_
  std::vector<pthread_t> workers_;
  std::atomic<int> threads_;
  [[maybe_unused]] const Pool* abandoned_;  // keeps it reachable for leak checkers
  std::chrono::microseconds spin_{0};
  bool enough_cpus_ = false;
  int caller_cpu_ = -1;  // workers are bound to others
  std::atomic<bool> stop_{false};

  // The loop: written by its caller before the ticket.
  std::atomic<int> begin_{0}, count_{0};
  std::atomic<ParallelTask> task_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<int> result_{0};

  std::vector<Shard> shards_;  // one a thread, the caller's first
  std::atomic<size_t> next_worker_{1};

  // Each on its own cache line: workers spin on the loop's number while others count what is done.
  alignas(64) std::atomic<uint64_t> loop_{0};
  alignas(64) std::atomic<int> done_{0};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<int> wake_{0};
};

// Made once a process and never destroyed: threads may outlive static destructors.
std::atomic<Pool*> the_pool{nullptr};

// The threads of the parent do not exist in a forked child: it starts with a pool of its own. The
// parent's is left alone, since its mutex may be held by a thread that is gone.
void ReplacePoolInChild() {
  if (const Pool* parent = the_pool.load()) the_pool = new Pool(parent->threads(), parent);
}

Pool& ThePool() {
  [[maybe_unused]] static const bool made = [] {
    the_pool = new Pool(1, nullptr);
    return pthread_atfork(nullptr, nullptr, ReplacePoolInChild) == 0;
  }();
  return *the_pool.load(std::memory_order_acquire);
}

// At exit and when a shared object with this pool is unloaded: no worker may run on in code that is
// gone.
__attribute__((destructor)) void JoinWorkersAtUnload() {
  if (Pool* pool = the_pool.load()) pool->JoinIfIdle();
}

}  // namespace

int ParallelFor(int begin, int count, ParallelTask task, void* context) {
  Pool& pool = ThePool();
  if (count > 1 && !inside_loop && pool.threads() > 1) return pool.Run(begin, count, task, context);
  for (int i = 0; i < count; ++i) {
    if (const int result = task(context, begin + i); result != 0) return result;
  }
  return 0;
}

void SetThreadCount(int threads) {
  assert(!inside_loop);
  ThePool().Resize(std::clamp(threads, 1, kMaxThreads));
}

int ThreadCount() { return ThePool().threads(); }

}  // namespace whet
