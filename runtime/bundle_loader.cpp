#include "runtime/bundle_loader.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "base/fingerprint.h"
#include "runtime/cpu_check.h"
#include "runtime/halide_runtime.h"
#include "runtime/whet.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

constexpr char kFormat[] = "whet-bundle";
const std::string kNoChecksum(32, '0');

using KernelTable = std::map<std::string, KernelFunction>;

struct LinkedTables {
  std::mutex mutex;
  std::map<std::string, KernelTable> by_bundle;
};

LinkedTables& TheLinkedTables() {
  static LinkedTables tables;
  return tables;
}

// Null if the program has no kernels of this bundle.
std::unique_ptr<KernelTable> FindLinkedKernels(const std::string& bundle_id) {
  LinkedTables& tables = TheLinkedTables();
  const std::lock_guard lock(tables.mutex);
  const auto it = tables.by_bundle.find(bundle_id);
  if (it == tables.by_bundle.end()) return nullptr;
  return std::make_unique<KernelTable>(it->second);
}

Status CheckVersion(const Json& manifest) {
  const auto format = Field<std::string>(manifest, "format");
  if (!format || *format != kFormat) {
    return Fail(ErrorCode::kCorrupt,
                "{} is not the manifest of a Whet bundle: its field 'format' is "
                "not '{}'",
                kManifestFile, kFormat);
  }
  ASSIGN_OR_RETURN(const int version, Field<int>(manifest, "version"));
  if (version > kBundleVersion) {
    return Fail(
        ErrorCode::kTooNew,
        "the bundle has version {} and this runtime reads up to version {}: a newer Whet runtime "
        "is needed",
        version, kBundleVersion);
  }
  if (version < 1) return Fail(ErrorCode::kCorrupt, "the bundle has version {}", version);
  return {};
}

// A plain file name inside the bundle: a manifest names nothing outside its directory.
bool IsPlainName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

// The bytes of `name`, as the manifest's table of files has them.
Result<std::string> ReadChecked(const fs::path& directory, const Json& manifest,
                                const std::string& name) {
  if (!IsPlainName(name)) return Fail(ErrorCode::kCorrupt, "'{}' is not a file name", name);
  ASSIGN_OR_RETURN(const Json files, Field<Json>(manifest, "files"));
  ASSIGN_OR_RETURN(const Json entry, Field<Json>(files, name.c_str()));
  ASSIGN_OR_RETURN(const int64_t bytes, Field<int64_t>(entry, "bytes"));
  ASSIGN_OR_RETURN(const std::string checksum, Field<std::string>(entry, "xxh3"));
  ASSIGN_OR_RETURN(std::string content, ReadFile(directory / name));
  if (static_cast<int64_t>(content.size()) != bytes) {
    return Fail(ErrorCode::kCorrupt,
                "{} has {} bytes where the manifest has {}: copy the bundle again", name,
                content.size(), bytes);
  }
  if (Fingerprint(content) != checksum) {
    return Fail(ErrorCode::kCorrupt,
                "{} is damaged: its XXH3-128 is not the manifest's; copy the "
                "bundle again",
                name);
  }
  return content;
}

// The table that a bundle's shared object exports as NAME_kernels.
using KernelsFunction = const whet_kernel_entry* (*)(const char** bundle_id, int32_t* count);

struct Kernels {
  KernelTable table;
  std::shared_ptr<void> keep_alive;
};

Result<Kernels> LoadSharedKernels(const fs::path& directory, const Json& manifest,
                                  const std::string& bundle_id) {
  ASSIGN_OR_RETURN(const std::string name, Field<std::string>(manifest, "name"));
  ASSIGN_OR_RETURN(const std::string file, FieldOr<std::string>(manifest, "library", ""));
  if (file.empty()) {
    return Fail(ErrorCode::kNotFound,
                "the bundle has no shared object, and its kernels are not linked "
                "into the program: link lib{}.a and call {}_create",
                name, name);
  }
  RETURN_IF_ERROR(ReadChecked(directory, manifest, file));
  ASSIGN_OR_RETURN(const auto library, KernelLibrary::Open((directory / file).string()));
  const auto kernels = reinterpret_cast<KernelsFunction>(library->FindSymbol(name + "_kernels"));
  if (kernels == nullptr) {
    return Fail(ErrorCode::kCorrupt, "{} does not define {}_kernels", file, name);
  }
  const char* id = nullptr;
  int32_t count = 0;
  const whet_kernel_entry* entries = kernels(&id, &count);
  if (bundle_id != id) {
    return Fail(ErrorCode::kCorrupt, "{} belongs to bundle {} and not to {}", file, id, bundle_id);
  }
  // The shared object has a runtime of its own: it gets this one's thread pool.
  using Adopt = void (*)(HalideParFor);
  if (auto adopt = reinterpret_cast<Adopt>(library->FindSymbol("whet_adopt_runtime"))) {
    adopt(ActiveParFor());
  }
  Kernels result;
  for (int32_t i = 0; i < count; ++i) result.table[entries[i].symbol] = entries[i].function;
  result.keep_alive = library;
  return result;
}

Result<Bundle> Open(const fs::path& directory) {
  Bundle bundle;
  ASSIGN_OR_RETURN(bundle.manifest, ReadManifest(directory.string()));
  const Json& manifest = bundle.manifest;
  ASSIGN_OR_RETURN(const std::string bundle_id, Field<std::string>(manifest, "bundle_id"));
  ASSIGN_OR_RETURN(const Json plan_json, Field<Json>(manifest, "plan"));
  auto parsed = PlanSpec::FromJson(plan_json);
  if (!parsed) return Prefixed(parsed.error(), std::string(kManifestFile) + ": plan");
  PlanSpec plan = std::move(*parsed);
  RETURN_IF_ERROR(CheckCpu(plan.target));
  ASSIGN_OR_RETURN(const std::string weights, ReadChecked(directory, manifest, kWeightsFile));

  Kernels kernels;
  if (auto linked = FindLinkedKernels(bundle_id)) {
    kernels.table = std::move(*linked);
  } else {
    ASSIGN_OR_RETURN(kernels, LoadSharedKernels(directory, manifest, bundle_id));
  }
  std::vector<KernelFunction> functions;
  for (const PlanKernel& kernel : plan.kernels) {
    const auto it = kernels.table.find(kernel.symbol);
    if (it == kernels.table.end()) {
      return Fail(ErrorCode::kCorrupt, "the bundle's code has no kernel '{}'", kernel.symbol);
    }
    functions.push_back(it->second);
  }
  ASSIGN_OR_RETURN(bundle.executor, Executor::Create(std::move(plan), weights, std::move(functions),
                                                     std::move(kernels.keep_alive)));
  return bundle;
}

}  // namespace

std::string SealManifest(Json manifest) {
  manifest["checksum"] = kNoChecksum;
  std::string text = DumpJson(manifest, 2) + "\n";
  const std::string checksum = Fingerprint(text);
  // Keys are sorted and "bundle_id" is the only one before it: no user's text can come first.
  text.replace(text.find(kNoChecksum, text.find("\"checksum\"")), checksum.size(), checksum);
  return text;
}

Result<Json> ReadManifest(const std::string& directory) {
  const fs::path path = fs::path(directory) / kManifestFile;
  auto text = ReadFile(path);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound, "{} is not a bundle: it has no {}", directory, kManifestFile);
  }
  if (!text) return tl::unexpected<Error>(text.error());
  auto manifest = ParseJson(*text);
  if (!manifest) return Prefixed(manifest.error(), kManifestFile);
  RETURN_IF_ERROR(CheckVersion(*manifest));
  ASSIGN_OR_RETURN(const std::string checksum, Field<std::string>(*manifest, "checksum"));
  const size_t at = text->find(checksum, std::min(text->find("\"checksum\""), text->size()));
  if (checksum.size() == kNoChecksum.size() && at != std::string::npos) {
    text->replace(at, checksum.size(), kNoChecksum);
  }
  if (Fingerprint(*text) != checksum) {
    return Fail(ErrorCode::kCorrupt,
                "{} is damaged or was edited: its XXH3-128 is not the one that it "
                "carries; compile the bundle again",
                kManifestFile);
  }
  return std::move(*manifest);
}

Result<Bundle> OpenBundle(const std::string& directory) {
  auto bundle = Open(directory);
  if (!bundle && bundle.error().message.find(directory) == std::string::npos) {
    return Prefixed(bundle.error(), directory);
  }
  return bundle;
}

void RegisterLinkedKernels(const std::string& bundle_id, std::vector<LinkedKernel> kernels) {
  KernelTable table;
  for (LinkedKernel& kernel : kernels) table[std::move(kernel.symbol)] = kernel.function;
  LinkedTables& tables = TheLinkedTables();
  const std::lock_guard lock(tables.mutex);
  tables.by_bundle[bundle_id] = std::move(table);
}

}  // namespace whet
