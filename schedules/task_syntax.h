// The spelling of a task as text, before anything is known of operators: Op(args)(+Op(args))*.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace whet {

struct SpelledArgument {
  std::string name;   // empty: positional
  std::string value;  // not empty, without blanks
};

struct SpelledCall {
  std::string op;
  std::vector<SpelledArgument> arguments;
};

// At least one call. Blanks are ignored. kInvalidInput says where the text stops making sense.
Result<std::vector<SpelledCall>> SplitSpelling(std::string_view spelling);

// Lists of a window's attributes have a fixed length, so one value serves for all: 2 for strides,
// dilations and kernel_shape, 4 for pads, 0 for other names.
int WindowListLength(std::string_view attribute);
inline constexpr std::string_view kKernelAlias = "kernel";  // short for kernel_shape

}  // namespace whet
