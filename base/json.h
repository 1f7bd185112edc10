// nlohmann::json with errors as values: parsing and typed field access that never throws.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/status.h"

namespace whet {

using Json = nlohmann::json;  // objects keep keys sorted: dump() is canonical

// kCorrupt, with the byte offset of the mistake, or where values nest deeper than 500 levels.
Result<Json> ParseJson(std::string_view text);

// Json::dump() without its exception: bytes of a string that are not UTF-8 become U+FFFD.
std::string DumpJson(const Json& json, int indent = -1);

// `value` as a T; false if it is of another type. A whole number must fit T; nothing is rounded or
// wrapped.
template <typename T>
bool ConvertJson(const Json& value, T& out) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (value.is_number_unsigned()) {
      const uint64_t number = value.get<uint64_t>();
      out = static_cast<T>(number);
      return std::in_range<T>(number);
    }
    if (!value.is_number_integer()) return false;
    const int64_t number = value.get<int64_t>();
    out = static_cast<T>(number);
    return std::in_range<T>(number);
  } else {
    try {
      out = value.get<T>();
      return true;
    } catch (const nlohmann::json::exception&) {
      return false;
    }
  }
}

// Field `key` of `object`, converted to T. kCorrupt if it is missing or of another type.
template <typename T>
Result<T> Field(const Json& object, const char* key) {
  if (!object.is_object())
    return Fail(ErrorCode::kCorrupt, "expected an object with field '{}'", key);
  auto it = object.find(key);
  if (it == object.end()) return Fail(ErrorCode::kCorrupt, "field '{}' is missing", key);
  T value{};
  if (!ConvertJson(*it, value))
    return Fail(ErrorCode::kCorrupt, "field '{}' has the wrong type", key);
  return value;
}

// The same, with a value for a missing field.
template <typename T>
Result<T> FieldOr(const Json& object, const char* key, T fallback) {
  if (object.is_object() && !object.contains(key)) return fallback;
  return Field<T>(object, key);
}

}  // namespace whet
