#include "runtime/plan.h"

#include <array>
#include <string_view>
#include <utility>

namespace whet {
namespace {

constexpr int kVersion = 1;

Result<Place> ParsePlace(std::string_view name) {
  for (Place place : {Place::kInput, Place::kOutput, Place::kConstant, Place::kArena}) {
    if (Name(place) == name) return place;
  }
  return Fail(ErrorCode::kCorrupt, "unknown place '{}': expected input, output, constant or arena",
              name);
}

// ---- to JSON

Json TypeToJson(const TensorType& type) {
  return Json{{"dtype", std::string(Name(type.dtype))}, {"shape", type.shape}};
}

Json PortsToJson(const std::vector<PlanPort>& ports) {
  Json list = Json::array();
  for (const PlanPort& port : ports) {
    Json json = TypeToJson(port.type);
    json["name"] = port.name;
    list.push_back(std::move(json));
  }
  return list;
}

// ---- from JSON

// Field `key`, an array of whole numbers.
template <typename T>
Result<std::vector<T>> Numbers(const Json& object, const char* key) {
  ASSIGN_OR_RETURN(const Json list, Field<Json>(object, key));
  std::vector<T> numbers(list.size());
  bool good = list.is_array();
  for (size_t i = 0; good && i < numbers.size(); ++i) good = ConvertJson(list[i], numbers[i]);
  if (!good) return Fail(ErrorCode::kCorrupt, "field '{}' is not a list of whole numbers", key);
  return numbers;
}

Result<TensorType> TypeFromJson(const Json& json) {
  TensorType type;
  ASSIGN_OR_RETURN(const std::string dtype, Field<std::string>(json, "dtype"));
  auto parsed = ParseDataType(dtype);
  if (!parsed) return Fail(ErrorCode::kCorrupt, "{}", parsed.error().message);
  type.dtype = *parsed;
  ASSIGN_OR_RETURN(type.shape, Numbers<int64_t>(json, "shape"));
  return type;
}

Result<PlanPort> PortFromJson(const Json& json) {
  PlanPort port;
  ASSIGN_OR_RETURN(port.name, Field<std::string>(json, "name"));
  ASSIGN_OR_RETURN(port.type, TypeFromJson(json));
  return port;
}

Result<PlanValue> ValueFromJson(const Json& json) {
  PlanValue value;
  ASSIGN_OR_RETURN(value.type, TypeFromJson(json));
  ASSIGN_OR_RETURN(const std::string place, Field<std::string>(json, "place"));
  ASSIGN_OR_RETURN(value.place, ParsePlace(place));
  ASSIGN_OR_RETURN(value.offset, Field<int64_t>(json, "offset"));
  return value;
}

Result<PlanKernel> KernelFromJson(const Json& json) {
  PlanKernel kernel;
  ASSIGN_OR_RETURN(kernel.symbol, Field<std::string>(json, "symbol"));
  ASSIGN_OR_RETURN(kernel.task, Field<std::string>(json, "task"));
  ASSIGN_OR_RETURN(kernel.describe, Field<std::string>(json, "describe"));
  ASSIGN_OR_RETURN(kernel.record, Field<int64_t>(json, "record"));
  ASSIGN_OR_RETURN(kernel.flops, Field<double>(json, "flops"));
  return kernel;
}

Result<PlanStep> StepFromJson(const Json& json) {
  PlanStep step;
  ASSIGN_OR_RETURN(step.name, Field<std::string>(json, "name"));
  ASSIGN_OR_RETURN(step.kernel, Field<int>(json, "kernel"));
  ASSIGN_OR_RETURN(step.args, Numbers<int>(json, "args"));
  return step;
}

Result<PlanCheck> CheckFromJson(const Json& json) {
  PlanCheck check;
  ASSIGN_OR_RETURN(check.step, Field<int>(json, "step"));
  ASSIGN_OR_RETURN(check.value, Field<int>(json, "value"));
  ASSIGN_OR_RETURN(check.extent, Field<int64_t>(json, "extent"));
  return check;
}

// Field `key`, an array whose elements `parse` reads; mistakes are told with their place,
// "steps[3]: ...".
template <typename T>
Result<std::vector<T>> List(const Json& object, const char* key, Result<T> (*parse)(const Json&)) {
  ASSIGN_OR_RETURN(const Json list, Field<Json>(object, key));
  if (!list.is_array()) return Fail(ErrorCode::kCorrupt, "field '{}' is not a list", key);
  std::vector<T> items;
  for (const Json& json : list) {
    auto item = parse(json);
    if (!item) return Prefixed(item.error(), fmt::format("{}[{}]", key, items.size()));
    items.push_back(std::move(*item));
  }
  return items;
}

}  // namespace

std::string_view Name(Place place) {
  constexpr std::array<std::string_view, 4> kNames{"input", "output", "constant", "arena"};
  return kNames[static_cast<size_t>(place)];
}

Json PlanSpec::ToJson() const {
  Json json;
  json["version"] = kVersion;
  json["model"] = model;
  json["target"] = target;
  json["threads"] = threads;
  json["inputs"] = PortsToJson(inputs);
  json["outputs"] = PortsToJson(outputs);
  json["values"] = Json::array();
  for (const PlanValue& value : values) {
    Json entry = TypeToJson(value.type);
    entry["place"] = std::string(Name(value.place));
    entry["offset"] = value.offset;
    json["values"].push_back(std::move(entry));
  }
  json["kernels"] = Json::array();
  for (const PlanKernel& kernel : kernels) {
    json["kernels"].push_back({{"symbol", kernel.symbol},
                               {"task", kernel.task},
                               {"describe", kernel.describe},
                               {"record", kernel.record},
                               {"flops", kernel.flops}});
  }
  json["steps"] = Json::array();
  for (const PlanStep& step : steps) {
    json["steps"].push_back({{"name", step.name}, {"kernel", step.kernel}, {"args", step.args}});
  }
  json["checks"] = Json::array();
  for (const PlanCheck& check : checks) {
    json["checks"].push_back(
        {{"step", check.step}, {"value", check.value}, {"extent", check.extent}});
  }
  json["arena_bytes"] = arena_bytes;
  json["constant_bytes"] = constant_bytes;
  return json;
}

Result<PlanSpec> PlanSpec::FromJson(const Json& json) {
  ASSIGN_OR_RETURN(const int version, Field<int>(json, "version"));
  if (version > kVersion) {
    return Fail(ErrorCode::kTooNew, "the plan has version {} and this Whet reads up to {}", version,
                kVersion);
  }
  if (version != kVersion) return Fail(ErrorCode::kCorrupt, "the plan has version {}", version);
  PlanSpec plan;
  ASSIGN_OR_RETURN(plan.model, Field<std::string>(json, "model"));
  ASSIGN_OR_RETURN(plan.target, Field<std::string>(json, "target"));
  ASSIGN_OR_RETURN(plan.threads, Field<int>(json, "threads"));
  ASSIGN_OR_RETURN(plan.inputs, List(json, "inputs", PortFromJson));
  ASSIGN_OR_RETURN(plan.outputs, List(json, "outputs", PortFromJson));
  ASSIGN_OR_RETURN(plan.values, List(json, "values", ValueFromJson));
  ASSIGN_OR_RETURN(plan.kernels, List(json, "kernels", KernelFromJson));
  ASSIGN_OR_RETURN(plan.steps, List(json, "steps", StepFromJson));
  if (json.contains("checks")) {  // plans of the first releases have none
    ASSIGN_OR_RETURN(plan.checks, List(json, "checks", CheckFromJson));
  }
  ASSIGN_OR_RETURN(plan.arena_bytes, Field<int64_t>(json, "arena_bytes"));
  ASSIGN_OR_RETURN(plan.constant_bytes, Field<int64_t>(json, "constant_bytes"));
  RETURN_IF_ERROR(plan.Validate());
  return plan;
}

}  // namespace whet
