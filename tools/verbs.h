// The verbs of the command, one file each. Every function adds its verb to `app` and, when it has
// run, stores the exit code: 0 done, 1 the user's mistake, 2 verification failed, 3 some tasks
// failed, 130 interrupted.
#pragma once

#include <CLI/CLI.hpp>

namespace whet {

void RegisterTune(CLI::App& app, int* exit_code);
void RegisterCompile(CLI::App& app, int* exit_code);
void RegisterRun(CLI::App& app, int* exit_code);
void RegisterBench(CLI::App& app, int* exit_code);
void RegisterReplay(CLI::App& app, int* exit_code);
void RegisterInspect(CLI::App& app, int* exit_code);
void RegisterCostModel(CLI::App& app, int* exit_code);
void RegisterEnv(CLI::App& app, int* exit_code);
void RegisterCache(CLI::App& app, int* exit_code);

// --no-cache, of the verbs that compile kernels.
void AddCacheOption(CLI::App* verb, bool* use_cache);

}  // namespace whet
