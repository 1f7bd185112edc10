#include "codegen/kernel_compiler.h"

namespace whet {

Status LinkSharedObject(const std::vector<std::string>& objects, const std::string& output,
                        const ProcessOptions& options) {
  std::vector<std::string> command = {"ld", "-shared", "-o", output};
  command.insert(command.end(), objects.begin(), objects.end());
  ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(command, options));
  if (result.exit_code != 0) {
    return Fail(ErrorCode::kFailed, "ld could not link {}: {}", output, result.output);
  }
  return {};
}

}  // namespace whet
