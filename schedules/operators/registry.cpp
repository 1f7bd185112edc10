#include <algorithm>
#include <limits>

#include "schedules/operators/row.h"

namespace whet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<const OperatorDef*>& Sorted() {
  static const std::vector<const OperatorDef*> operators = [] {
    std::vector<const OperatorDef*> all;
    for (const auto* family :
         {&UnaryOperators(), &BinaryOperators(), &ConvOperators(), &ConvTransposeOperators(),
          &ResizeOperators(), &PoolOperators(), &MatMulOperators(), &NormalizationOperators(),
          &ReduceOperators(), &MovementOperators(), &PadOperators(), &ViewOperators(),
          &PipelineOperators()})
      for (const OperatorDef& def : *family) all.push_back(&def);
    std::sort(all.begin(), all.end(),
              [](const auto* a, const auto* b) { return a->name < b->name; });
    return all;
  }();
  return operators;
}

// A float attribute as ONNX stores it. Integers count as floats; others are left to infer's error.
std::optional<double> RoundedFloat(const Attribute& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<float>(*integer);
  if (const auto* number = std::get_if<double>(&value)) return static_cast<float>(*number);
  return std::nullopt;
}

}  // namespace

const AttributeDef* OperatorDef::FindAttribute(std::string_view attribute_name) const {
  for (const AttributeDef& attribute : attributes)
    if (attribute.name == attribute_name) return &attribute;
  return nullptr;
}

const OperatorDef* FindOperator(std::string_view name) {
  const auto& operators = Sorted();
  auto it =
      std::lower_bound(operators.begin(), operators.end(), name,
                       [](const OperatorDef* def, std::string_view n) { return def->name < n; });
  return it != operators.end() && (*it)->name == name ? *it : nullptr;
}

std::span<const OperatorDef* const> AllOperators() { return Sorted(); }

Attributes CanonicalAttributes(const OperatorDef& def, const Attributes& attributes, int rank) {
  Attributes canonical;
  for (const AttributeDef& attribute : def.attributes) {
    const std::string name(attribute.name);
    auto it = attributes.values().find(attribute.name);
    if (it == attributes.values().end() && !attribute.fallback) continue;
    Attribute value = it != attributes.values().end() ? it->second : *attribute.fallback;
    if (attribute.kind == AttributeKind::kFloat) {
      if (auto rounded = RoundedFloat(value)) {
        // A bound that bounds nothing is none.
        if (!attribute.fallback && (name == "min" ? *rounded == -kInfinity : *rounded == kInfinity))
          continue;
        value = *rounded;
      }
    }
    const auto* axis = std::get_if<int64_t>(&value);
    if (name == "axis" && axis && *axis < 0 && *axis >= -rank) value = *axis + rank;
    canonical.Set(name, std::move(value));
  }
  return canonical;
}

}  // namespace whet
