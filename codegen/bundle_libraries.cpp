#include "codegen/bundle_libraries.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/file.h"
#include "base/process.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

// A tool's command line: the environment's, which may carry options ("ccache gcc"), or the usual
// name.
std::vector<std::string> Tool(const char* variable, const char* usual) {
  const char* value = std::getenv(variable);
  std::istringstream words(value != nullptr ? value : "");
  std::vector<std::string> command;
  for (std::string word; words >> word;) command.push_back(word);
  if (command.empty()) command.push_back(usual);
  return command;
}

std::vector<std::string> Join(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The line of a tool's output that says what went wrong.
std::string Complaint(const std::string& output) {
  std::istringstream lines(output);
  std::string line, last;
  while (std::getline(lines, line)) {
    if (line.find("error") != std::string::npos ||
        line.find("undefined reference") != std::string::npos ||
        line.find("No space") != std::string::npos) {
      return line;
    }
    if (!line.empty()) last = line;
  }
  return last.empty() ? "it said nothing" : last;
}

// What the programs that Whet itself is built with need besides (sanitizers).
std::vector<std::string> ExtraLinkFlags() {
  std::istringstream words(WHET_BUNDLE_LINK_FLAGS);
  std::vector<std::string> flags;
  for (std::string word; words >> word;) flags.push_back(word);
  return flags;
}

}  // namespace

Result<fs::path> FindRuntimeDirectory() {
  const char* variable = std::getenv("WHET_RUNTIME_DIR");
  const fs::path directory =
      variable != nullptr && *variable != '\0' ? variable : WHET_RUNTIME_DIRECTORY;
  for (const char* name : {"libwhet_runtime.a", "libwhet_base.a", "whet.h"}) {
    if (std::error_code ignored; !fs::exists(directory / name, ignored)) {
      return Fail(ErrorCode::kNotFound,
                  "there is no {}, which bundles are made of: set WHET_RUNTIME_DIR to the folder "
                  "with Whet's "
                  "runtime",
                  (directory / name).string());
    }
  }
  return fs::absolute(directory);
}

Status BundleLibraries::Run(std::vector<std::string> argv) const {
  ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(argv, {.directory = work_.string()}));
  if (result.timed_out) return Fail(ErrorCode::kFailed, "{} did not end in five minutes", argv[0]);
  if (result.exit_code != 0) {
    return Fail(ErrorCode::kFailed, "{} failed with exit code {}: {}", argv[0], result.exit_code,
                Complaint(result.output));
  }
  return {};
}

Status BundleLibraries::LinkKernels(const std::vector<std::string>& object_paths) {
  const std::string table = name_ + "_table";
  RETURN_IF_ERROR(Run(Join(Tool("CC", "cc"), {"-O2", "-fPIC", "-fvisibility=hidden", "-I.", "-c",
                                              table + ".c", "-o", table + ".o"})));
  // Objects go in under names of their own, so that no path of this machine gets into the bundle.
  std::vector<std::string> objects{table + ".o"};
  for (size_t i = 0; i < object_paths.size(); ++i) {
    const std::string object = fmt::format("kernel_{}.o", i);
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(object_paths[i]));
    RETURN_IF_ERROR(WriteFileAtomically(work_ / object, bytes));
    objects.push_back(object);
  }
  RETURN_IF_ERROR(
      Run(Join(Join(Tool("CC", "cc"), {"-r", "-nostdlib", "-o", KernelsObject()}), objects)));
  return Run(Join(Tool("OBJCOPY", "objcopy"),
                  {"--keep-global-symbol=" + name_ + "_create",
                   "--keep-global-symbol=" + name_ + "_kernels", KernelsObject()}));
}

Result<std::vector<std::string>> BundleLibraries::Unpack(const std::string& archive,
                                                         const std::string& prefix) const {
  const fs::path folder = work_ / prefix;
  std::error_code error;
  fs::create_directory(folder, error);
  BundleLibraries in_folder(folder, runtime_, name_);
  RETURN_IF_ERROR(in_folder.Run(Join(Tool("AR", "ar"), {"x", (runtime_ / archive).string()})));
  std::vector<std::string> members;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string member = prefix + "_" + entry.path().filename().string();
    fs::rename(entry.path(), work_ / member, error);
    if (error) break;
    members.push_back(member);
  }
  if (error) return Fail(ErrorCode::kIo, "cannot unpack {}: {}", archive, error.message());
  std::sort(members.begin(), members.end());
  return members;
}

Status BundleLibraries::WriteStaticLibrary(const fs::path& output) {
  ASSIGN_OR_RETURN(const auto runtime, Unpack("libwhet_runtime.a", "whet_runtime"));
  ASSIGN_OR_RETURN(const auto base, Unpack("libwhet_base.a", "whet_base"));
  return Run(Join(Join(Join(Tool("AR", "ar"), {"rcsD", output.string(), KernelsObject()}), runtime),
                  base));
}

Status BundleLibraries::WriteSharedObject(const fs::path& output,
                                          const std::string& export_script) {
  RETURN_IF_ERROR(WriteFileAtomically(work_ / "exports.map", export_script));
  std::vector<std::string> argv = Join(
      Tool("CC", "cc"), {"-shared", "-o", output.string(), KernelsObject(), "-Wl,--whole-archive",
                         (runtime_ / "libwhet_runtime.a").string(), "-Wl,--no-whole-archive",
                         (runtime_ / "libwhet_base.a").string(), "-Wl,--version-script=exports.map",
                         "-Wl,-soname,lib" + name_ + ".so", "-Wl,--build-id=none", "-Wl,-z,defs",
                         "-Wl,--as-needed", "-s", "-lstdc++", "-lm", "-lpthread", "-ldl"});
  return Run(Join(std::move(argv), ExtraLinkFlags()));
}

}  // namespace whet
