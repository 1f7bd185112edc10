// Short labels of tasks, for lines and tables that people read.
//
// Made of the text that Task::Describe writes, and of nothing else: plans and databases keep that
// text, and have no task at hand where they print it. JSON has the text itself.
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whet {

inline constexpr size_t kLabelWidth = 68;  // columns

// The description where it fits into `width` columns. Where it does not: the operators, with the
// first one's shapes, the windows, strides and groups of convolutions, and no other attributes:
// "Conv 1x64x14x14 1x1 +Clip +Conv 3x3/2 grouped +Clip +Conv 1x1 +Add"; cut if need be.
std::string ShortLabel(std::string_view description, size_t width = kLabelWidth);

// The text with its middle replaced by ".." where it takes more than `width` columns, between
// words where that costs little. Never splits a UTF-8 sequence. Requires width >= 8.
std::string CutMiddle(std::string_view text, size_t width);

struct NamedFingerprint {
  std::string name;  // a description, or a name that the user gave
  std::string fingerprint;
};
// A short label for each row of one table. Where different tasks would have the same one, the first
// digits of the fingerprint follow, as `whet db` shows and takes them.
std::vector<std::string> TableLabels(std::span<const NamedFingerprint> rows,
                                     size_t width = kLabelWidth);

}  // namespace whet
