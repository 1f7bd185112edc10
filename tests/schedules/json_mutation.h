// Random damage to JSON, for tests of readers that must survive any.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/rng.h"

namespace whet {

inline Json RandomJsonValue(Rng& rng) {
  static const std::vector<Json> values = {nullptr,
                                           true,
                                           false,
                                           0,
                                           1,
                                           -1,
                                           7,
                                           1.5,
                                           -2.0,
                                           1e300,
                                           "",
                                           "i0",
                                           "Conv",
                                           "f32",
                                           "NHWC",
                                           "split",
                                           "\xff\xfe",
                                           std::numeric_limits<int64_t>::max(),
                                           std::numeric_limits<int64_t>::min(),
                                           std::numeric_limits<uint64_t>::max(),
                                           Json::array(),
                                           Json::object(),
                                           Json::array({1, 2}),
                                           Json::array({1, 2.5}),
                                           Json::array({"t0"}),
                                           Json::array({nullptr}),
                                           Json::array({Json::array({0, 16})}),
                                           Json::array({int64_t{1} << 40, int64_t{1} << 40}),
                                           {{"float", "inf"}},
                                           {{"name", 3}}};
  return values[rng.Below(static_cast<int64_t>(values.size()))];
}

// Every value inside `json`, itself included.
inline void CollectValues(Json& json, std::vector<Json*>& all) {
  all.push_back(&json);
  if (json.is_structured())
    for (Json& child : json) CollectValues(child, all);
}

// Replaces, removes, doubles, renames or swaps one value somewhere in `json`.
inline void Damage(Json& json, Rng& rng) {
  std::vector<Json*> all;
  CollectValues(json, all);
  Json& victim = *all[rng.Below(static_cast<int64_t>(all.size()))];
  const int64_t at = victim.empty() ? 0 : rng.Below(static_cast<int64_t>(victim.size()));
  switch (rng.Below(5)) {
    case 0:
      if (victim.is_structured() && !victim.empty()) {
        victim.erase(std::next(victim.begin(), at));
        return;
      }
      break;
    case 1:
      if (victim.is_array() && !victim.empty()) {
        const Json copy = victim[at];
        victim.push_back(copy);
        return;
      }
      if (victim.is_object()) {
        victim["surprise"] = RandomJsonValue(rng);
        return;
      }
      break;
    case 2: {
      const Json other = *all[rng.Below(static_cast<int64_t>(all.size()))];
      victim = other;
      return;
    }
    default:
      break;
  }
  victim = RandomJsonValue(rng);
}

}  // namespace whet
