#include "base/json.h"

namespace whet {
namespace {

constexpr int kMaxDepth = 500;

// dump() and comparison recurse: a file of a million brackets must not exhaust the stack.
bool NestsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  if (NestsTooDeep(text)) {
    return Fail(ErrorCode::kCorrupt, "JSON values nest deeper than {} levels", kMaxDepth);
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& e) {
    return Fail(ErrorCode::kCorrupt, "not JSON: mistake at byte {}", e.byte);
  } catch (const nlohmann::json::exception&) {
    return Fail(ErrorCode::kCorrupt, "not JSON: a number is out of range");
  }
}

std::string DumpJson(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace whet
