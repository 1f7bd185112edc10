// Whatever schedule a space makes, the kernel computes what the reference computes, inside its
// buffers.
#include <gtest/gtest.h>

#include "codegen/target.h"
#include "schedules/task_builder.h"
#include "tests/kernels/kernels.h"
#include "tests/schedules/tasks_to_try.h"

namespace whet {
namespace {

// The plain schedules, the default one first, then samples and mutants of them.
std::vector<Trace> Traces(const SketchSpace& space, int count) {
  Rng rng(7);
  std::vector<Trace> traces = space.PlainTraces();
  for (size_t most = traces.size() + static_cast<size_t>(count); traces.size() < most;) {
    Trace trace = rng.Chance(0.3) ? space.Mutate(traces.back(), rng) : space.Sample(rng);
    std::string why;
    const auto nest = space.Nest(trace);
    if (nest && space.IsPlausible(*nest, &why)) traces.push_back(std::move(trace));
  }
  return traces;
}

void ExpectReferenceOfAll(const Result<Task>& task) {
  ASSERT_TRUE(task) << task.error().message;
  const auto space = SketchSpace::Create(*task, Target::Host(2).Machine().value());
  ASSERT_TRUE(space) << space.error().message;
  ExpectReference(*task, Traces(*space, 14));
}

class RandomSchedules : public testing::TestWithParam<std::string> {};

TEST_P(RandomSchedules, ComputeWhatTheReferenceComputes) {
  ExpectReferenceOfAll(ParseTaskSpelling(GetParam(), Target::Host(2).ToString()));
}

// Infinities, NaN and bright elements among its inputs (search/extremes.h), and a bound for each
// element.
class RandomSchedulesOfAStrictTask : public testing::TestWithParam<std::string> {};

TEST_P(RandomSchedulesOfAStrictTask, KeepEachElementWithinItsBound) {
  auto task = ParseTaskSpelling(GetParam(), Target::Host(2).ToString());
  if (task) task->accuracy = Accuracy::kStrict;
  ExpectReferenceOfAll(task);
}

INSTANTIATE_TEST_SUITE_P(
    Tasks, RandomSchedulesOfAStrictTask,
    testing::Values("Conv(x=1x16x14x14,w=32x16x3x3,pads=1)+Relu",
                    "Conv(x=1x17x12x12,w=19x17x3x3,pads=1)+Add+Relu",
                    "Conv(x=1x32x26x26,w=24x32x3x3,pads=1,strides=2)",
                    "Conv(x=1x24x13x13,w=24x1x3x3,pads=1,group=24)+Clip(min=0,max=6)",
                    "Conv(x=1x16x9x9,w=20x16x1x1,layout=NCHW)",
                    "Conv(x=1x512x5x4,w=32x512x1x1)+Relu", "MatMul(a=33x40,b=40x56)",
                    "Gemm(a=24x200,b=50x200,transB=1)",
                    "ConvTranspose(x=1x16x14x13,w=16x24x4x4,strides=2,pads=1)+Relu"));

// Expansion, depthwise convolution, its squeeze-and-excitation, projection: 9x8 positions.
Result<Task> GatedInvertedResidual() {
  using Operand = TaskBuilder::Operand;
  TaskBuilder b(Target::Host(2).ToString());
  const auto input = [&](Shape shape, bool constant) {
    return b.AddInput({DataType::kFloat32, std::move(shape)}, constant);
  };
  const auto conv = [&](const Operand& x, Shape w, Attributes attributes) {
    attributes.Set("layout", "NHWC");
    return b.AddNode("Conv", {x, input(std::move(w), true)}, std::move(attributes));
  };
  ASSIGN_OR_RETURN(Operand wide, conv(input({1, 9, 8, 16}, false), {48, 16, 1, 1}, {}));
  ASSIGN_OR_RETURN(wide, b.AddNode("Relu", {wide}));
  ASSIGN_OR_RETURN(wide,
                   conv(wide, {48, 1, 3, 3},
                        {{"group", int64_t{48}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}}));
  ASSIGN_OR_RETURN(wide, b.AddNode("HardSwish", {wide}));
  ASSIGN_OR_RETURN(Operand gate, b.AddNode("GlobalAveragePool", {wide}, {{"layout", "NHWC"}}));
  ASSIGN_OR_RETURN(gate, conv(gate, {12, 48, 1, 1}, {}));
  ASSIGN_OR_RETURN(gate, b.AddNode("Relu", {gate}));
  ASSIGN_OR_RETURN(gate, conv(gate, {48, 12, 1, 1}, {}));
  ASSIGN_OR_RETURN(gate, b.AddNode("HardSigmoid", {gate}));
  ASSIGN_OR_RETURN(const Operand gated, b.AddNode("Mul", {wide, gate}));
  RETURN_IF_ERROR(conv(gated, {24, 48, 1, 1}, {}));
  return b.Finish();
}

TEST(SchedulesOfABlock, WithAGateComputeWhatTheReferenceComputes) {
  ExpectReferenceOfAll(GatedInvertedResidual());
}

// Two convolutions, and a constant of `shape` added in between: 11x9 positions of 24 channels,
// where the second reads over the edges.
Result<Task> ConstantBetweenConvolutions(Shape shape) {
  using Operand = TaskBuilder::Operand;
  TaskBuilder b(Target::Host(2).ToString());
  const auto input = [&](Shape of, bool constant) {
    return b.AddInput({DataType::kFloat32, std::move(of)}, constant);
  };
  ASSIGN_OR_RETURN(Operand x,
                   b.AddNode("Conv", {input({1, 11, 9, 16}, false), input({24, 16, 1, 1}, true)},
                             {{"layout", "NHWC"}}));
  ASSIGN_OR_RETURN(x, b.AddNode("Add", {x, input(std::move(shape), true)}));
  ASSIGN_OR_RETURN(x, b.AddNode("Relu", {x}));
  RETURN_IF_ERROR(b.AddNode("Conv", {x, input({20, 24, 3, 3}, true)},
                            {{"layout", "NHWC"}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}}));
  return b.Finish();
}

TEST(SchedulesOfABlock, WithAConstantImageComputeWhatTheReferenceComputes) {
  ExpectReferenceOfAll(ConstantBetweenConvolutions({1, 11, 9, 24}));
  ExpectReferenceOfAll(ConstantBetweenConvolutions({11, 9, 1}));
}

// Besides the small tasks of every kind: shapes whose tiles do not divide, and panels narrower than
// their vectors.
std::vector<std::string> Tasks() {
  std::vector<std::string> tasks = TasksToTry();
  for (const char* task :
       {"MatMul(a=2x12x26x16,b=2x12x16x32)+Add", "MatMul(a=5x48x20,b=5x20x36)",
        "Conv(x=1x3x31x29,w=16x3x7x7,pads=3,strides=2)+Relu",
        "Conv(x=1x17x12x12,w=19x17x3x3,pads=1)+Add+Relu", "Gemm(a=9x33,b=33x21)+Tanh",
        "BatchNormalization(x=1x18x7x5)+Relu", "Concat(x0=1x8x6x6,x1=1x24x6x6,axis=1)",
        "Slice(x=1x20x9x9,starts=2,ends=17,axes=1,steps=3)", "Gelu(x=7x45)",
        "Pad(x=1x6x5x9,begins=0x1x2x0,ends=0x0x1x3,mode=reflect)",
        "Pad(x=4x9,begins=1x2,ends=0x3,mode=wrap)",
        "Pad(x=1x2x5x3,begins=2x3x1x7,ends=1x0x9x0,mode=reflect)", "Sigmoid(x=7x45)+Pow",
        "Sigmoid(x=7x45)+Log", "Less(a=7x45,b=7x1)", "Where(condition=7x45,x=7x45,y=45)",
        "ConvTranspose(x=1x8x5x6,w=8x6x3x3,strides=2)+Relu+Conv(w=9x6x3x3,pads=1)",
        "Conv(x=1x8x7x6,w=3x8x1x1)+Relu+Conv(w=16x3x3x3,pads=1)",
        "Conv(x=1x24x6x13,w=24x1x5x5,pads=2,group=24)+HardSwish+Conv(w=24x24x1x1)+HardSwish+"
        "Conv(w=24x1x5x5,pads=2,group=24)+HardSwish"}) {
    tasks.push_back(task);
  }
  return tasks;
}

INSTANTIATE_TEST_SUITE_P(Tasks, RandomSchedules, testing::ValuesIn(Tasks()),
                         [](const auto& info) { return "task" + std::to_string(info.index); });

}  // namespace
}  // namespace whet
