#include "runtime/cpu_check.h"

#include <string_view>

namespace whet {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "x86-64";

// The first feature of `isa` that this CPU lacks; "" if it has all. Each set contains those before
// it.
std::string_view MissingFeature(std::string_view isa) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.1")) return "SSE4.1";
  if (isa == "sse41") return "";
  if (!isa.starts_with("avx")) return "";
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
  if (!__builtin_cpu_supports("fma")) return "FMA";
  if (isa == "avx2") return "";
  if (!isa.starts_with("avx512")) return "";
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512F";
  if (!__builtin_cpu_supports("avx512bw")) return "AVX-512BW";
  if (!__builtin_cpu_supports("avx512dq")) return "AVX-512DQ";
  if (!__builtin_cpu_supports("avx512vl")) return "AVX-512VL";
  if (isa == "avx512_vnni" && !__builtin_cpu_supports("avx512vnni")) return "AVX-512 VNNI";
  return "";
}
#else
#if defined(__aarch64__)
constexpr std::string_view kArchitecture = "aarch64";
#else
constexpr std::string_view kArchitecture = "unknown";
#endif
std::string_view MissingFeature(std::string_view) { return ""; }
#endif

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
  const std::string_view missing = MissingFeature(rest.substr(0, rest.find('-')));
  if (!missing.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "it was compiled for {} and this CPU lacks {}: compile it for this CPU", target,
                missing);
  }
  return {};
}

}  // namespace whet
