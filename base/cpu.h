// The CPU that this program runs on, and the instruction sets that kernels are compiled for: one
// table for tuning, bundles and benchmarks.
//
// Thread safety: pure functions; what the system says of the machine is taken not to change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whet {

struct CpuFeature {
  std::string_view name;  // "AVX-512 BF16"
  bool (*here)();         // whether this CPU has it
};

struct InstructionSet {
  std::string_view name;  // as targets spell it: "avx2"
  int vector_bytes = 16, vector_registers = 16;
  std::span<const CpuFeature> features;  // that it adds to the set before
};

// From the smallest to the largest: a CPU with one has all before it.
std::span<const InstructionSet> InstructionSets();
// nullptr: there is none of that name.
const InstructionSet* FindInstructionSet(std::string_view name);
// The first feature of the set, or of those before it, that this CPU lacks; "": it has all.
std::string_view MissingFeature(const InstructionSet& set);
// The largest set that this CPU has; the smallest where it has none.
const InstructionSet& LargestInstructionSet();

// As the system names it, "AMD EPYC 7B13"; "unknown CPU" where it does not.
std::string CpuName();
// Numbers of the CPUs that the calling thread may run on, ascending; none where the system does not
// say.
std::vector<int> AllowedCpus();
int AllowedCpuCount();  // at least 1

// Of a data or unified cache of the first CPU; nothing where the system does not say.
std::optional<int64_t> CacheBytes(int level);
int CpusSharingCache(int level);  // 1 where the system does not say

}  // namespace whet
