// Kernels of a shared object, loaded with dlopen; unloaded when the last reference goes.
//
// The object's kernels find the symbols of runtime/halide_runtime.cpp in the program that loads
// them. Thread safety: const functions from any thread.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"

namespace whet {

// NAME_argv of a Halide kernel: one halide_buffer_t* per argument; 0 is success.
using KernelFunction = int (*)(void** args);

class KernelLibrary {
 public:
  // kNotFound if there is no such file, kFailed with the loader's reason otherwise.
  static Result<std::shared_ptr<KernelLibrary>> Open(const std::string& path);
  KernelLibrary(const KernelLibrary&) = delete;
  KernelLibrary& operator=(const KernelLibrary&) = delete;
  ~KernelLibrary();

  Result<KernelFunction> Find(const std::string& symbol) const;  // looks up SYMBOL_argv
  void* FindSymbol(const std::string& name) const;               // null if there is none

 private:
  KernelLibrary(std::string path, void* handle) : path_(std::move(path)), handle_(handle) {}
  std::string path_;
  void* handle_;
};

}  // namespace whet
