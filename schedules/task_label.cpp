#include "schedules/task_label.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace whet {
namespace {

constexpr std::string_view kGap = " .. ";
constexpr size_t kDigits = 8;  // of a fingerprint

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

bool IsOperator(std::string_view word) {
  return std::isupper(static_cast<unsigned char>(word[0])) != 0 &&
         word.find('=') == std::string_view::npos;
}

bool IsShape(std::string_view word) {
  return std::isdigit(static_cast<unsigned char>(word[0])) != 0 &&
         word.find_first_not_of("0123456789x") == std::string_view::npos;
}

bool IsConvolution(std::string_view op) { return op.starts_with("Conv"); }

// The window of a convolution's weights [out, in, window..]: "3x3".
std::string_view WindowOf(std::string_view weights) {
  size_t begin = 0;
  for (int dimension = 0; dimension < 2; ++dimension) {
    const size_t by = weights.find('x', begin);
    if (by == std::string_view::npos) return weights;
    begin = by + 1;
  }
  return weights.substr(begin);
}

// A head of the description: its operator, and what a person tells it by.
class Head {
 public:
  Head(std::string_view op, bool is_first) : op_(op), is_first_(is_first) {}

  void Add(std::string_view word) {
    if (IsShape(word)) {
      AddShape(word);
    } else if (word.starts_with("strides=")) {
      stride_ = "/" + std::string(word.substr(word.find('=') + 1));
    } else if (word.starts_with("group=")) {
      marks_ += " grouped";
    } else if (word == "layout=NCHW") {
      marks_ += " NCHW";
    }
  }
  std::string ToString() const {
    return fmt::format("{}{}{}{}{}", is_first_ ? "" : " +", op_, shapes_,
                       IsConvolution(op_) ? stride_ : "", marks_);
  }

 private:
  void AddShape(std::string_view shape) {
    const bool weights = ++seen_ == 2 && IsConvolution(op_);
    if (weights)
      shapes_ += fmt::format(" {}", WindowOf(shape));
    else if (is_first_)
      shapes_ += fmt::format(" {}", shape);
  }

  std::string op_, shapes_, stride_, marks_;
  bool is_first_;
  int seen_ = 0;
};

std::string Condensed(std::string_view description) {
  const std::vector<std::string_view> words = Words(description);
  std::string text;
  for (size_t w = 0; w < words.size();) {
    if (words[w][0] == '+') {
      text += fmt::format(" {}", words[w].substr(0, words[w].find('(')));
      ++w;
      continue;
    }
    Head head(words[w], text.empty());
    for (++w; w < words.size() && words[w][0] != '+' && !IsOperator(words[w]); ++w)
      head.Add(words[w]);
    text += head.ToString();
  }
  return text;
}

bool IsDescription(std::string_view text) {
  const std::vector<std::string_view> words = Words(text);
  return words.size() > 1 && IsOperator(words[0]) &&
         words[0].find_first_of("(.-_") == std::string_view::npos;
}

// Bytes that the first `columns` characters of the text take.
size_t BytesOf(std::string_view text, size_t columns) {
  size_t end = 0;
  for (size_t seen = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts && seen++ == columns) break;
  }
  return end;
}

size_t ColumnsOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string CutMiddle(std::string_view text, size_t width) {
  const size_t columns = ColumnsOf(text);
  if (columns <= width) return std::string(text);
  const size_t kept = width - kGap.size();
  // To the nearest blank, if half of the part stays; the tail gets what the head leaves.
  std::string_view head = text.substr(0, BytesOf(text, (kept + 1) / 2));
  const size_t last_blank = text[head.size()] == ' ' ? head.size() : head.rfind(' ');
  if (last_blank != std::string_view::npos && 2 * last_blank >= head.size())
    head = head.substr(0, last_blank);
  std::string_view tail = text.substr(BytesOf(text, columns - (kept - ColumnsOf(head))));
  const bool begins_a_word = text[text.size() - tail.size() - 1] == ' ';
  const size_t first_blank = tail.find(' ');
  if (!begins_a_word && first_blank != std::string_view::npos && 2 * first_blank < tail.size())
    tail.remove_prefix(first_blank + 1);
  return fmt::format("{}{}{}", head, kGap, tail);
}

std::string ShortLabel(std::string_view description, size_t width) {
  if (ColumnsOf(description) <= width) return std::string(description);
  return CutMiddle(IsDescription(description) ? Condensed(description) : std::string(description),
                   width);
}

std::vector<std::string> TableLabels(std::span<const NamedFingerprint> rows, size_t width) {
  std::vector<std::string> labels;
  std::map<std::string, std::set<std::string>> tasks_of;
  for (const NamedFingerprint& row : rows) {
    labels.push_back(ShortLabel(row.name, width));
    tasks_of[labels.back()].insert(row.fingerprint);
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    if (tasks_of[labels[i]].size() < 2) continue;
    labels[i] = fmt::format("{} {}", CutMiddle(labels[i], width - kDigits - 1),
                            rows[i].fingerprint.substr(0, kDigits));
  }
  return labels;
}

}  // namespace whet
