#include "schedules/operators/pipeline.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "schedules/operators/checks.h"

namespace whet {
namespace {

Result<TensorType> InferPipeline(const Attributes& attributes, Types) {
  ASSIGN_OR_RETURN(const DataType dtype, ParseDataType(attributes.String("dtype")));
  if (!attributes.Has("shape")) return Fail(ErrorCode::kInvalidInput, "attribute shape is missing");
  ASSIGN_OR_RETURN(Shape shape,
                   IntsAttribute(attributes, "shape", -1, 1, std::numeric_limits<int32_t>::max()));
  return TensorType{dtype, std::move(shape)};
}

double PipelineFlops(const Attributes& attributes, Types, const TensorType&) {
  return attributes.Float("flops");
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string ToHex(const std::vector<uint8_t>& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

Result<std::vector<uint8_t>> PipelineBytes(const Attributes& attributes) {
  const std::string hex = attributes.String("pipeline");
  std::vector<uint8_t> bytes;
  bytes.reserve(hex.size() / 2);
  bool good = !hex.empty() && hex.size() % 2 == 0;
  for (size_t i = 0; good && i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]), low = HexValue(hex[i + 1]);
    good = high >= 0 && low >= 0;
    bytes.push_back(static_cast<uint8_t>(16 * high + low));
  }
  if (!good)
    return Fail(ErrorCode::kInvalidInput,
                "attribute pipeline should hold bytes as hexadecimal digits");
  return bytes;
}

Result<std::map<std::string, double>> ParseScalars(const std::string& text) {
  std::map<std::string, double> scalars;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    const size_t equals = item.find('=');
    char* rest = nullptr;
    const char* const number = item.c_str() + (equals == std::string::npos ? 0 : equals + 1);
    const double value = std::strtod(number, &rest);
    if (equals == std::string::npos || equals == 0 || rest == number || *rest != 0 ||
        !std::isfinite(value))
      return Fail(ErrorCode::kInvalidInput, "'{}': write NAME=NUMBER, as in alpha=0.5", item);
    scalars[item.substr(0, equals)] = value;
    begin = end + 1;
  }
  return scalars;
}

std::string ScalarsText(const std::map<std::string, double>& scalars) {
  std::string text;
  for (const auto& [name, value] : scalars)
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value);
  return text;
}

const std::vector<OperatorDef>& PipelineOperators() {
  static const std::vector<OperatorDef> rows = {
      Row<&InferPipeline, &RunPipeline, &PipelineFlops, 1, -1>(
          "Pipeline", OperatorClass::kReduction, {{"x"}},
          {{"name", AttributeKind::kString, ""},
           {"pipeline", AttributeKind::kString},
           {"bounds", AttributeKind::kInts},
           {"scalars", AttributeKind::kString, ""},
           {"dtype", AttributeKind::kString},
           {"shape", AttributeKind::kInts},
           {"flops", AttributeKind::kFloat, 0.0}})};
  return rows;
}

}  // namespace whet
