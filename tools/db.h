// `whet db`: what the tuning database knows.
//
// best, list, show, query, stats and curve read; export, import and merge carry records between
// databases; check reads all of a file. A mistake is one sentence on stderr and exit code 1; a
// damaged file under `check` is 2.
#pragma once

#include <CLI/CLI.hpp>

namespace whet {

// Adds the verb with its sub-verbs. `exit_code` is set when one of them has run; it must outlive
// `app`.
void RegisterDb(CLI::App& app, int* exit_code);

}  // namespace whet
