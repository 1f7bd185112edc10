#include "tuning_db/cache_mode.h"

#include "base/json.h"
#include "tuning_db/rows.h"

namespace whet {

std::string_view Name(CacheMode mode) { return mode == CacheMode::kCold ? "cold" : "warm"; }

Result<CacheMode> ParseCacheMode(std::string_view name) {
  for (const CacheMode mode : {CacheMode::kWarm, CacheMode::kCold})
    if (name == Name(mode)) return mode;
  return Fail(ErrorCode::kInvalidInput, "there are no '{}' caches; there are warm and cold",
              name.substr(0, 40));
}

Result<CacheMode> CacheModeOf(const RunInfo& run) {
  if (!run.settings.is_object()) return CacheMode::kWarm;
  ASSIGN_OR_RETURN(const auto name, FieldOr<std::string>(run.settings, "cache", "warm"));
  return ParseCacheMode(name);
}

}  // namespace whet
