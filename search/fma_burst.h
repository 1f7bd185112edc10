// Multiply-adds in registers, and nothing else: work whose rate only the cores' own limits set.
//
// Twelve independent chains cover a multiply-add's latency, so that a second thread on the same
// core finds no multiplier free: two bursts on one core take twice as long as on two.
// Thread safety: pure functions.
#pragma once

#include <string>

#include "runtime/thread_pool.h"

namespace whet {

struct FmaBurst {
  ParallelTask work = nullptr;        // its context: const int*, the steps of the burst
  int lanes = 0;                      // of a vector
  static constexpr int kChains = 12;  // vectors that each step multiplies and adds to
};

// In single precision with an instruction set as targets name it, which the CPU must have. No work
// for one that this is not written for.
FmaBurst BurstOf(const std::string& isa);

// With what this CPU has, but for the widest vectors, which may slow its clock down; in plain C++
// on other kinds of CPUs.
FmaBurst BurstHere();

}  // namespace whet
