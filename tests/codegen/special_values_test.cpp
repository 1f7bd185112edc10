// Kernels on NaN, infinities, zeros of both signs, denormals and the largest numbers: what the
// references compute, whatever the length and the schedule.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/file.h"
#include "base/rng.h"
#include "codegen/kernel_compiler.h"
#include "codegen/target.h"
#include "runtime/executor.h"
#include "schedules/sketch.h"
#include "schedules/task_builder.h"

namespace whet {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kMax = std::numeric_limits<float>::max();

// In an order that puts different kinds into one vector.
const std::vector<float> kSpecial = {kNan,    1,     kInf, -2, -kInf, 0,      -0.0f,  0.5f,  1e-40f,
                                     -1e-40f, -0.5f, kMax, 3,  -kMax, -1,     1e-45f, 88.5f, -88.5f,
                                     104,     -104,  2.5f, -3, 1e30f, 1e-30f, 6,      -7};

// `count` of them from `start` on, and again from the first.
Tensor Special(const TensorType& type, size_t start = 0) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.data<float>()[i] = kSpecial[(start + static_cast<size_t>(i)) % kSpecial.size()];
  return tensor;
}

class SpecialValues : public testing::Test {
 protected:
  static Task TaskOf(const std::string& spelling) {
    Result<Task> task = ParseTaskSpelling(spelling, Target::Host(1).ToString());
    EXPECT_TRUE(task) << spelling << ": " << (task ? "" : task.error().message);
    return task ? *std::move(task) : Task{};
  }

  Tensor Run(const Task& task, const Trace& trace, const std::vector<Tensor>& inputs) {
    const std::string name = "special" + std::to_string(kernels_++);
    const std::string object = (directory_.path() / (name + ".o")).string();
    const std::string library = (directory_.path() / (name + ".so")).string();
    const Status compiled = CompileKernel(task, trace, name, {object, "", ""});
    EXPECT_TRUE(compiled) << compiled.error().message;
    const Status linked = LinkSharedObject({object}, library);
    EXPECT_TRUE(linked) << linked.error().message;
    auto loaded = KernelLibrary::Open(library);
    EXPECT_TRUE(loaded) << loaded.error().message;
    PlanSpec plan;
    std::vector<Tensor> physical;
    std::vector<int> values;
    for (size_t i = 0; i < inputs.size(); ++i) {
      auto packed = task.inputs[i].constant ? PackConstant(task, trace, i, inputs[i]) : inputs[i];
      EXPECT_TRUE(packed) << packed.error().message;
      physical.push_back(*std::move(packed));
      plan.inputs.push_back({task.inputs[i].name, physical.back().type()});
      plan.values.push_back({physical.back().type(), Place::kInput, static_cast<int64_t>(i)});
      values.push_back(static_cast<int>(i));
    }
    Tensor output(*task.OutputType());
    plan.outputs = {{"y", output.type()}};
    plan.values.push_back({output.type(), Place::kOutput, 0});
    values.push_back(static_cast<int>(inputs.size()));
    plan.kernels = {{name, "", "", 0, 0}};
    plan.steps = {{"test", 0, {values.begin(), values.end()}}};
    auto executor = Executor::Create(plan, "", {loaded.value()->Find(name).value()}, *loaded);
    EXPECT_TRUE(executor) << executor.error().message;
    std::vector<const void*> in;
    for (const Tensor& tensor : physical) in.push_back(tensor.bytes());
    void* out[] = {output.bytes()};
    const Status ran = (*executor)->Run(in, out);
    EXPECT_TRUE(ran) << ran.error().message;
    return output;
  }

  // The default schedule and `samples` random ones compute the reference's values; where `signs`,
  // zeros have its signs.
  void ExpectReference(const Task& task, const std::vector<Tensor>& inputs, int samples = 0,
                       bool signs = false) {
    std::vector<const Tensor*> pointers;
    for (const Tensor& input : inputs) pointers.push_back(&input);
    const auto expected = RunReference(task, pointers);
    ASSERT_TRUE(expected) << expected.error().message;
    const auto space = SketchSpace::Create(task, Target::Host(1).Machine().value());
    ASSERT_TRUE(space) << space.error().message;
    std::vector<Trace> traces = {space->Default()};
    Rng rng(5);
    for (int tries = 0; static_cast<int>(traces.size()) <= samples && tries < 200; ++tries) {
      Trace trace = space->Sample(rng);
      std::string why;
      const auto nest = space->Nest(trace);
      if (nest && space->IsPlausible(*nest, &why)) traces.push_back(std::move(trace));
    }
    for (const Trace& trace : traces) {
      const Tensor got = Run(task, trace, inputs);
      ASSERT_EQ(got.type(), expected->type());
      int wrong = 0;
      for (int64_t i = 0; i < got.count() && wrong < 4; ++i) {
        const double y = got.AsDouble(i), right = expected->AsDouble(i);
        const bool same = y == right ? !signs || std::signbit(y) == std::signbit(right)
                                     : (std::isnan(y) && std::isnan(right)) ||
                                           std::abs(y - right) <= 1e-6 + 1e-5 * std::abs(right);
        if (same) continue;
        ++wrong;
        ADD_FAILURE() << task.Describe() << ": element " << i << " is " << y << " instead of "
                      << right << " (first operand "
                      << inputs[0].AsDouble(std::min(i, inputs[0].count() - 1)) << ")\n"
                      << trace.ToCpp();
      }
    }
  }

 private:
  TemporaryDirectory directory_ = TemporaryDirectory::Create("whet-special-test").value();
  int kernels_ = 0;
};

const std::vector<int> kLengths = {1, 3, 16, 17, 33};

TEST_F(SpecialValues, OfOneOperandAreTheReferences) {
  for (const std::string op :
       {"Relu", "Sigmoid", "Tanh", "HardSwish", "Exp", "Log", "Sqrt", "Neg", "Abs", "Erf",
        "HardSigmoid", "LeakyRelu", "Gelu", "Clip(min=0,max=6)", "Clip(max=6)"}) {
    const size_t bracket = op.find('(');
    const std::string attributes =
        bracket == std::string::npos ? ")" : "," + op.substr(bracket + 1);
    const std::string name = op.substr(0, bracket);
    const bool exact = name == "Relu" || name == "Sqrt" || name == "Neg" || name == "Abs" ||
                       name == "LeakyRelu" || name == "Clip";
    for (int length : kLengths) {
      const Task task = TaskOf(name + "(x=" + std::to_string(length) + attributes);
      // Of one element: each in turn would be a kernel each; NaN is what matters.
      ExpectReference(task, {Special(task.inputs[0].type, length == 3 ? 2 : 0)},
                      length == 33 ? 2 : 0, exact);
    }
  }
}

TEST_F(SpecialValues, OfTwoOperandsAreTheReferences) {
  const std::string all = std::to_string(kSpecial.size());
  for (const std::string op :
       {"Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Equal", "Less", "LessOrEqual"}) {
    const bool exact = op == "Add" || op == "Sub" || op == "Mul" || op == "Div";
    const Task every = TaskOf(op + "(a=" + all + "x1,b=" + all + ")");  // each with each
    ExpectReference(every, {Special(every.inputs[0].type), Special(every.inputs[1].type)}, 2,
                    exact);
    for (int length : {1, 3, 17}) {
      const std::string n = std::to_string(length);
      const Task task = TaskOf(op + "(a=" + n + ",b=" + n + ")");
      ExpectReference(task, {Special(task.inputs[0].type, 2), Special(task.inputs[1].type)}, 0,
                      exact);
    }
  }
}

TEST_F(SpecialValues, OfAnOperandWithItselfAreTheReferences) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Equal", "LessOrEqual", "Less", "Max"}) {
    TaskBuilder b(Target::Host(1).ToString());
    const auto x = b.AddInput({DataType::kFloat32, {33}}, false);
    ASSERT_TRUE(b.AddNode(op, {x, x}));
    const auto task = b.Finish();
    ASSERT_TRUE(task) << task.error().message;
    ExpectReference(*task, {Special(task->inputs[0].type)});
  }
}

TEST_F(SpecialValues, OfIntegersTruncateAndWrapAround) {
  for (const DataType dtype : {DataType::kInt32, DataType::kInt64}) {
    const bool narrow = dtype == DataType::kInt32;
    const int64_t lowest =
        narrow ? std::numeric_limits<int32_t>::min() : std::numeric_limits<int64_t>::min();
    const std::vector<int64_t> numbers = {7,   -7, 2, -2, 0, 1, -1, lowest, -(lowest + 1),
                                          100, -3, 64};
    const auto n = static_cast<int64_t>(numbers.size());
    for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Less", "Equal"}) {
      TaskBuilder b(Target::Host(1).ToString());
      const auto a = b.AddInput({dtype, {n, 1}}, false), c = b.AddInput({dtype, {n}}, false);
      ASSERT_TRUE(b.AddNode(op, {a, c}));
      const auto task = b.Finish();
      ASSERT_TRUE(task) << task.error().message;
      std::vector<Tensor> inputs;
      for (size_t i = 0; i < 2; ++i) {
        Tensor tensor(task->inputs[i].type);
        for (int64_t k = 0; k < n; ++k) {
          if (narrow)
            tensor.data<int32_t>()[k] = static_cast<int32_t>(numbers[static_cast<size_t>(k)]);
          else
            tensor.data<int64_t>()[k] = numbers[static_cast<size_t>(k)];
        }
        inputs.push_back(std::move(tensor));
      }
      ExpectReference(*task, inputs, 1);
    }
  }
}

TEST_F(SpecialValues, ConvertToIntegersAsTheReferenceConvertsThem) {
  const std::vector<float> numbers = {kNan,   kInf,     -kInf,         0.5f,  -0.5f, 0,
                                      -0.0f,  1.9f,     -1.9f,         300,   -129,  127.9f,
                                      255.9f, 65537.5f, 3e9f,          -3e9f, 5e9f,  1e19f,
                                      -1e19f, 1e-40f,   2147483520.0f, kMax,  -1};
  for (const std::string to : {"bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "f64"}) {
    for (const int64_t length : {int64_t{1}, static_cast<int64_t>(numbers.size()), int64_t{33}}) {
      TaskBuilder b(Target::Host(1).ToString());
      const auto x = b.AddInput({DataType::kFloat32, {length}}, false);
      ASSERT_TRUE(b.AddNode("Cast", {x}, {{"to", to}}));
      const auto task = b.Finish();
      ASSERT_TRUE(task) << task.error().message;
      Tensor input(task->inputs[0].type);
      for (int64_t i = 0; i < length; ++i)
        input.data<float>()[i] = numbers[static_cast<size_t>(i) % numbers.size()];
      ExpectReference(*task, {input}, 1);
    }
  }
}

// Rows of `length`, one with each special value at each of three places, of ordinary numbers
// otherwise; the last ones of nothing but infinities and of both.
Tensor SpecialRows(int64_t length, int64_t* rows) {
  std::vector<std::vector<float>> all;
  Rng rng(3);
  const auto ordinary = [&] {
    std::vector<float> row(static_cast<size_t>(length));
    for (float& value : row) value = static_cast<float>(rng.Uniform() * 4 - 2);
    return row;
  };
  all.push_back(ordinary());
  for (const float value : {kNan, kInf, -kInf, -0.0f, 1e-40f, 1e30f}) {
    for (const int64_t at : {int64_t{0}, length / 2, length - 1}) {
      all.push_back(ordinary());
      all.back()[static_cast<size_t>(at)] = value;
    }
  }
  for (const float value : {-kInf, kInf, kNan, 0.0f})
    all.emplace_back(static_cast<size_t>(length), value);
  all.push_back(ordinary());
  all.back().front() = kInf;
  all.back().back() = -kInf;
  *rows = static_cast<int64_t>(all.size());
  Tensor tensor(TensorType{DataType::kFloat32, {*rows, length}});
  for (size_t r = 0; r < all.size(); ++r)
    std::copy(all[r].begin(), all[r].end(),
              tensor.data<float>() + static_cast<int64_t>(r) * length);
  return tensor;
}

TEST_F(SpecialValues, InRowsThatAreReducedSpoilNoOtherRow) {
  for (const int64_t length : {1, 3, 16, 17, 33, 64}) {
    int64_t rows = 0;
    const Tensor x = SpecialRows(length, &rows);
    const std::string shape = std::to_string(rows) + "x" + std::to_string(length);
    for (const char* op : {"ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean"}) {
      const Task task = TaskOf(std::string(op) + "(x=" + shape + ",axes=1)");
      ExpectReference(task, {x}, length >= 33 ? 3 : 0);
    }
    const Task softmax = TaskOf("Softmax(x=" + shape + ")");
    ExpectReference(softmax, {x}, length >= 33 ? 3 : 0);
    const Task columns = TaskOf("ReduceMax(x=" + shape + ",axes=0)");
    ExpectReference(columns, {x}, length >= 33 ? 2 : 0);
  }
}

TEST_F(SpecialValues, InWindowsOfPoolsAreTheReferences) {
  for (const std::string op : {"MaxPool", "AveragePool"}) {
    for (const std::string layout : {"NHWC", "NCHW"}) {
      for (const int channels : {3, 17}) {
        const std::string shape = layout == "NHWC" ? "1x7x9x" + std::to_string(channels)
                                                   : "1x" + std::to_string(channels) + "x7x9";
        const Task task =
            TaskOf(op + "(x=" + shape + ",kernel=3,strides=2,pads=1,layout=" + layout + ")");
        Tensor x = Special(task.inputs[0].type);
        // What sums of the largest numbers come to depends on their order.
        for (int64_t i = 0; op == "AveragePool" && i < x.count(); ++i)
          if (float& value = x.data<float>()[i]; std::isfinite(value) && std::abs(value) > 1e6F)
            value = 2;
        // Windows of ordinary numbers and windows of -infinity.
        const int64_t plain = x.count() / 3;
        for (int64_t i = 0; i < plain; ++i) {
          x.data<float>()[i] = static_cast<float>(i % 7) - 3;
          x.data<float>()[x.count() - 1 - i] = i % 50 == 49 ? 2.0f : -kInf;
        }
        ExpectReference(task, {x}, 2);
      }
    }
  }
}

// What is divided by them shows it.
TEST_F(SpecialValues, SmallTanhAndErfAreAsExactAsLargeOnesAndKeepTheirSign) {
  for (const char* spelling : {"Tanh(x=4x16)", "Erf(x=4x16)"}) {
    const Task task = TaskOf(spelling);
    Tensor x(task.inputs[0].type);
    for (int64_t i = 0; i < x.count(); ++i) {
      const float magnitude = 2.0F * std::pow(0.3F, static_cast<float>(i / 2));
      x.data<float>()[i] = (i % 2 == 0 ? 1.0F : -1.0F) * (i < 60 ? magnitude : 0.0F);
    }
    const auto space = SketchSpace::Create(task, Target::Host(1).Machine().value());
    const Tensor y = Run(task, space->Default(), {x});
    for (int64_t i = 0; i < x.count(); ++i) {
      const double at = x.AsDouble(i), right = spelling[0] == 'T' ? std::tanh(at) : std::erf(at);
      EXPECT_NEAR(y.AsDouble(i), right, 5e-7 * std::abs(right)) << spelling << " of " << at;
      EXPECT_EQ(std::signbit(y.AsDouble(i)), std::signbit(right)) << spelling << " of " << at;
    }
  }
}

TEST_F(SpecialValues, OfTheParametersOfBatchNormalizationAreTheReferences) {
  const Task task = TaskOf("BatchNormalization(x=3x8)");
  std::vector<Tensor> inputs;
  for (const TaskInput& input : task.inputs) {
    inputs.emplace_back(input.type);
    for (int64_t i = 0; i < inputs.back().count(); ++i)
      inputs.back().data<float>()[i] = 0.5F + static_cast<float>(i % 5);
  }
  // An infinite scale, bias, mean and variance, each in a channel of its own and two together.
  for (size_t p = 1; p < inputs.size(); ++p) inputs[p].data<float>()[p] = kInf;
  inputs[3].data<float>()[6] = inputs[4].data<float>()[6] = kInf;
  inputs[0].data<float>()[1] = -kInf;
  ExpectReference(task, inputs, 2);
}

// The activation stands right behind the sum, in registers.
TEST_F(SpecialValues, PassThroughWhatIsFusedBehindASum) {
  for (const char* spelling : {"Conv(x=1x8x6x6,w=16x8x1x1)+Relu",
                               "Conv(x=1x8x6x6,w=16x8x1x1)+Clip(min=0,max=6)",
                               "Conv(x=1x8x6x6,w=16x8x1x1)+Add+Relu",
                               "Conv(x=1x8x6x6,w=16x8x1x1)+LeakyRelu",
                               "Conv(x=1x8x6x6,w=16x8x1x1)+HardSwish",
                               "Conv(x=1x8x6x6,w=16x8x1x1)+Sigmoid",
                               "Conv(x=1x16x7x7,w=16x1x3x3,pads=1,group=16)+Clip(min=0,max=6)",
                               "Gemm(a=9x20,b=20x24)+Tanh",
                               "ReduceSum(x=20x33,axes=1)+Log",
                               "MatMul(a=9x20,b=20x24)+Gelu",
                               "GlobalAveragePool(x=1x20x3x3)+Relu",
                               "ReduceSum(x=20x33,axes=1)+Relu",
                               "LayerNormalization(x=20x33)+Relu",
                               "BatchNormalization(x=1x18x7x5)+Relu",
                               "ReduceMean(x=20x64,axes=1)+HardSwish",
                               "Sub(a=20x33,b=33)+Relu",
                               "ReduceMean(x=20x64,axes=1)+HardSigmoid(alpha=0,beta=0.5)",
                               "Gemm(a=9x20,b=20x24,alpha=0)",
                               "Gemm(a=9x20,b=20x24)+LeakyRelu(alpha=0)",
                               "Softmax(x=4x30x1,axis=2)",
                               "Softmax(x=1x30,axis=0)+Add"}) {
    const Task task = TaskOf(spelling);
    std::vector<Tensor> inputs;
    for (const TaskInput& input : task.inputs) {
      Rng rng(4);
      Tensor tensor(input.type);
      for (int64_t i = 0; i < tensor.count(); ++i)
        tensor.data<float>()[i] = static_cast<float>(rng.Uniform() * 2 - 1);
      inputs.push_back(std::move(tensor));
    }
    float* x = inputs[0].data<float>();
    x[5] = kNan;
    x[inputs[0].count() / 2] = kInf;
    x[inputs[0].count() - 7] = -kInf;
    ExpectReference(task, inputs, 6);
  }
}

TEST_F(SpecialValues, LayerNormalizationKeepsItsDigitsFarFromZero) {
  for (const int64_t length : {16, 64, 100}) {
    const std::string n = std::to_string(length);
    const Task task = TaskOf("LayerNormalization(x=4x" + n + ",epsilon=1e-12)");
    std::vector<Tensor> inputs;
    for (const TaskInput& input : task.inputs) inputs.emplace_back(input.type);
    Rng rng(6);
    for (int64_t i = 0; i < 3 * length; ++i)
      inputs[0].data<float>()[i] = static_cast<float>(1000 + 0.005 * (rng.Uniform() * 2 - 1));
    std::fill_n(inputs[0].data<float>() + 3 * length, length, 12345.678f);
    std::fill_n(inputs[1].data<float>(), length, 1.0f);
    ExpectReference(task, inputs, 4);
  }
}

}  // namespace
}  // namespace whet
