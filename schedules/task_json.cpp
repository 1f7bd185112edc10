// The canonical JSON of a task (docs/formats/task.md), and its fingerprint.
#include "base/fingerprint.h"
#include "schedules/operators/operator.h"
#include "schedules/strict_json.h"
#include "schedules/task.h"

namespace whet {
namespace {

constexpr int64_t kVersion = 1;

Result<TaskInput> InputFromJson(const Json& json) {
  TaskInput input;
  ASSIGN_OR_RETURN(input.name, Field<std::string>(json, "name"));
  RETURN_IF_ERROR(OnlyMembers(json, {"name", "dtype", "shape", "constant"}));
  ASSIGN_OR_RETURN(std::string dtype, Field<std::string>(json, "dtype"));
  ASSIGN_OR_RETURN(input.type.dtype, ParseDataType(dtype));
  ASSIGN_OR_RETURN(input.type.shape, Int64ListMember(json, "shape"));
  ASSIGN_OR_RETURN(input.constant, Field<bool>(json, "constant"));
  return input;
}

// An attribute that this version does not know would change the work silently if it were dropped.
Status CheckAttributeNames(const TaskNode& node) {
  const OperatorDef* def = FindOperator(node.op);
  if (!def) return {};  // Types() has the message
  for (const auto& [name, value] : node.attributes.values()) {
    if (def->FindAttribute(name)) continue;
    std::string known;
    for (const AttributeDef& attribute : def->attributes)
      known.append(known.empty() ? "" : ", ").append(attribute.name);
    return Fail(ErrorCode::kCorrupt, "{} has no attribute '{}'; it takes {}", node.op, name,
                known.empty() ? "none" : known);
  }
  return {};
}

Result<TaskNode> NodeFromJson(const Json& json) {
  TaskNode node;
  ASSIGN_OR_RETURN(node.op, Field<std::string>(json, "op"));
  RETURN_IF_ERROR(OnlyMembers(json, {"op", "inputs", "output", "attributes"}));
  ASSIGN_OR_RETURN(node.inputs, StringListMember(json, "inputs"));
  ASSIGN_OR_RETURN(node.output, Field<std::string>(json, "output"));
  ASSIGN_OR_RETURN(const Json* attributes, Member(json, "attributes"));
  ASSIGN_OR_RETURN(node.attributes, Attributes::FromJson(*attributes));
  RETURN_IF_ERROR(CheckAttributeNames(node));
  return node;
}

}  // namespace

Json Task::ToJson() const {
  const Task canonical = Canonical();
  Json json = {{"version", kVersion},
               {"inputs", Json::array()},
               {"nodes", Json::array()},
               {"output", output},
               {"target", target}};
  for (const TaskInput& input : canonical.inputs)
    json["inputs"].push_back({{"name", input.name},
                              {"dtype", Name(input.type.dtype)},
                              {"shape", input.type.shape},
                              {"constant", input.constant}});
  for (const TaskNode& node : canonical.nodes)
    json["nodes"].push_back({{"op", node.op},
                             {"inputs", node.inputs},
                             {"output", node.output},
                             {"attributes", node.attributes.ToJson()}});
  // Left out where it is fast: so the tasks of before there was a choice keep their fingerprints.
  if (accuracy != Accuracy::kFast) json["accuracy"] = Name(accuracy);
  return json;
}

Result<Task> Task::FromJson(const Json& json) {
  RETURN_IF_ERROR(CheckVersion(json, "task", kVersion));
  RETURN_IF_ERROR(
      OnlyMembers(json, {"version", "inputs", "nodes", "output", "target", "accuracy"}));
  Task task;
  ASSIGN_OR_RETURN(task.output, Field<std::string>(json, "output"));
  ASSIGN_OR_RETURN(task.target, Field<std::string>(json, "target"));
  if (json.contains("accuracy")) {
    ASSIGN_OR_RETURN(const auto accuracy, Field<std::string>(json, "accuracy"));
    if (accuracy != Name(Accuracy::kStrict))
      return Fail(ErrorCode::kCorrupt,
                  "field 'accuracy' of the task is '{}'; it is 'strict', or missing for fast",
                  accuracy.substr(0, 40));
    task.accuracy = Accuracy::kStrict;
  }
  ASSIGN_OR_RETURN(const Json* inputs, ListMember(json, "inputs"));
  for (size_t i = 0; i < inputs->size(); ++i) {
    auto input = InputFromJson((*inputs)[i]);
    if (!input) return Prefixed(input.error(), fmt::format("input {} of the task", i));
    task.inputs.push_back(*std::move(input));
  }
  ASSIGN_OR_RETURN(const Json* nodes, ListMember(json, "nodes"));
  for (size_t i = 0; i < nodes->size(); ++i) {
    auto node = NodeFromJson((*nodes)[i]);
    if (!node) return Prefixed(node.error(), fmt::format("node {} of the task", i));
    task.nodes.push_back(*std::move(node));
  }
  RETURN_IF_ERROR(task.Types());
  return task.Canonical();
}

std::string Task::Fingerprint() const { return whet::Fingerprint(DumpJson(ToJson())); }

}  // namespace whet
