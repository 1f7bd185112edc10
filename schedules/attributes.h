// Attributes of an operator: named integers, floats, strings and lists of them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace whet {

using Attribute =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;

class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, Attribute>> values)
      : values_(values) {}

  bool Has(std::string_view name) const { return values_.find(name) != values_.end(); }
  void Set(std::string name, Attribute value) { values_[std::move(name)] = std::move(value); }
  void Erase(std::string_view name);
  // The value, or `fallback` where there is none or it is of another kind (an integer serves as a
  // float).
  int64_t Int(std::string_view name, int64_t fallback = 0) const;
  double Float(std::string_view name, double fallback = 0) const;
  std::string String(std::string_view name, std::string fallback = "") const;
  std::vector<int64_t> Ints(std::string_view name, std::vector<int64_t> fallback = {}) const;

  const std::map<std::string, Attribute, std::less<>>& values() const { return values_; }
  Json ToJson() const;
  static Result<Attributes> FromJson(const Json& json);
  bool operator==(const Attributes&) const = default;

 private:
  std::map<std::string, Attribute, std::less<>> values_;
};

}  // namespace whet
