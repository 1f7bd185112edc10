#include "runtime/cpu_check.h"

#include <string_view>

#include "base/cpu.h"

namespace whet {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "x86-64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "aarch64";
#else
constexpr std::string_view kArchitecture = "unknown";
#endif

// Of a set that a later Whet knows, what this one knows: "avx512_new" has all of "avx512".
const InstructionSet* LargestKnown(std::string_view isa) {
  const InstructionSet* known = nullptr;
  for (const InstructionSet& set : InstructionSets())
    if (isa.starts_with(set.name)) known = &set;
  return known;
}

}  // namespace

Status CheckCpu(const std::string& target) {
  const std::string_view text = target;
  const size_t os = text.find("-linux-");
  if (os == std::string_view::npos) return {};
  if (text.substr(0, os) != kArchitecture) {
    return Fail(ErrorCode::kUnsupported, "it was compiled for {} and this program runs on {}",
                text.substr(0, os), kArchitecture);
  }
  const std::string_view rest = text.substr(os + 7);
  const InstructionSet* set = LargestKnown(rest.substr(0, rest.find('-')));
  const std::string_view missing = set == nullptr ? "" : MissingFeature(*set);
  if (!missing.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "it was compiled for {} and this CPU lacks {}: compile it for this CPU", target,
                missing);
  }
  return {};
}

}  // namespace whet
