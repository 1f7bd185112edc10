#include "tools/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/file.h"

namespace whet {
namespace {

std::vector<std::string> Columns(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, '\t');) cells.push_back(cell);
  return cells;
}

bool SameTop1(const Tensor& a, const Tensor& b) {
  const int64_t width = a.shape().empty() ? 1 : a.shape().back();
  for (int64_t row = 0; row + width <= a.count(); row += width) {
    int64_t best_a = 0, best_b = 0;
    for (int64_t i = 1; i < width; ++i) {
      if (a.AsDouble(row + i) > a.AsDouble(row + best_a)) best_a = i;
      if (b.AsDouble(row + i) > b.AsDouble(row + best_b)) best_b = i;
    }
    if (best_a != best_b) return false;
  }
  return true;
}

}  // namespace

Result<Tolerance> ToleranceOf(const std::string& cases_file, const std::string& model, int set,
                              int output) {
  if (!std::filesystem::exists(cases_file)) return Tolerance{};
  ASSIGN_OR_RETURN(const std::string text, ReadFile(cases_file));
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::map<std::string, size_t> column;
  const std::vector<std::string> header = Columns(line);
  for (size_t i = 0; i < header.size(); ++i) column[header[i]] = i;
  for (const char* name : {"model", "set", "output", "compare", "tolerance"}) {
    if (!column.count(name))
      return Fail(ErrorCode::kCorrupt, "{}: there is no column '{}'", cases_file, name);
  }
  while (std::getline(lines, line)) {
    const std::vector<std::string> cells = Columns(line);
    if (cells.size() != header.size() || cells[column["model"]] != model ||
        cells[column["set"]] != std::to_string(set) ||
        cells[column["output"]] != std::to_string(output)) {
      continue;
    }
    return Tolerance{cells[column["compare"]],
                     std::strtod(cells[column["tolerance"]].c_str(), nullptr)};
  }
  return Tolerance{};
}

Comparison CompareTensors(const Tensor& result, const Tensor& expected,
                          const Tolerance& tolerance) {
  Comparison comparison;
  if (result.type() != expected.type()) {
    comparison.why =
        "it is " + ToString(result.type()) + " instead of " + ToString(expected.type());
    return comparison;
  }
  double worst = 0, difference2 = 0, expected2 = 0;
  int64_t worst_at = -1;
  bool number = true;
  for (int64_t i = 0; i < result.count(); ++i) {
    const double r = result.AsDouble(i), e = expected.AsDouble(i);
    const double difference = r == e ? 0 : std::abs(r - e);
    if (!std::isfinite(difference) && !(std::isnan(r) && std::isnan(e))) number = false;
    comparison.max_abs_diff = std::max(comparison.max_abs_diff, difference);
    difference2 += difference * difference;
    expected2 += e * e;
    const double relative = difference / (1 + std::abs(e));
    if (relative > worst || worst_at < 0) worst = std::max(worst, relative), worst_at = i;
  }
  const double l2 = expected2 > 0 ? std::sqrt(difference2 / expected2) : std::sqrt(difference2);
  if (tolerance.compare == "exact") {
    comparison.error = comparison.max_abs_diff;
    comparison.ok = std::memcmp(result.bytes(), expected.bytes(), result.size_bytes()) == 0;
  } else if (tolerance.compare == "top1" || tolerance.compare == "relative_l2") {
    comparison.error = l2;
    comparison.ok = number && l2 <= tolerance.value &&
                    (tolerance.compare != "top1" || SameTop1(result, expected));
  } else {
    comparison.error = worst;
    comparison.ok = number && worst <= tolerance.value;
  }
  if (!comparison.ok) {
    comparison.why = number ? fmt::format("error {:.3g} exceeds {:.3g} ({})", comparison.error,
                                          tolerance.value, tolerance.compare)
                            : "it holds values that are no numbers";
    if (worst_at >= 0 && number)
      comparison.why += fmt::format("; element {} is {:.6g} instead of {:.6g}", worst_at,
                                    result.AsDouble(worst_at), expected.AsDouble(worst_at));
  }
  return comparison;
}

}  // namespace whet
