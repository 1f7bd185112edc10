// Kernels that Halide compiles need no symbol that the runtime does not define, and run on it.
#include <Halide.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "codegen/kernel_compiler.h"
#include "codegen/target.h"
#include "runtime/executor.h"
#include "runtime/thread_pool.h"

namespace whet {
namespace {

constexpr int kSize = 64;

class HalideKernels : public testing::Test {
 protected:
  HalideKernels() : input(Halide::Float(32), 2, "x") {
    input.dim(0).set_bounds(0, kSize);
    input.dim(1).set_bounds(0, kSize).set_stride(kSize);
  }
  void TearDown() override { SetThreadCount(1); }

  // Compiles `output`, loads it and runs it on 0, 1/4096, 2/4096, ..
  Tensor RunOnPool(Halide::Func output) {
    output.output_buffer().dim(0).set_bounds(0, kSize);
    output.output_buffer().dim(1).set_bounds(0, kSize).set_stride(kSize);
    const std::string object = (directory_.path() / "kernel.o").string();
    const std::string library = (directory_.path() / "kernel.so").string();
    output.compile_to_object(object, {input}, "test_kernel",
                             Halide::Target(Target::Host(2).HalideTarget()));
    const Status linked = LinkSharedObject({object}, library);
    EXPECT_TRUE(linked) << linked.error().message;
    auto loaded = KernelLibrary::Open(library);
    EXPECT_TRUE(loaded) << loaded.error().message;

    const TensorType type{DataType::kFloat32, {kSize, kSize}};
    PlanSpec plan;
    plan.inputs = {{"x", type}};
    plan.outputs = {{"y", type}};
    plan.values = {{type, Place::kInput, 0}, {type, Place::kOutput, 0}};
    plan.kernels = {{"test_kernel", "", "", 0, 0}};
    plan.steps = {{"test", 0, {0, 1}}};
    auto executor =
        Executor::Create(plan, "", {loaded.value()->Find("test_kernel").value()}, *loaded);
    EXPECT_TRUE(executor) << executor.error().message;
    Tensor x(type), y(type);
    for (int i = 0; i < kSize * kSize; ++i) x.data<float>()[i] = X(i);
    SetThreadCount(2);
    const void* inputs[] = {x.bytes()};
    void* outputs[] = {y.bytes()};
    const Status ran = (*executor)->Run(inputs, outputs);
    EXPECT_TRUE(ran) << ran.error().message;
    return y;
  }
  static float X(int i) { return static_cast<float>(i) / (kSize * kSize); }

  Halide::ImageParam input;
  Halide::Var x{"x"}, y{"y"};
  TemporaryDirectory directory_ = TemporaryDirectory::Create("whet-halide-test").value();
};

TEST_F(HalideKernels, WithParallelLoopsAndScratchMemoryRun) {
  Halide::Func twice("twice"), output("output");
  twice(x, y) = input(x, y) * 2;
  output(x, y) = twice(x, y) + 1;
  twice.compute_at(output, y).store_in(Halide::MemoryType::Heap).vectorize(x, 8);
  output.parallel(y).vectorize(x, 8);
  const Tensor result = RunOnPool(output);
  for (int i = 0; i < kSize * kSize; ++i) ASSERT_EQ(result.data<float>()[i], X(i) * 2 + 1);
}

TEST_F(HalideKernels, WithTranscendentalFunctionsRun) {
  Halide::Func output("output");
  const Halide::Expr v = input(x, y);
  output(x, y) = exp(v) + tanh(v) + log(v + 1) + sqrt(v) + pow(v, 1.5f) + erf(v) + sin(v);
  output.vectorize(x, 8);
  const Tensor result = RunOnPool(output);
  for (int i = 0; i < kSize * kSize; ++i) {
    const double v = X(i);
    ASSERT_NEAR(result.AsDouble(i),
                std::exp(v) + std::tanh(v) + std::log(v + 1) + std::sqrt(v) + std::pow(v, 1.5) +
                    std::erf(v) + std::sin(v),
                1e-5);
  }
}

TEST_F(HalideKernels, WithReductionsIntoHeapTablesRun) {
  Halide::Func table("table"), output("output");
  Halide::RDom r(0, kSize);
  table(x, y) = 0.0f;
  table(x, y) += input(r, y) * input(x, r);
  table.compute_root().parallel(y).update().parallel(y).vectorize(x, 8);
  output(x, y) = max(table(x, y), 0.0f);
  output.parallel(y).vectorize(x, 8);
  const Tensor result = RunOnPool(output);
  for (int row : {0, 7, kSize - 1}) {
    for (int column : {0, 13, kSize - 1}) {
      double sum = 0;
      for (int k = 0; k < kSize; ++k) sum += double{X(row * kSize + k)} * X(k * kSize + column);
      ASSERT_NEAR(result.AsDouble(row * kSize + column), sum, 1e-4);
    }
  }
}

}  // namespace
}  // namespace whet
