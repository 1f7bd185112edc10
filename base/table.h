// A small aligned text table for terminals: left-aligned text, right-aligned numbers.
#pragma once

#include <string>
#include <vector>

namespace whet {

class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}
  void AddRow(std::vector<std::string> cells);  // as many cells as headers
  // Columns whose every cell reads as a number are right-aligned. Two spaces between columns, a
  // rule of dashes under the headers, no trailing blanks, a newline after each line.
  std::string ToString() const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace whet
