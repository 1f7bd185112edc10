// What the machine can do at most, to show a kernel's rate as a share of it.
//
// Measured, since neither the clock that all cores hold under vector work nor the number of
// multiply-add units can be read off the system.
// Thread safety: those of the thread pool.
#pragma once

#include <string>

namespace whet {

// GFLOP/s of single-precision multiply-adds (two operations each) in registers, by all threads of
// the pool at once, with an instruction set as targets name it; the CPU must have it. The best of
// some short bursts, while the threads have cores of their own if that is to be had: about 10 ms,
// 50 at most. 0 for an instruction set that this is not written for.
double MeasurePeakGflops(const std::string& isa);

}  // namespace whet
