#include "runtime/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "fake_plan.h"

namespace whet {
namespace {

using testing::AddKernel;
using testing::DoubleKernel;
using ::testing::ElementsAre;
using testing::FailingKernel;
using testing::FakeConstants;
using testing::FakePlan;
using ::testing::HasSubstr;

class Executors : public ::testing::Test {
 protected:
  static std::unique_ptr<Executor> Make(PlanSpec plan = FakePlan(),
                                        std::vector<KernelFunction> kernels = {DoubleKernel,
                                                                               AddKernel}) {
    return Executor::Create(std::move(plan), FakeConstants(), std::move(kernels), nullptr).value();
  }
  Status Run(Executor& executor, std::vector<StepTime>* profile = nullptr) {
    const std::array<const void*, 1> inputs{x.bytes()};
    const std::array<void*, 2> outputs{y.bytes(), z.bytes()};
    return executor.Run(inputs, outputs, profile);
  }
  static std::vector<float> Values(const Tensor& tensor) {
    return {tensor.data<float>(), tensor.data<float>() + tensor.count()};
  }

  Tensor x = Tensor::Float({2, 3}, {10, 20, 30, 40, 50, 60});
  Tensor y{TensorType{DataType::kFloat32, {2, 3}}};
  Tensor z{TensorType{DataType::kFloat32, {6}}};
};

TEST_F(Executors, RunTheKernelsInOrder) {
  auto executor = Make();
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(Run(*executor));
    EXPECT_THAT(Values(y), ElementsAre(21, 42, 63, 84, 105, 126));
    EXPECT_EQ(Values(z), Values(y));
  }
}

TEST_F(Executors, FollowTheCallersPointersFromRunToRun) {
  auto executor = Make();
  ASSERT_TRUE(Run(*executor));
  x = Tensor::Float({2, 3}, {0, 0, 0, 0, 0, 0});
  y = Tensor(y.type());
  ASSERT_TRUE(Run(*executor));
  EXPECT_THAT(Values(y), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(Executors, TakeUnalignedPointers) {
  auto executor = Make();
  std::vector<uint8_t> in(24 + 64), out(24 + 64, 0xee), flat(24);
  uint8_t* unaligned_in = in.data() + 3;
  uint8_t* unaligned_out = out.data() + 5;
  std::memcpy(unaligned_in, x.bytes(), 24);
  const std::array<const void*, 1> inputs{unaligned_in};
  const std::array<void*, 2> outputs{unaligned_out, z.bytes()};
  ASSERT_TRUE(executor->Run(inputs, outputs));
  std::memcpy(y.bytes(), unaligned_out, 24);
  EXPECT_THAT(Values(y), ElementsAre(21, 42, 63, 84, 105, 126));
  EXPECT_EQ(out[4], 0xee);
  EXPECT_EQ(out[5 + 24], 0xee);
  ASSERT_TRUE(Run(*executor));  // aligned again
  EXPECT_THAT(Values(y), ElementsAre(21, 42, 63, 84, 105, 126));
}

TEST_F(Executors, RunPlansWithoutKernels) {
  PlanSpec plan = FakePlan();
  plan.kernels.clear();
  plan.values = {plan.values[0], plan.values[1], plan.values[3], plan.values[4]};
  plan.values[1].type.shape = {6};
  plan.steps = {{"input", -1, {0, 2}}, {"constant", -1, {1, 3}}};
  plan.arena_bytes = 0;
  auto executor = Make(plan, {});
  const Status status = Run(*executor);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(Values(y), Values(x));
  EXPECT_THAT(Values(z), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(Executors, RefuseIndicesOutOfRangeBeforeTheStepRuns) {
  for (const DataType dtype : {DataType::kInt64, DataType::kInt32}) {
    PlanSpec plan = FakePlan();
    const TensorType indices{dtype, {3}};
    plan.inputs.push_back({"i", indices});
    plan.values.push_back({indices, Place::kInput, 1});
    plan.checks = {{1, 5, 4}};
    auto executor = Make(plan);
    Tensor i(indices);
    const auto set = [&](int64_t at, int64_t value) {
      if (dtype == DataType::kInt64) {
        i.data<int64_t>()[at] = value;
      } else {
        i.data<int32_t>()[at] = static_cast<int32_t>(value);
      }
    };
    const std::array<const void*, 2> inputs{x.bytes(), i.bytes()};
    const std::array<void*, 2> outputs{y.bytes(), z.bytes()};
    set(0, -4);
    set(2, 3);
    EXPECT_TRUE(executor->Run(inputs, outputs));
    for (const int64_t outside : {-5, 4, 1 << 30}) {
      set(1, outside);
      const Status status = executor->Run(inputs, outputs);
      ASSERT_FALSE(status);
      EXPECT_THAT(status.error().message, HasSubstr("step 1 ('add')"));
      EXPECT_THAT(status.error().message,
                  HasSubstr(fmt::format("element 1 of its indices is {}", outside)));
      EXPECT_THAT(status.error().message, HasSubstr("from -4 to 3"));
    }
    set(1, 0);
    EXPECT_TRUE(executor->Run(inputs, outputs));
  }
}

TEST_F(Executors, NameTheStepAndTheReasonOfAFailingKernel) {
  auto executor = Make(FakePlan(), {DoubleKernel, FailingKernel});
  const Status status = Run(*executor);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kFailed);
  EXPECT_EQ(status.error().message,
            "step 1 ('add'): kernel whet_1_add failed with code -7: the planted failure");
}

TEST_F(Executors, ProfileEveryStep) {
  auto executor = Make();
  std::vector<StepTime> profile{{99, 99}};
  ASSERT_TRUE(Run(*executor, &profile));
  ASSERT_EQ(profile.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(profile[static_cast<size_t>(i)].step, i);
    EXPECT_GE(profile[static_cast<size_t>(i)].ns, 0);
  }
}

TEST_F(Executors, RefuseAWrongNumberOfPointersAndNull) {
  auto executor = Make();
  EXPECT_THAT(executor->Run({}, {}).error().message,
              HasSubstr("0 inputs and 0 outputs were given where the network has 1 and 2"));
  const std::array<const void*, 1> inputs{nullptr};
  const std::array<void*, 2> outputs{y.bytes(), z.bytes()};
  EXPECT_EQ(executor->Run(inputs, outputs).error().message, "the pointer for input 'x' is null");
  const std::array<const void*, 1> good{x.bytes()};
  const std::array<void*, 2> bad{y.bytes(), nullptr};
  EXPECT_EQ(executor->Run(good, bad).error().message, "the pointer for output 'z' is null");
}

TEST_F(Executors, RefuseConstantsAndKernelsThatAreNotThePlans) {
  const auto create = [](PlanSpec plan, std::string constants,
                         std::vector<KernelFunction> kernels) {
    return Executor::Create(std::move(plan), constants, std::move(kernels), nullptr)
        .error()
        .message;
  };
  EXPECT_THAT(create(FakePlan(), "short", {DoubleKernel, AddKernel}), HasSubstr("5 bytes"));
  EXPECT_THAT(create(FakePlan(), FakeConstants(), {DoubleKernel}), HasSubstr("1 kernels"));
  EXPECT_THAT(create(FakePlan(), FakeConstants(), {DoubleKernel, nullptr}),
              HasSubstr("whet_1_add"));
  PlanSpec bad = FakePlan();
  bad.steps[0].args[0] = 77;
  EXPECT_THAT(create(bad, FakeConstants(), {DoubleKernel, AddKernel}), HasSubstr("value 77"));
}

TEST_F(Executors, HoldTheLoadedCodeUntilTheyEnd) {
  auto code = std::make_shared<int>(1);
  auto executor =
      Executor::Create(FakePlan(), FakeConstants(), {DoubleKernel, AddKernel}, code).value();
  EXPECT_EQ(code.use_count(), 2);
  executor.reset();
  EXPECT_EQ(code.use_count(), 1);
}

int InspectKernel(void** args) {
  const auto* buffer = static_cast<halide_buffer_t*>(args[0]);
  const bool good = buffer->dimensions == 2 &&
                    buffer->type == halide_type_t(halide_type_float, 32) &&
                    buffer->dim[0] == halide_dimension_t(0, 3, 1) &&
                    buffer->dim[1] == halide_dimension_t(0, 2, 3) &&
                    reinterpret_cast<uintptr_t>(buffer->host) % 64 == 0;
  return good ? DoubleKernel(args) : 1;
}

TEST_F(Executors, ShowKernelsTheInnermostDimensionFirst) {
  auto executor = Make(FakePlan(), {InspectKernel, AddKernel});
  EXPECT_TRUE(Run(*executor));
}

TEST(KernelLibraries, SayWhatIsWrongWithAFile) {
  EXPECT_EQ(KernelLibrary::Open("/no/such.so").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(KernelLibrary::Open("/dev/null").error().message,
              HasSubstr("cannot load the shared object /dev/null"));
}

}  // namespace
}  // namespace whet
