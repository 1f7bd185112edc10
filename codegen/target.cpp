#include "codegen/target.h"

#include <cstdlib>
#include <map>

#include "base/cpu.h"

namespace whet {
namespace {

// Halide's features of each instruction set of base/cpu.h, whose table says what they use.
const std::map<std::string, std::string, std::less<>>& HalideFeatures() {
  static const std::map<std::string, std::string, std::less<>> features = {
      {"sse41", "sse41"},
      {"avx2", "sse41-avx-f16c-fma-avx2"},
      {"avx512", "sse41-avx-f16c-fma-avx2-avx512-avx512_skylake"},
      {"avx512_vnni",
       "sse41-avx-f16c-fma-avx2-avx512-avx512_skylake-avx512_cannonlake-avx512_zen4"},
  };
  return features;
}

// What the host's kernels use: of AVX-512, what all CPUs that have it have.
std::string HostIsa() {
  const std::string_view largest = LargestInstructionSet().name;
  return std::string(largest == "avx512_vnni" ? "avx512" : largest);
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
  if (FindInstructionSet(target.isa) == nullptr || target.threads < 1) {
    return Fail(ErrorCode::kInvalidInput, "target '{}': {}", text, kAccepts);
  }
  return target;
}

Target Target::Host(int threads) {
  if (threads <= 0) threads = AllowedCpuCount();
  return {"x86-64", "linux", HostIsa(), threads};
}

Result<MachineModel> Target::Machine() const {
  const InstructionSet* set = FindInstructionSet(isa);
  if (set == nullptr) return Fail(ErrorCode::kInvalidInput, "target '{}': unknown ISA", ToString());
  MachineModel machine;
  machine.threads = threads;
  machine.vector_bytes = set->vector_bytes;
  machine.vector_registers = set->vector_registers;
  if (isa == HostIsa()) {
    machine.l1_bytes = CacheBytes(1).value_or(machine.l1_bytes);
    machine.l2_bytes = CacheBytes(2).value_or(machine.l2_bytes);
    machine.l3_bytes = CacheBytes(3).value_or(machine.l3_bytes);
  }
  return machine;
}

std::string Target::HalideTarget() const {
  return "x86-64-linux-" + HalideFeatures().at(isa) + "-no_runtime-no_asserts-no_bounds_query";
}

std::string LargestIsaHere() { return std::string(LargestInstructionSet().name); }

Status CheckRunsOn(const Target& target, const std::string& isa) {
  const InstructionSet *wanted = FindInstructionSet(target.isa), *here = FindInstructionSet(isa);
  if (wanted != nullptr && here != nullptr && wanted <= here) return {};  // of one table, in order
  return Fail(ErrorCode::kUnsupported,
              "target {}: this machine has {} and cannot run its kernels, so that nothing can be "
              "measured; name a target that it can run, or host",
              target.ToString(), isa);
}

}  // namespace whet
