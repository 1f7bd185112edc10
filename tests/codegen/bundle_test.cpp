#include "codegen/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/file.h"
#include "base/process.h"
#include "runtime/bundle_loader.h"
#include "runtime/whet.h"

namespace whet {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSanitizerFlags[] = WHET_TEST_LINK_FLAGS;

// What Halide's kernels look like to the linker: y = x + w through a parallel loop on scratch
// memory.
constexpr char kKernelSource[] = R"(
#include <stdint.h>
#include <stddef.h>
#include <math.h>
struct buffer { uint64_t device; void* interface; float* host; };
extern int halide_do_par_for(void*, int (*)(void*, int, uint8_t*), int, int, uint8_t*);
extern void* halide_malloc(void*, size_t);
extern void halide_free(void*, void*);
int shared_helper(void* context, int i, uint8_t* closure) {
  float** p = (float**)closure;
  p[2][i] = p[0][i] + fabsf(sinf(0.0f)) + p[1][i];
  return 0;
}
int SYMBOL_argv(void** args) {
  float* p[3];
  for (int i = 0; i < 3; ++i) p[i] = ((struct buffer*)args[i])->host;
  float* out = p[2];
  p[2] = halide_malloc(0, 6 * sizeof(float));
  int code = halide_do_par_for(0, shared_helper, 0, 6, (uint8_t*)p);
  for (int i = 0; i < 6; ++i) out[i] = FACTOR * p[2][i];
  halide_free(0, p[2]);
  return code;
}
)";

constexpr char kProgram[] = R"(
#include <cstdio>
#include "NAME.h"
int main(int, char** argv) {
  whet_model* model = NAME_create(argv[1]);
  if (model == nullptr) { std::printf("%s\n", whet_last_error()); return 1; }
  const float x[6] = {10, 20, 30, 40, 50, 60};
  float y[6];
  const void* in[] = {x};
  void* out[] = {y};
  if (whet_run(model, in, out) != 0) { std::printf("%s\n", whet_last_error()); return 1; }
  std::printf("%g %g\n", y[0], y[5]);
  whet_destroy(model);
  return 0;
}
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class Bundles : public ::testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return directory_.path() / name; }
  std::string Dir() const { return Path("bundle").string(); }

  void Write(const fs::path& path, const std::string& bytes) {
    const Status status = WriteFileAtomically(path, bytes);
    ASSERT_TRUE(status) << status.error().message;
  }
  // The output of a program that is expected to succeed.
  static std::string Run(std::vector<std::string> argv) {
    const ProcessResult result = RunProcess(argv).value();
    EXPECT_EQ(result.exit_code, 0) << argv[0] << ": " << result.output;
    return result.output;
  }
  static std::vector<std::string> WithFlags(std::vector<std::string> argv) {
    if (*kSanitizerFlags != '\0') argv.push_back(kSanitizerFlags);
    return argv;
  }

  // y = factor * (x + w), w = 1 .. 6
  BundleRequest Request(const std::string& name = "toy", const std::string& factor = "1") {
    const TensorType type{DataType::kFloat32, {2, 3}};
    BundleRequest request;
    request.name = name;
    request.description = "a toy */ network";
    request.license = "Apache-2.0";
    request.provenance = {{"records", {17}}};
    PlanSpec& plan = request.plan;
    plan.model = "toy";
    plan.target = "x86-64-linux-sse41-2t";
    plan.threads = 2;
    plan.inputs = {{"x", type}};
    plan.outputs = {{"y", type}};
    plan.values = {
        {type, Place::kInput, 0}, {type, Place::kConstant, 0}, {type, Place::kOutput, 0}};
    plan.kernels = {{"whet_0_add", "0123", "Add(2x3)", 17, 6}};
    plan.steps = {{"add", 0, {0, 1, 2}}};
    plan.constant_bytes = 64;
    const std::vector<float> w{1, 2, 3, 4, 5, 6};
    request.constants.assign(64, '\0');
    std::memcpy(request.constants.data(), w.data(), 24);
    const std::string source = Replaced(kKernelSource, "SYMBOL", "whet_0_add");
    Write(Path(name + "_kernel.c"), Replaced(source, "FACTOR", factor));
    const std::string object = Path(name + "_kernel.o").string();
    Run({"cc", "-O1", "-fPIC", "-c", Path(name + "_kernel.c").string(), "-o", object});
    request.object_paths = {object};
    return request;
  }
  void MustWrite(const BundleRequest& request, const BundleOptions& options = {}) {
    const Status status = WriteBundle(request, Dir(), options);
    ASSERT_TRUE(status) << status.error().message;
  }
  // Every file of a directory by name.
  static std::map<std::string, std::string> Files(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
      files[entry.path().filename().string()] = ReadFile(entry.path()).value();
    }
    return files;
  }
  std::vector<std::string> Names(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : Files(directory)) names.push_back(name);
    return names;
  }

  TemporaryDirectory directory_ = TemporaryDirectory::Create("whet-bundle-test").value();
};

std::vector<float> RunModel(whet_model* model) {
  const std::vector<float> x{10, 20, 30, 40, 50, 60};
  std::vector<float> y(6);
  const void* inputs[] = {x.data()};
  void* outputs[] = {y.data()};
  EXPECT_EQ(whet_run(model, inputs, outputs), 0) << whet_last_error();
  return y;
}

TEST_F(Bundles, LoadAndRunThroughTheCInterface) {
  MustWrite(Request());
  EXPECT_THAT(Names(Dir()), ElementsAre("libtoy.a", "libtoy.so", "manifest.json", "toy.h",
                                        "weights.bin", "whet.h"));
  whet_model* model = whet_create(Dir().c_str());
  ASSERT_NE(model, nullptr) << whet_last_error();
  EXPECT_THAT(RunModel(model), ElementsAre(11, 22, 33, 44, 55, 66));
  whet_destroy(model);
  const Json manifest = ReadManifest(Dir()).value();
  EXPECT_EQ(manifest["license"], "Apache-2.0");
  EXPECT_EQ(manifest["provenance"]["records"][0], 17);
}

TEST_F(Bundles, TwoWithTheSameKernelNamesLoadSideBySide) {
  ASSERT_TRUE(WriteBundle(Request("one", "1"), Path("one").string()));
  ASSERT_TRUE(WriteBundle(Request("two", "2"), Path("two").string()));
  whet_model* one = whet_create(Path("one").c_str());
  whet_model* two = whet_create(Path("two").c_str());
  ASSERT_NE(one, nullptr) << whet_last_error();
  ASSERT_NE(two, nullptr) << whet_last_error();
  EXPECT_THAT(RunModel(one), ElementsAre(11, 22, 33, 44, 55, 66));
  EXPECT_THAT(RunModel(two), ElementsAre(22, 44, 66, 88, 110, 132));
  whet_destroy(one);
  EXPECT_THAT(RunModel(two), ElementsAre(22, 44, 66, 88, 110, 132));
  whet_destroy(two);
}

TEST_F(Bundles, LinkStaticallyWithACompilerAlone) {
  MustWrite(Request(), {.static_library = true, .shared_object = false});
  EXPECT_THAT(Names(Dir()),
              ElementsAre("libtoy.a", "manifest.json", "toy.h", "weights.bin", "whet.h"));
  Write(Path("main.cpp"), Replaced(kProgram, "NAME", "toy"));
  Run(WithFlags({"g++", Path("main.cpp").string(), "-I", Dir(), Dir() + "/libtoy.a", "-lpthread",
                 "-ldl", "-o", Path("main").string()}));
  EXPECT_EQ(Run({Path("main").string(), Dir()}), "11 66\n");
  EXPECT_EQ(whet_create(Dir().c_str()), nullptr);
  EXPECT_THAT(whet_last_error(), HasSubstr("link libtoy.a and call toy_create"));
}

TEST_F(Bundles, LinkDynamicallyAndNeedOnlyTheCAndCppLibraries) {
  MustWrite(Request(), {.static_library = false, .shared_object = true});
  Write(Path("main.cpp"), Replaced(kProgram, "NAME", "toy"));
  Run(WithFlags({"g++", Path("main.cpp").string(), "-I", Dir(), Dir() + "/libtoy.so",
                 "-Wl,-rpath," + Dir(), "-o", Path("main").string()}));
  EXPECT_EQ(Run({Path("main").string(), Dir()}), "11 66\n");
  for (const char* word : {"Halide", "LLVM", "sqlite", "fmt", "xgboost"}) {
    EXPECT_THAT(Run({"readelf", "-d", Dir() + "/libtoy.so"}), Not(HasSubstr(word)));
  }
}

TEST_F(Bundles, ShowTheCInterfaceAndNothingElse) {
  MustWrite(Request());
  std::istringstream lines(
      Run({"nm", "-D", "--defined-only", "-f", "posix", Dir() + "/libtoy.so"}));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = line.substr(0, line.find_first_of(" @"));
    EXPECT_TRUE(name.starts_with("whet_") || name == "toy_create" || name == "toy_kernels") << name;
  }
}

TEST_F(Bundles, TheSameRequestGivesTheSameBytes) {
  const BundleRequest request = Request();
  ASSERT_TRUE(WriteBundle(request, Path("first").string()));
  fs::create_directory(Path("deeper"));
  ASSERT_TRUE(WriteBundle(request, Path("deeper/second").string()));
  const auto first = Files(Path("first"));
  const auto second = Files(Path("deeper/second"));
  ASSERT_EQ(Names(Path("first")), Names(Path("deeper/second")));
  for (const auto& [name, bytes] : first) {
    EXPECT_TRUE(second.at(name) == bytes) << name;
    EXPECT_EQ(bytes.find(directory_.path().string()), std::string::npos) << name;
  }
}

TEST_F(Bundles, AFlippedByteIsRefusedWithOneSentence) {
  MustWrite(Request());
  for (const char* name : {"manifest.json", "weights.bin", "libtoy.so"}) {
    const fs::path path = fs::path(Dir()) / name;
    const std::string bytes = ReadFile(path).value();
    std::string flipped = bytes;
    flipped[bytes.size() / 2] ^= 1;
    Write(path, flipped);
    EXPECT_EQ(whet_create(Dir().c_str()), nullptr);
    EXPECT_THAT(whet_last_error(), HasSubstr(name));
    EXPECT_THAT(whet_last_error(), Not(HasSubstr("\n")));
    Write(path, bytes);
  }
}

TEST_F(Bundles, ReplaceABundleAndFillAnEmptyDirectory) {
  fs::create_directory(Dir());
  MustWrite(Request());
  Write(fs::path(Dir()) / "manifest.json", R"({"format": "whet-bundle", "version": 99})");
  MustWrite(Request("other"));
  EXPECT_TRUE(fs::exists(fs::path(Dir()) / "libother.so"));
  EXPECT_FALSE(fs::exists(fs::path(Dir()) / "libtoy.so"));
}

TEST_F(Bundles, OtherFilesAreNeverReplaced) {
  const BundleRequest request = Request();
  fs::create_directory(Dir());
  Write(fs::path(Dir()) / "thesis.tex", "precious");
  EXPECT_THAT(WriteBundle(request, Dir()).error().message, HasSubstr("has other files in it"));
  EXPECT_EQ(Files(Dir()).size(), 1u);
  Write(Path("file"), "precious");
  EXPECT_THAT(WriteBundle(request, Path("file").string()).error().message,
              HasSubstr("it is not a directory"));
}

TEST_F(Bundles, AFailureLeavesWhatWasThere) {
  MustWrite(Request());
  const auto before = Files(Dir());
  BundleRequest broken = Request();
  broken.plan.kernels[0].symbol = "whet_0_missing";
  const Status status = WriteBundle(broken, Dir());
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("whet_0_missing"));
  EXPECT_THAT(status.error().message, Not(HasSubstr("\n")));
  EXPECT_EQ(Files(Dir()), before);
  for (const char* name : {".bundle", "bundle.tmp"}) {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      EXPECT_THAT(entry.path().filename().string(), Not(::testing::StartsWith(name)));
    }
  }
}

TEST_F(Bundles, AFolderThatCannotBeWrittenIsOneSentence) {
  const Status status = WriteBundle(Request(), "/proc/whet/bundle");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_THAT(status.error().message, HasSubstr("cannot write a bundle to /proc/whet/bundle: "));
}

TEST_F(Bundles, AMissingToolOrRuntimeIsOneSentence) {
  const BundleRequest request = Request();
  setenv("CC", "whet-no-such-compiler", 1);
  EXPECT_THAT(WriteBundle(request, Dir()).error().message, HasSubstr("whet-no-such-compiler"));
  unsetenv("CC");
  setenv("WHET_RUNTIME_DIR", directory_.path().c_str(), 1);
  EXPECT_THAT(WriteBundle(request, Dir()).error().message, HasSubstr("set WHET_RUNTIME_DIR"));
  unsetenv("WHET_RUNTIME_DIR");
  EXPECT_FALSE(fs::exists(Dir()));
}

TEST_F(Bundles, RefuseABadRequest) {
  BundleRequest request = Request();
  request.name = "not a name";
  EXPECT_EQ(WriteBundle(request, Dir()).error().code, ErrorCode::kInvalidInput);
  request = Request();
  request.constants = "short";
  EXPECT_FALSE(WriteBundle(request, Dir()));
  EXPECT_FALSE(WriteBundle(Request(), Dir(), {.static_library = false, .shared_object = false}));
  EXPECT_FALSE(WriteBundle(Request(), ""));
}

TEST(BundleNames, AreCIdentifiers) {
  EXPECT_EQ(BundleName("MobileNet-v2"), "mobilenet_v2");
  EXPECT_EQ(BundleName("ch_ppocr_mobile_v2.0_cls_infer"), "ch_ppocr_mobile_v2_0_cls_infer");
  EXPECT_EQ(BundleName("2d net"), "network_2d_net");
  EXPECT_EQ(BundleName(""), "network");
  EXPECT_EQ(BundleName("日本"), "network");
  EXPECT_THAT(BundleName(std::string(500, 'a')).size(), 64u);
}

}  // namespace
}  // namespace whet
