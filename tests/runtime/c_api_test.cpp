#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/fingerprint.h"
#include "base/rng.h"
#include "fake_plan.h"
#include "runtime/bundle_loader.h"
#include "runtime/thread_pool.h"
#include "runtime/whet.h"

namespace whet {
namespace {

using testing::AddKernel;
using testing::DoubleKernel;
using testing::FailingKernel;
using testing::FakeConstants;
using testing::FakePlan;
using ::testing::HasSubstr;

constexpr char kBundleId[] = "0123456789abcdef0123456789abcdef";

// A bundle directory with the fake plan, whose kernels are linked into this program.
class CApi : public ::testing::Test {
 protected:
  void SetUp() override {
    Register(AddKernel);
    manifest_ = {{"format", "whet-bundle"}, {"version", 1},
                 {"name", "fake"},          {"bundle_id", kBundleId},
                 {"description", "a toy"},  {"plan", FakePlan().ToJson()}};
    manifest_["files"]["weights.bin"] = {{"bytes", 128}, {"xxh3", Fingerprint(FakeConstants())}};
    Write("weights.bin", FakeConstants());
    WriteManifest();
  }
  static void Register(KernelFunction add) {
    const whet_kernel_entry entries[] = {{"whet_0_double", DoubleKernel}, {"whet_1_add", add}};
    whet_register_kernels(kBundleId, entries, 2);
  }
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteFileAtomically(directory_.path() / name, bytes));
  }
  void WriteManifest() { Write("manifest.json", SealManifest(manifest_)); }
  std::string dir() const { return directory_.path().string(); }
  // What whet_create says about the bundle as it is; "" if it loads.
  std::string CreateError() {
    whet_model* model = whet_create(dir().c_str());
    const std::string error = model == nullptr ? whet_last_error() : "";
    EXPECT_TRUE(model != nullptr || !error.empty());
    EXPECT_EQ(error.find('\n'), std::string::npos);
    whet_destroy(model);
    return error;
  }

  TemporaryDirectory directory_ = TemporaryDirectory::Create("whet-c-api-test").value();
  Json manifest_;
};

TEST_F(CApi, CreatesAsksRunsAndDestroys) {
  whet_model* model = whet_create(dir().c_str());
  ASSERT_NE(model, nullptr) << whet_last_error();
  EXPECT_STREQ(whet_last_error(), "");
  EXPECT_EQ(whet_input_count(model), 1);
  EXPECT_EQ(whet_output_count(model), 2);
  whet_tensor_info info;
  ASSERT_EQ(whet_input_info(model, 0, &info), 0);
  EXPECT_STREQ(info.name, "x");
  EXPECT_STREQ(info.dtype, "f32");
  EXPECT_EQ(info.rank, 2);
  EXPECT_EQ(info.shape[0], 2);
  EXPECT_EQ(info.shape[1], 3);
  EXPECT_EQ(info.bytes, 24u);
  ASSERT_EQ(whet_output_info(model, 1, &info), 0);
  EXPECT_STREQ(info.name, "z");
  EXPECT_EQ(info.rank, 1);

  const float x[6] = {10, 20, 30, 40, 50, 60};
  float y[6], z[6];
  const void* inputs[] = {x};
  void* outputs[] = {y, z};
  ASSERT_EQ(whet_run(model, inputs, outputs), 0) << whet_last_error();
  EXPECT_THAT(y, ::testing::ElementsAre(21, 42, 63, 84, 105, 126));
  EXPECT_THAT(z, ::testing::ElementsAre(21, 42, 63, 84, 105, 126));
  whet_destroy(model);
}

TEST_F(CApi, MisuseIsAnErrorAndNoCrash) {
  whet_model* model = whet_create(dir().c_str());
  ASSERT_NE(model, nullptr);
  whet_tensor_info info;
  EXPECT_NE(whet_input_info(model, 1, &info), 0);
  EXPECT_STREQ(whet_last_error(), "input 1 does not exist: the network has 1");
  EXPECT_NE(whet_output_info(model, -1, &info), 0);
  EXPECT_NE(whet_input_info(model, 0, nullptr), 0);
  EXPECT_NE(whet_input_info(nullptr, 0, &info), 0);
  EXPECT_NE(whet_run(model, nullptr, nullptr), 0);
  EXPECT_STREQ(whet_last_error(), "the list of inputs is null");
  EXPECT_NE(whet_run(nullptr, nullptr, nullptr), 0);
  EXPECT_NE(whet_set_threads(-1), 0);
  EXPECT_EQ(whet_input_count(nullptr), 0);
  EXPECT_EQ(whet_create(nullptr), nullptr);
  whet_destroy(model);
  whet_destroy(nullptr);
}

TEST_F(CApi, AFailingKernelIsNamed) {
  Register(FailingKernel);
  whet_model* model = whet_create(dir().c_str());
  ASSERT_NE(model, nullptr);
  const float x[6] = {};
  float y[6], z[6];
  const void* inputs[] = {x};
  void* outputs[] = {y, z};
  EXPECT_NE(whet_run(model, inputs, outputs), 0);
  EXPECT_THAT(whet_last_error(), HasSubstr("step 1 ('add')"));
  whet_destroy(model);
}

TEST_F(CApi, ThreadsAreTheProgramsOrTheBundles) {
  ASSERT_EQ(whet_set_threads(3), 0);
  EXPECT_EQ(ThreadCount(), 3);
  EXPECT_EQ(CreateError(), "");
  EXPECT_EQ(ThreadCount(), 3);
  ASSERT_EQ(whet_set_threads(0), 0);
  EXPECT_LE(ThreadCount(), 2);  // the plan says 2; this machine may have fewer CPUs
}

TEST_F(CApi, ADirectoryThatIsNoBundleIsRefused) {
  EXPECT_EQ(whet_create("/no/such/bundle"), nullptr);
  EXPECT_STREQ(whet_last_error(), "/no/such/bundle is not a bundle: it has no manifest.json");
  Write("manifest.json", "{}");
  EXPECT_THAT(CreateError(), HasSubstr("not the manifest of a Whet bundle"));
  Write("manifest.json", "");
  EXPECT_THAT(CreateError(), HasSubstr("not JSON"));
}

TEST_F(CApi, ANewerBundleIsRefused) {
  manifest_["version"] = 2;
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("version 2 and this runtime reads up to version 1"));
}

TEST_F(CApi, AnEditedManifestIsRefused) {
  std::string text = SealManifest(manifest_);
  text.replace(text.find("a toy"), 5, "a top");
  Write("manifest.json", text);
  EXPECT_THAT(CreateError(), HasSubstr("manifest.json is damaged or was edited"));
}

TEST_F(CApi, AnyFlippedByteOfTheManifestIsRefused) {
  const std::string text = SealManifest(manifest_);
  Rng rng(6);
  for (int i = 0; i < 300; ++i) {
    std::string flipped = text;
    flipped[static_cast<size_t>(rng.Below(static_cast<int64_t>(text.size())))] ^=
        static_cast<char>(1 << rng.Below(8));
    Write("manifest.json", flipped);
    EXPECT_NE(CreateError(), "");
  }
}

TEST_F(CApi, DamagedOrMissingWeightsAreRefused) {
  std::string weights = FakeConstants();
  weights[70] ^= 4;
  Write("weights.bin", weights);
  EXPECT_THAT(CreateError(), HasSubstr("weights.bin is damaged"));
  Write("weights.bin", FakeConstants() + "x");
  EXPECT_THAT(CreateError(), HasSubstr("weights.bin has 129 bytes where the manifest has 128"));
  std::filesystem::remove(directory_.path() / "weights.bin");
  EXPECT_THAT(CreateError(), HasSubstr("there is no file"));
}

TEST_F(CApi, ABundleWithoutItsKernelsIsRefused) {
  manifest_["bundle_id"] = "another";
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("link libfake.a and call fake_create"));
  manifest_["library"] = "libfake.so";
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("'libfake.so' is missing"));
  manifest_["library"] = "../libfake.so";
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("'../libfake.so' is not a file name"));
  Write("libfake.so", "not an object");
  manifest_["library"] = "libfake.so";
  manifest_["files"]["libfake.so"] = {{"bytes", 13}, {"xxh3", Fingerprint("not an object")}};
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("cannot load the shared object"));
}

TEST_F(CApi, ABundleForAnotherCpuIsRefused) {
  manifest_["plan"]["target"] = "riscv64-linux-rvv-4t";
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("compiled for riscv64"));
}

TEST_F(CApi, APlanThatDoesNotHoldIsRefused) {
  manifest_["plan"]["steps"][0]["args"][0] = 1000;
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("steps[0]: value 1000 does not exist"));
  manifest_["plan"] = FakePlan().ToJson();
  manifest_["plan"]["kernels"][0]["symbol"] = "other";
  WriteManifest();
  EXPECT_THAT(CreateError(), HasSubstr("no kernel 'other'"));
}

}  // namespace
}  // namespace whet
