// Targets: what a kernel is compiled for, spelled in one string that tasks and records carry.
//
// "x86-64-linux-avx512_skylake-2t": architecture, system, instruction set, threads. The Halide
// features that an instruction set means are listed in target.cpp. MachineModel figures for a
// foreign target are typical values; for the host they are read off the system.
#pragma once

#include <string>

#include "base/status.h"
#include "schedules/sketch.h"

namespace whet {

struct Target {
  std::string arch;  // "x86-64"
  std::string os;    // "linux"
  std::string isa;   // "sse41", "avx2", "avx512", "avx512_vnni"
  int threads = 1;
  std::string ToString() const;
  static Result<Target> Parse(const std::string& text);
  static Target Host(int threads);  // threads 0: one a core
  Result<MachineModel> Machine() const;
  // Halide's target string for kernels: no runtime, no asserts, no bounds query.
  std::string HalideTarget() const;
};

// The largest instruction set that this machine's CPU has. Target::Host never names "avx512_vnni".
std::string LargestIsaHere();
// Whether an x86-64 Linux machine with that instruction set runs kernels of `target`. kUnsupported
// if not, saying what it has.
Status CheckRunsOn(const Target& target, const std::string& isa);

}  // namespace whet
