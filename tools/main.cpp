// The `whet` command: parses the line and hands over to the verb.
#include <cstdio>

#include "tools/db.h"
#include "tools/session.h"
#include "tools/verbs.h"
#include "tools/worker.h"

int main(int argc, char** argv) {
  int exit_code = 0;
  // A worker is this program again; it must not start a thread, so it comes before everything else.
  if (whet::RunAsWorker(argc, argv, &exit_code)) return exit_code;

  CLI::App app{
      "whet: an auto-tuning tensor compiler\n\n"
      "Searches for the fastest Halide schedule of every kernel of a network on this machine, "
      "keeps what it\n"
      "learned in a tuning database, and runs the network or ships it as a library without Halide "
      "or LLVM."};
  app.set_version_flag("--version", std::string("whet ") + whet::kWhetVersion);
  app.require_subcommand(0, 1);
  app.footer(
      "Examples:\n"
      "  whet tune model.onnx --db tuning.db --time-budget 5m\n"
      "  whet bench model.onnx --db tuning.db --profile\n"
      "  whet compile model.onnx --db tuning.db -o bundle\n"
      "Exit codes: 0 done, 1 a mistake in what was asked, 2 verification failed, 3 some tasks "
      "failed,\n"
      "130 interrupted with everything saved.");
  whet::RegisterTune(app, &exit_code);
  whet::RegisterCompile(app, &exit_code);
  whet::RegisterRun(app, &exit_code);
  whet::RegisterBench(app, &exit_code);
  whet::RegisterDb(app, &exit_code);
  whet::RegisterReplay(app, &exit_code);
  whet::RegisterInspect(app, &exit_code);
  whet::RegisterCostModel(app, &exit_code);
  whet::RegisterEnv(app, &exit_code);
  whet::RegisterCache(app, &exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return whet::Report(
        {whet::ErrorCode::kInvalidInput, std::string(e.what()) + " (see whet --help)"});
  }
  if (argc == 1) std::fputs(app.help().c_str(), stdout);
  return exit_code;
}
