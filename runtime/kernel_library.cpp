#include "runtime/kernel_library.h"

#include <dlfcn.h>

#include <filesystem>

#include "runtime/halide_runtime.h"

namespace whet {

Result<std::shared_ptr<KernelLibrary>> KernelLibrary::Open(const std::string& path) {
  // Also what makes the linker keep halide_runtime.cpp in programs that only load kernels.
  TakeKernelError();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Fail(ErrorCode::kNotFound, "there is no shared object {}", path);
  }
  // A name without a slash would be searched for in the system's folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Fail(ErrorCode::kFailed, "cannot load the shared object {}: {}", path, dlerror());
  }
  return std::shared_ptr<KernelLibrary>(new KernelLibrary(path, handle));
}

KernelLibrary::~KernelLibrary() { dlclose(handle_); }

void* KernelLibrary::FindSymbol(const std::string& name) const {
  return dlsym(handle_, name.c_str());
}

Result<KernelFunction> KernelLibrary::Find(const std::string& symbol) const {
  void* function = FindSymbol(symbol + "_argv");
  if (function == nullptr) {
    return Fail(ErrorCode::kNotFound, "{} has no kernel '{}'", path_, symbol);
  }
  return reinterpret_cast<KernelFunction>(function);
}

}  // namespace whet
