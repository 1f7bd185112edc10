#include "driver/kernel_key.h"

#include "base/file.h"
#include "base/fingerprint.h"
#include "base/version.h"

namespace whet {
namespace {

const std::string& ProgramFingerprint() {
  static const std::string fingerprint = [] {
    const auto bytes = ReadFile("/proc/self/exe");
    return bytes ? Fingerprint(*bytes) : std::string("unknown program");
  }();
  return fingerprint;
}

std::string KeyOf(const std::string& kind, const Task& task, const std::string& rest) {
  const Json parts = {kind, kWhetVersion, kHalideVersion, ProgramFingerprint(), task.Fingerprint(),
                      rest};
  return Fingerprint(parts.dump());
}

}  // namespace

std::string KernelKey(const Task& task, const Trace& trace) {
  return KeyOf("kernel", task, trace.ToJson()["directives"].dump());
}

std::string ChoiceKey(const Task& task, const std::string& machine) {
  return KeyOf("choice", task, machine);
}

}  // namespace whet
