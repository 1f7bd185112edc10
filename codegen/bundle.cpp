#include "codegen/bundle.h"

#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/fingerprint.h"
#include "codegen/bundle_libraries.h"
#include "codegen/bundle_sources.h"
#include "runtime/bundle_loader.h"

namespace whet {
namespace {

namespace fs = std::filesystem;

bool IsIdentifier(const std::string& text) {
  for (unsigned char c : text) {
    if (c >= 128 || !(std::isalnum(c) || c == '_')) return false;
  }
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text[0]));
}

Status CheckRequest(const BundleRequest& request, const BundleOptions& options) {
  if (!IsIdentifier(request.name)) {
    return Fail(ErrorCode::kInvalidInput, "bundle name '{}' is not a C identifier", request.name);
  }
  if (!options.static_library && !options.shared_object) {
    return Fail(ErrorCode::kInvalidInput,
                "a bundle needs a static library, a shared object or both");
  }
  RETURN_IF_ERROR(request.plan.Validate());
  if (static_cast<int64_t>(request.constants.size()) != request.plan.constant_bytes) {
    return Fail(ErrorCode::kInternal, "the constants have {} bytes where the plan has {}",
                request.constants.size(), request.plan.constant_bytes);
  }
  return {};
}

// Only a bundle or an empty directory may be replaced.
Status CheckTarget(const fs::path& target) {
  std::error_code error;
  const fs::file_status status = fs::status(target, error);
  if (!fs::exists(status)) return {};
  if (!fs::is_directory(status)) {
    return Fail(ErrorCode::kInvalidInput, "cannot write a bundle to {}: it is not a directory",
                target.string());
  }
  if (fs::is_empty(target, error) || ReadManifest(target.string())) return {};
  const auto text = ReadFile(target / kManifestFile);
  const auto json = text ? ParseJson(*text) : Result<Json>(Json());
  if (json && FieldOr<std::string>(*json, "format", "").value_or("") == "whet-bundle") return {};
  return Fail(
      ErrorCode::kInvalidInput,
      "cannot write a bundle to {}: the directory has other files in it; name a new or empty one",
      target.string());
}

// A folder beside the target, gone in the end whatever happens.
class Stage {
 public:
  static Result<Stage> Create(const fs::path& target) {
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    fs::path path =
        target.parent_path() / fmt::format(".{}.{}.tmp", target.filename().string(), getpid());
    if (!error) fs::remove_all(path, error);
    if (!error) fs::create_directory(path, error);
    if (!error) fs::create_directory(path / "files", error);
    if (!error) fs::create_directory(path / "work", error);
    Stage stage(path);
    if (error) {
      return Fail(ErrorCode::kIo, "cannot write a bundle to {}: {}", target.string(),
                  error.message());
    }
    return stage;
  }
  Stage(Stage&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Stage& operator=(Stage&&) = delete;
  ~Stage() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  fs::path files() const { return path_ / "files"; }
  fs::path work() const { return path_ / "work"; }

  Status MoveTo(const fs::path& target) const {
    std::error_code error;
    const fs::path old = path_ / "old";
    const bool replaces = fs::exists(target, error);
    if (replaces) fs::rename(target, old, error);
    if (!error) {
      fs::rename(files(), target, error);
      std::error_code ignored;
      if (error && replaces) fs::rename(old, target, ignored);
    }
    if (error) {
      return Fail(ErrorCode::kIo, "cannot write a bundle to {}: {}", target.string(),
                  error.message());
    }
    return {};
  }

 private:
  explicit Stage(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

// Names the code and data together: kernels registered under it belong to exactly this plan and
// these weights.
Result<std::string> BundleId(const BundleRequest& request) {
  std::string identity = request.name + "\n" + DumpJson(request.plan.ToJson()) + "\n" +
                         Fingerprint(request.constants) + "\n";
  for (const std::string& path : request.object_paths) {
    ASSIGN_OR_RETURN(const std::string object, ReadFile(path));
    identity += Fingerprint(object) + "\n";
  }
  return Fingerprint(identity);
}

// The files of the bundle, the manifest excepted.
Status WriteFiles(const BundleRequest& request, const BundleOptions& options,
                  const std::string& bundle_id, const Stage& stage) {
  const std::string& name = request.name;
  ASSIGN_OR_RETURN(const fs::path runtime, FindRuntimeDirectory());
  ASSIGN_OR_RETURN(const std::string c_header, ReadFile(runtime / "whet.h"));
  const std::string header = BundleHeader(request.plan, name, request.description, request.license);
  for (const fs::path& folder : {stage.files(), stage.work()}) {
    RETURN_IF_ERROR(WriteFileAtomically(folder / "whet.h", c_header));
    RETURN_IF_ERROR(WriteFileAtomically(folder / (name + ".h"), header));
  }
  RETURN_IF_ERROR(WriteFileAtomically(stage.files() / kWeightsFile, request.constants));
  RETURN_IF_ERROR(WriteFileAtomically(stage.work() / (name + "_table.c"),
                                      KernelTableSource(request.plan, name, bundle_id)));
  BundleLibraries libraries(stage.work(), runtime, name);
  RETURN_IF_ERROR(libraries.LinkKernels(request.object_paths));
  if (options.static_library) {
    RETURN_IF_ERROR(libraries.WriteStaticLibrary(stage.files() / ("lib" + name + ".a")));
  }
  // Linked even where it is not wanted: a symbol that nobody defines shows here and not in the
  // user's program.
  const fs::path shared_folder = options.shared_object ? stage.files() : stage.work();
  return libraries.WriteSharedObject(shared_folder / ("lib" + name + ".so"), ExportScript(name));
}

Status WriteManifest(const BundleRequest& request, const BundleOptions& options,
                     const std::string& bundle_id, const Stage& stage) {
  Json manifest{{"format", "whet-bundle"},
                {"version", kBundleVersion},
                {"whet_version", WHET_VERSION},
                {"name", request.name},
                {"bundle_id", bundle_id},
                {"license", request.license},
                {"description", request.description},
                {"provenance", request.provenance},
                {"plan", request.plan.ToJson()}};
  if (options.shared_object) manifest["library"] = "lib" + request.name + ".so";
  manifest["files"] = Json::object();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(stage.files(), error)) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(entry.path()));
    manifest["files"][entry.path().filename().string()] = {{"bytes", bytes.size()},
                                                           {"xxh3", Fingerprint(bytes)}};
  }
  return WriteFileAtomically(stage.files() / kManifestFile, SealManifest(std::move(manifest)));
}

}  // namespace

std::string BundleName(const std::string& model) {
  std::string name;
  for (unsigned char c : model) {
    const bool letter = c < 128 && std::isalnum(c);
    if (letter) name += static_cast<char>(std::tolower(c));
    if (!letter && !name.empty() && name.back() != '_') name += '_';
  }
  while (name.ends_with('_')) name.pop_back();
  if (name.empty()) name = "network";
  if (std::isdigit(static_cast<unsigned char>(name[0]))) name = "network_" + name;
  return name.substr(0, 64);
}

Status WriteBundle(const BundleRequest& request, const std::string& directory,
                   const BundleOptions& options) {
  RETURN_IF_ERROR(CheckRequest(request, options));
  std::error_code error;
  fs::path target = fs::weakly_canonical(fs::absolute(directory, error), error);
  if (error || directory.empty()) {
    return Fail(ErrorCode::kInvalidInput, "cannot write a bundle to '{}': it is not a path",
                directory);
  }
  if (target.filename().empty()) target = target.parent_path();
  RETURN_IF_ERROR(CheckTarget(target));
  ASSIGN_OR_RETURN(const std::string bundle_id, BundleId(request));
  ASSIGN_OR_RETURN(const Stage stage, Stage::Create(target));
  const auto written = [&]() -> Status {
    RETURN_IF_ERROR(WriteFiles(request, options, bundle_id, stage));
    return WriteManifest(request, options, bundle_id, stage);
  }();
  if (!written) return Prefixed(written.error(), "cannot write a bundle to " + target.string());
  return stage.MoveTo(target);
}

}  // namespace whet
