#include "codegen/target.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

namespace whet {
namespace {

struct Isa {
  const char* halide_features;
  int vector_bytes, vector_registers;
};

const std::map<std::string, Isa>& Isas() {
  static const std::map<std::string, Isa> isas = {
      {"sse41", {"sse41", 16, 16}},
      {"avx2", {"sse41-avx-f16c-fma-avx2", 32, 16}},
      {"avx512", {"sse41-avx-f16c-fma-avx2-avx512-avx512_skylake", 64, 32}},
      {"avx512_vnni",
       {"sse41-avx-f16c-fma-avx2-avx512-avx512_skylake-avx512_cannonlake-avx512_zen4", 64, 32}},
  };
  return isas;
}

std::string HostIsa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool skylake = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (skylake) return "avx512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
#endif
  return "sse41";
}

// Size of a data or unified cache of the first CPU, from sysfs; `fallback` where the system does
// not say.
int64_t CacheBytes(int level, int64_t fallback) {
  for (int index = 0; index < 8; ++index) {
    const std::string dir =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream level_file(dir + "level"), type_file(dir + "type"), size_file(dir + "size");
    int found = 0;
    std::string type, size;
    if (!(level_file >> found) || !(type_file >> type) || !(size_file >> size)) continue;
    if (found != level || type == "Instruction") continue;
    const int64_t number = std::atoll(size.c_str());
    return number * (size.back() == 'M' ? 1 << 20 : size.back() == 'K' ? 1 << 10 : 1);
  }
  return fallback;
}

}  // namespace

std::string Target::ToString() const {
  return arch + "-" + os + "-" + isa + "-" + std::to_string(threads) + "t";
}

Result<Target> Target::Parse(const std::string& text) {
  static const std::string kAccepts =
      "expected x86-64-linux-ISA-Nt with ISA one of sse41, avx2, avx512, avx512_vnni and N "
      "threads, as in "
      "x86-64-linux-avx512-2t, or \"host\"";
  if (text == "host") return Host(0);
  const std::string prefix = "x86-64-linux-";
  const size_t dash = text.rfind('-');
  if (text.rfind(prefix, 0) != 0 || dash == std::string::npos || dash <= prefix.size() ||
      text.back() != 't') {
    return Fail(ErrorCode::kInvalidInput, "target '{}': {}", text, kAccepts);
  }
  Target target{"x86-64", "linux", text.substr(prefix.size(), dash - prefix.size()), 0};
  const std::string number = text.substr(dash + 1, text.size() - dash - 2);
  if (!number.empty() && number.size() < 5 &&
      number.find_first_not_of("0123456789") == std::string::npos)
    target.threads = std::atoi(number.c_str());
  if (Isas().count(target.isa) == 0 || target.threads < 1) {
    return Fail(ErrorCode::kInvalidInput, "target '{}': {}", text, kAccepts);
  }
  return target;
}

Target Target::Host(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return {"x86-64", "linux", HostIsa(), threads};
}

Result<MachineModel> Target::Machine() const {
  const auto isa_row = Isas().find(isa);
  if (isa_row == Isas().end())
    return Fail(ErrorCode::kInvalidInput, "target '{}': unknown ISA", ToString());
  MachineModel machine;
  machine.threads = threads;
  machine.vector_bytes = isa_row->second.vector_bytes;
  machine.vector_registers = isa_row->second.vector_registers;
  if (isa == HostIsa()) {
    machine.l1_bytes = CacheBytes(1, machine.l1_bytes);
    machine.l2_bytes = CacheBytes(2, machine.l2_bytes);
    machine.l3_bytes = CacheBytes(3, machine.l3_bytes);
  }
  return machine;
}

std::string Target::HalideTarget() const {
  return "x86-64-linux-" + std::string(Isas().at(isa).halide_features) +
         "-no_runtime-no_asserts-no_bounds_query";
}

std::string LargestIsaHere() {
#if defined(__x86_64__)
  // Beyond "avx512", what Halide's features of that name (Isas, above) let the compiler use.
  if (HostIsa() == "avx512" && __builtin_cpu_supports("avx512vnni") &&
      __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512ifma") &&
      __builtin_cpu_supports("avx512vbmi"))
    return "avx512_vnni";
#endif
  return HostIsa();
}

Status CheckRunsOn(const Target& target, const std::string& isa) {
  constexpr const char* kEachHasTheOneBefore[] = {"sse41", "avx2", "avx512", "avx512_vnni"};
  const auto rank = [&](const std::string& name) {
    return std::find(std::begin(kEachHasTheOneBefore), std::end(kEachHasTheOneBefore), name);
  };
  if (rank(target.isa) <= rank(isa)) return {};
  return Fail(ErrorCode::kUnsupported,
              "target {}: this machine has {} and cannot run its kernels, so that nothing can be "
              "measured; name a target that it can run, or host",
              target.ToString(), isa);
}

}  // namespace whet
