#include "base/table.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace whet {
namespace {

// Columns that `text` takes on a terminal: code points of its UTF-8.
size_t Width(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

bool IsBlank(std::string_view text) { return text.empty() || text == "-"; }

bool IsNumber(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(headers_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::ToString() const {
  const size_t columns = headers_.size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns);
  for (size_t c = 0; c < columns; ++c) {
    widths[c] = Width(headers_[c]);
    bool any_number = false, any_text = false;
    for (const auto& row : rows_) {
      widths[c] = std::max(widths[c], Width(row[c]));
      if (IsBlank(row[c])) continue;
      (IsNumber(row[c]) ? any_number : any_text) = true;
    }
    right[c] = any_number && !any_text;
  }

  std::string text;
  auto append_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      const std::string padding(widths[c] - Width(cells[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? padding + cells[c] : cells[c] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  append_line(headers_);
  std::vector<std::string> rule;
  for (size_t width : widths) rule.emplace_back(width, '-');
  append_line(rule);
  for (const auto& row : rows_) append_line(row);
  return text;
}

}  // namespace whet
