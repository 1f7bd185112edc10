// A bundle directory to an executor: what whet_create and `whet run BUNDLE` do. Format:
// docs/formats/bundle.md.
//
// Every file is checked against the manifest's XXH3-128, and the manifest against its own, before
// any of it is used. Thread safety: any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "runtime/executor.h"

namespace whet {

inline constexpr int kBundleVersion = 1;
inline constexpr char kManifestFile[] = "manifest.json";
inline constexpr char kWeightsFile[] = "weights.bin";

struct Bundle {
  Json manifest;
  std::unique_ptr<Executor> executor;  // keeps the kernels loaded
};

// Kernels registered under the bundle's id (the static library) win over the bundle's shared
// object. kNotFound, kIo, kCorrupt, kTooNew or kFailed, each with one sentence that begins with the
// directory.
Result<Bundle> OpenBundle(const std::string& directory);

// manifest.json without loading anything: parsed, its version and its own checksum checked.
Result<Json> ReadManifest(const std::string& directory);

// The text of a manifest, with its checksum: field "checksum" of `manifest` is the XXH3-128 of the
// text in which that field is 32 zeros.
std::string SealManifest(Json manifest);

// Keeps the table for the rest of the process; a second table under the same id replaces the first.
struct LinkedKernel {
  std::string symbol;
  KernelFunction function;
};
void RegisterLinkedKernels(const std::string& bundle_id, std::vector<LinkedKernel> kernels);

}  // namespace whet
