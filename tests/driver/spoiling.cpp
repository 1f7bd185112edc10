#include "tests/driver/spoiling.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/process.h"
#include "search/worker_handlers.h"

namespace whet {
namespace {

constexpr const char* kHow = "WHET_TEST_SPOIL";
constexpr const char* kOnce = "WHET_TEST_SPOIL_ONCE";

Status RunTool(const std::vector<std::string>& command) {
  ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(command, {.own_group = false}));
  if (result.exit_code != 0) return Fail(ErrorCode::kFailed, "{}", result.output);
  return {};
}

// The object's kernel under another name, called by one that spoils what it computes.
Status Spoil(const std::string& how, const std::string& symbol, size_t inputs,
             const std::string& object) {
  const std::string right = object + ".right.o", wrapper = object + ".wrapper.o";
  std::filesystem::rename(object, right);
  RETURN_IF_ERROR(RunTool({"objcopy", "--redefine-sym", symbol + "_argv=right_argv", right}));
  RETURN_IF_ERROR(
      RunTool({WHET_TEST_CC, "-O1", "-fPIC", "-c", "-DSPOIL_" + how, "-DRIGHT=right_argv",
               "-DSPOILT=" + symbol + "_argv", "-DINPUTS=" + std::to_string(inputs), "-o", wrapper,
               WHET_TEST_SPOILT_KERNELS}));
  return RunTool({"ld", "-r", "-o", object, right, wrapper});
}

}  // namespace

WorkerHandlers SpoilingHandlers() {
  WorkerHandlers handlers = AllWorkerHandlers();
  JobHandler real = handlers.jobs["build"];
  handlers.jobs["build"] = [real](const Json& payload, JobContext& context) -> Result<Json> {
    ASSIGN_OR_RETURN(Json answer, real(payload, context));
    const char* how = std::getenv(kHow);
    if (how == nullptr) return answer;
    if (const char* once = std::getenv(kOnce)) {
      const int fd = open(once, O_CREAT | O_EXCL | O_WRONLY, 0600);
      if (fd < 0) return answer;
      close(fd);
    }
    RETURN_IF_ERROR(Spoil(how, payload["kernel_name"].get<std::string>(),
                          payload["task"]["inputs"].size(),
                          payload["object_path"].get<std::string>()));
    return answer;
  };
  return handlers;
}

SpoilKernels::SpoilKernels(const std::string& how, const std::string& once) {
  setenv(kHow, how.c_str(), 1);
  if (!once.empty()) setenv(kOnce, once.c_str(), 1);
}

SpoilKernels::~SpoilKernels() {
  unsetenv(kHow);
  unsetenv(kOnce);
}

}  // namespace whet
