// A bundle: a plan on disk, shippable. docs/formats/bundle.md has what each file is for.
//
//   manifest.json  weights.bin  libNAME.a  libNAME.so  NAME.h  whet.h
//
// The same request gives the same bytes. The libraries carry Whet's runtime and need libc, libm and
// libstdc++ only. Uses the system's cc, ar and objcopy, or $CC, $AR and $OBJCOPY; the runtime's
// archives come from the build's folder, or $WHET_RUNTIME_DIR. Thread safety: any thread; one
// writer a directory.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "runtime/plan.h"

namespace whet {

struct BundleRequest {
  PlanSpec plan;
  std::string constants;                  // plan.constant_bytes bytes
  std::vector<std::string> object_paths;  // define SYMBOL_argv for every kernel of the plan
  std::string name;                       // a C identifier (BundleName)
  std::string license, description;       // the user's, kept in the manifest
  Json provenance = Json::object();       // what the kernels came from, kept in the manifest
};

struct BundleOptions {
  bool static_library = true;
  bool shared_object = true;
};

// A C identifier made from a network's name: "MobileNet-v2" gives "mobilenet_v2".
std::string BundleName(const std::string& model);

// Writes beside `directory` and renames at the end: there is a whole bundle or what was there
// before. Replaces a bundle and fills an empty directory; kInvalidInput for any other. kIo where
// the file system refuses, kFailed where a tool does.
Status WriteBundle(const BundleRequest& request, const std::string& directory,
                   const BundleOptions& options = {});

}  // namespace whet
