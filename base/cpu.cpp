#include "base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace whet {
namespace {

#if defined(__x86_64__)
// The compiler's builtin takes a literal.
#define WHET_CPU_FEATURE(name, builtin_name)                       \
  CpuFeature {                                                     \
    name, [] { return __builtin_cpu_supports(builtin_name) != 0; } \
  }
constexpr bool kIsX86 = true;
#else
#define WHET_CPU_FEATURE(name, builtin_name) \
  CpuFeature {                               \
    name, [] { return false; }               \
  }
constexpr bool kIsX86 = false;
#endif

// What Halide's features of the set (codegen/target.cpp) let the compiler use.
constexpr std::array kSse41 = {WHET_CPU_FEATURE("SSE4.1", "sse4.1")};
constexpr std::array kAvx2 = {WHET_CPU_FEATURE("AVX2", "avx2"), WHET_CPU_FEATURE("FMA", "fma"),
                              WHET_CPU_FEATURE("F16C", "f16c")};
constexpr std::array kAvx512 = {
    WHET_CPU_FEATURE("AVX-512F", "avx512f"), WHET_CPU_FEATURE("AVX-512CD", "avx512cd"),
    WHET_CPU_FEATURE("AVX-512BW", "avx512bw"), WHET_CPU_FEATURE("AVX-512DQ", "avx512dq"),
    WHET_CPU_FEATURE("AVX-512VL", "avx512vl")};
constexpr std::array kAvx512Vnni = {WHET_CPU_FEATURE("AVX-512 VNNI", "avx512vnni"),
                                    WHET_CPU_FEATURE("AVX-512 BF16", "avx512bf16"),
                                    WHET_CPU_FEATURE("AVX-512 IFMA", "avx512ifma"),
                                    WHET_CPU_FEATURE("AVX-512 VBMI", "avx512vbmi"),
                                    WHET_CPU_FEATURE("AVX-512 VBMI2", "avx512vbmi2"),
                                    WHET_CPU_FEATURE("AVX-512 BITALG", "avx512bitalg")};
#undef WHET_CPU_FEATURE

constexpr std::array kInstructionSets = {
    InstructionSet{"sse41", 16, 16, kSse41}, InstructionSet{"avx2", 32, 16, kAvx2},
    InstructionSet{"avx512", 64, 32, kAvx512}, InstructionSet{"avx512_vnni", 64, 32, kAvx512Vnni}};

constexpr const char* kCacheFolder = "/sys/devices/system/cpu/cpu0/cache/index";
constexpr int kMostCaches = 8;

// The folder of the first CPU's data or unified cache of a level; "": the system does not say.
std::string FolderOfCache(int level) {
  for (int index = 0; index < kMostCaches; ++index) {
    const std::string folder = kCacheFolder + std::to_string(index) + "/";
    std::ifstream level_file(folder + "level"), type_file(folder + "type");
    int found = 0;
    std::string type;
    if ((level_file >> found) && (type_file >> type) && found == level && type != "Instruction")
      return folder;
  }
  return "";
}

// CPUs of a list as the system writes it: "0-1,8-9".
int CountCpus(const std::string& list) {
  int count = 0;
  size_t at = 0;
  while (at < list.size()) {
    char* end = nullptr;
    const long first = std::strtol(list.c_str() + at, &end, 10);
    long last = first;
    if (*end == '-') last = std::strtol(end + 1, &end, 10);
    count += static_cast<int>(std::max(0L, last - first + 1));
    at = static_cast<size_t>(end - list.c_str()) + 1;
  }
  return count;
}

}  // namespace

std::span<const InstructionSet> InstructionSets() { return kInstructionSets; }

const InstructionSet* FindInstructionSet(std::string_view name) {
  const auto it = std::find_if(kInstructionSets.begin(), kInstructionSets.end(),
                               [&](const InstructionSet& set) { return set.name == name; });
  return it == kInstructionSets.end() ? nullptr : &*it;
}

std::string_view MissingFeature(const InstructionSet& set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  for (const InstructionSet& smaller : kInstructionSets) {
    for (const CpuFeature& feature : smaller.features)
      if (!feature.here()) return feature.name;
    if (smaller.name == set.name) break;
  }
  return "";
}

const InstructionSet& LargestInstructionSet() {
  const InstructionSet* largest = &kInstructionSets.front();
  for (const InstructionSet& set : kInstructionSets)
    if (kIsX86 && MissingFeature(set).empty()) largest = &set;
  return *largest;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown CPU";
}

std::vector<int> AllowedCpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

int AllowedCpuCount() {
  const auto count = static_cast<int>(AllowedCpus().size());
  return std::max(1, count > 0 ? count : static_cast<int>(std::thread::hardware_concurrency()));
}

std::optional<int64_t> CacheBytes(int level) {
  const std::string folder = FolderOfCache(level);
  std::ifstream file(folder + "size");
  std::string size;
  if (folder.empty() || !(file >> size)) return std::nullopt;
  return std::atoll(size.c_str()) * (size.back() == 'M'   ? 1 << 20
                                     : size.back() == 'K' ? 1 << 10
                                                          : 1);
}

int CpusSharingCache(int level) {
  const std::string folder = FolderOfCache(level);
  std::ifstream file(folder + "shared_cpu_list");
  std::string cpus;
  if (folder.empty() || !(file >> cpus)) return 1;
  return std::max(1, CountCpus(cpus));
}

}  // namespace whet
