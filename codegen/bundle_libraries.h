// A bundle's libraries, made by the system's compiler driver, archiver and objcopy.
//
// The kernels and their table become one object in which only NAME_create and NAME_kernels are
// global, so that bundles whose kernels have the same names can be linked into one program. Thread
// safety: any thread; one user a work folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"

namespace whet {

// The folder with libwhet_runtime.a, libwhet_base.a and whet.h: $WHET_RUNTIME_DIR or the build's.
// kNotFound naming the file that is missing.
Result<std::filesystem::path> FindRuntimeDirectory();

class BundleLibraries {
 public:
  // `work` is an empty folder for intermediate files, and holds the generated NAME_table.c, NAME.h
  // and whet.h.
  BundleLibraries(std::filesystem::path work, std::filesystem::path runtime, std::string name)
      : work_(std::move(work)), runtime_(std::move(runtime)), name_(std::move(name)) {}

  // NAME_kernels.o in the work folder; the other two need it.
  Status LinkKernels(const std::vector<std::string>& object_paths);
  Status WriteStaticLibrary(const std::filesystem::path& output);
  Status WriteSharedObject(const std::filesystem::path& output, const std::string& export_script);

 private:
  // Runs a tool in the work folder; kFailed with what it said.
  Status Run(std::vector<std::string> argv) const;
  std::string KernelsObject() const { return name_ + "_kernels.o"; }
  // Unpacks an archive; the names of its members' files, sorted, each beginning with `prefix`.
  Result<std::vector<std::string>> Unpack(const std::string& archive,
                                          const std::string& prefix) const;

  std::filesystem::path work_, runtime_;
  std::string name_;
};

}  // namespace whet
