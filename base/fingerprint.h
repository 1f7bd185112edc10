// XXH3-128 fingerprints, as 32 hexadecimal digits: names of tasks, models and machines.
#pragma once

#include <string>
#include <string_view>

namespace whet {

// The XXH3-128 of `bytes`, 32 lower-case hexadecimal digits, high half first.
std::string Fingerprint(std::string_view bytes);

}  // namespace whet
