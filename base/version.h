// The versions that reports, databases and caches name.
#pragma once

namespace whet {

inline constexpr char kWhetVersion[] = "0.1.0";
inline constexpr char kHalideVersion[] = "21.0.0";  // that kernels are compiled with

}  // namespace whet
