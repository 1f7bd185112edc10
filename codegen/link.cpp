#include "codegen/kernel_compiler.h"

namespace whet {

Status LinkSharedObject(const std::vector<std::string>& objects, const std::string& output,
                        const ProcessOptions& options) {
  std::vector<std::string> command = {"ld", "-shared", "-o", output};
  command.insert(command.end(), objects.begin(), objects.end());
  ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(command, options));
  if (result.exit_code != 0) {
    // One that was killed says nothing but its exit code.
    const std::string said = result.output.substr(0, result.output.find_last_not_of(" \n") + 1);
    return Fail(ErrorCode::kFailed, "ld could not link {} (exit code {}){}{}", output,
                result.exit_code, said.empty() ? "" : ": ", said);
  }
  return {};
}

}  // namespace whet
