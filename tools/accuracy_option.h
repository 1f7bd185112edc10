// The option --accuracy, as every verb that makes kernels has it.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "schedules/accuracy.h"

namespace whet {

// Nothing in `accuracy` where the user does not say: fast for what is new, its own for a record.
inline void AddAccuracyOption(CLI::App* verb, std::optional<Accuracy>* accuracy,
                              const std::string& unless_given = "default: fast") {
  verb->add_option_function<std::string>(
          "--accuracy", [accuracy](const std::string& name) { *accuracy = *ParseAccuracy(name); },
          "how exact kernels have to be (" + unless_given +
              "). strict: each element within what its own\nterms explain, infinities and NaN "
              "where they belong. fast: Winograd's algorithm may win,\nwhose error is relative to "
              "the largest magnitude nearby (docs/accuracy.md)")
      ->type_name("strict|fast")
      ->check(CLI::IsMember({"strict", "fast"}));
}

}  // namespace whet
