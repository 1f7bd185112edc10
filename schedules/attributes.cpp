#include "schedules/attributes.h"

#include <cmath>
#include <limits>

#include "schedules/strict_json.h"

namespace whet {
namespace {

// JSON has no infinities and no NaN: such a float is written as {"float": "inf"}.
Json FloatToJson(double value) {
  if (std::isfinite(value)) return value;
  return {{"float", std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"}};
}

bool ReadFloat(const Json& json, double* value) {
  if (json.is_number()) {
    *value = json.get<double>();
    return std::isfinite(*value);
  }
  if (!json.is_object() || json.size() != 1 || !json.contains("float")) return false;
  const Json& name = json["float"];
  if (name == "inf")
    *value = std::numeric_limits<double>::infinity();
  else if (name == "-inf")
    *value = -std::numeric_limits<double>::infinity();
  else if (name == "nan")
    *value = std::numeric_limits<double>::quiet_NaN();
  else
    return false;
  return true;
}

Json AttributeToJson(const Attribute& attribute) {
  if (const auto* value = std::get_if<double>(&attribute)) return FloatToJson(*value);
  if (const auto* values = std::get_if<std::vector<double>>(&attribute)) {
    Json list = Json::array();
    for (double value : *values) list.push_back(FloatToJson(value));
    return list;
  }
  return std::visit([](const auto& value) { return Json(value); }, attribute);
}

// A number with a point or an exponent is a float; a list with one such number is a list of floats.
bool AttributeFromJson(const Json& json, Attribute* attribute) {
  if (json.is_string()) {
    *attribute = json.get<std::string>();
    return true;
  }
  if (IsInt64(json)) {
    *attribute = json.get<int64_t>();
    return true;
  }
  if (json.is_number_float() || json.is_object()) {
    double value = 0;
    if (!ReadFloat(json, &value)) return false;
    *attribute = value;
    return true;
  }
  if (IsInt64List(json)) {
    *attribute = json.get<std::vector<int64_t>>();
    return true;
  }
  if (!json.is_array()) return false;
  std::vector<double> values(json.size());
  for (size_t i = 0; i < json.size(); ++i)
    if (!ReadFloat(json[i], &values[i])) return false;
  *attribute = std::move(values);
  return true;
}

}  // namespace

void Attributes::Erase(std::string_view name) {
  auto it = values_.find(name);
  if (it != values_.end()) values_.erase(it);
}

int64_t Attributes::Int(std::string_view name, int64_t fallback) const {
  auto it = values_.find(name);
  if (it == values_.end()) return fallback;
  const auto* value = std::get_if<int64_t>(&it->second);
  return value ? *value : fallback;
}

double Attributes::Float(std::string_view name, double fallback) const {
  auto it = values_.find(name);
  if (it == values_.end()) return fallback;
  if (const auto* value = std::get_if<double>(&it->second)) return *value;
  if (const auto* value = std::get_if<int64_t>(&it->second)) return static_cast<double>(*value);
  return fallback;
}

std::string Attributes::String(std::string_view name, std::string fallback) const {
  auto it = values_.find(name);
  if (it == values_.end()) return fallback;
  const auto* value = std::get_if<std::string>(&it->second);
  return value ? *value : fallback;
}

std::vector<int64_t> Attributes::Ints(std::string_view name, std::vector<int64_t> fallback) const {
  auto it = values_.find(name);
  if (it == values_.end()) return fallback;
  const auto* value = std::get_if<std::vector<int64_t>>(&it->second);
  return value ? *value : fallback;
}

Json Attributes::ToJson() const {
  Json json = Json::object();
  for (const auto& [name, value] : values_) json[name] = AttributeToJson(value);
  return json;
}

Result<Attributes> Attributes::FromJson(const Json& json) {
  if (!json.is_object())
    return Fail(ErrorCode::kCorrupt, "attributes should be an object, not {}", json.type_name());
  Attributes attributes;
  for (const auto& [name, value] : json.items()) {
    Attribute attribute;
    if (!AttributeFromJson(value, &attribute))
      return Fail(ErrorCode::kCorrupt,
                  "attribute '{}' should be an integer, a number, a string or a list of numbers",
                  name);
    attributes.Set(name, std::move(attribute));
  }
  return attributes;
}

}  // namespace whet
