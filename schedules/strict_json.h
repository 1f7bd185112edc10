// Checks on JSON that others wrote, beyond what base/json.h offers: lists, versions, unknown
// fields.
//
// Tasks and traces come from databases and files, so every field is accepted only if it is what it
// should be (Json::get would read 1.5 as the integer 1). Errors are kCorrupt and name the field.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace whet {

inline bool IsInt64(const Json& json) {
  int64_t value = 0;
  return ConvertJson(json, value);
}

inline bool IsInt64List(const Json& json) {
  if (!json.is_array()) return false;
  for (const Json& item : json)
    if (!IsInt64(item)) return false;
  return true;
}

// The field, or an error if `object` has none of that name; null is never returned.
inline Result<const Json*> Member(const Json& object, const char* key) {
  if (!object.is_object())
    return Fail(ErrorCode::kCorrupt, "expected an object with field '{}', not {}", key,
                object.type_name());
  auto it = object.find(key);
  if (it == object.end()) return Fail(ErrorCode::kCorrupt, "field '{}' is missing", key);
  return &*it;
}

inline Result<std::vector<int64_t>> Int64ListMember(const Json& object, const char* key) {
  ASSIGN_OR_RETURN(const Json* json, Member(object, key));
  if (!IsInt64List(*json))
    return Fail(ErrorCode::kCorrupt, "field '{}' should be a list of integers of 64 bits", key);
  return json->get<std::vector<int64_t>>();
}

inline Result<std::vector<std::string>> StringListMember(const Json& object, const char* key) {
  ASSIGN_OR_RETURN(const Json* json, Member(object, key));
  bool strings = json->is_array();
  if (strings)
    for (const Json& item : *json) strings = strings && item.is_string();
  if (!strings) return Fail(ErrorCode::kCorrupt, "field '{}' should be a list of strings", key);
  return json->get<std::vector<std::string>>();
}

inline Result<const Json*> ListMember(const Json& object, const char* key) {
  ASSIGN_OR_RETURN(const Json* json, Member(object, key));
  if (!json->is_array())
    return Fail(ErrorCode::kCorrupt, "field '{}' is {} and should be a list", key,
                json->type_name());
  return json;
}

// Requires an object. kCorrupt naming the first field that is not among `known`.
inline Status OnlyMembers(const Json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    bool found = false;
    for (std::string_view name : known) found = found || name == key;
    if (!found) return Fail(ErrorCode::kCorrupt, "field '{}' is unknown", key);
  }
  return {};
}

// Checks `version` of a document whose newest known version is `newest`. `what`: "task", "trace".
inline Status CheckVersion(const Json& object, std::string_view what, int64_t newest) {
  ASSIGN_OR_RETURN(int64_t version, Field<int64_t>(object, "version"));
  if (version < 1)
    return Fail(ErrorCode::kCorrupt, "version {} of a {} does not exist; versions start at 1",
                version, what);
  if (version > newest)
    return Fail(ErrorCode::kTooNew, "this {} has version {}, and this Whet reads up to version {}",
                what, version, newest);
  return {};
}

}  // namespace whet
