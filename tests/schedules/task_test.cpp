#include "schedules/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/schedules/json_mutation.h"

namespace whet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ints = std::vector<int64_t>;

TensorType F32(Shape shape) { return {DataType::kFloat32, std::move(shape)}; }

// Conv over [1, 4, 4, 2] with bias, a residual and Clip 0..6.
Task Example() {
  Task task;
  task.target = "x86-64-linux-avx2-2t";
  task.inputs = {{"i0", F32({1, 4, 4, 2})},
                 {"i1", F32({3, 2, 3, 3}), true},
                 {"i2", F32({3}), true},
                 {"i3", F32({1, 4, 4, 3})}};
  task.nodes = {{"Conv",
                 {"i0", "i1", "i2"},
                 "t0",
                 {{"pads", Ints{1, 1, 1, 1}}, {"layout", std::string("NHWC")}}},
                {"Add", {"t0", "i3"}, "t1", {}},
                {"Clip", {"t1"}, "t2", {{"min", 0.0}, {"max", 6.0}}}};
  task.output = "t2";
  return task;
}

std::string Refusal(const Task& task) {
  auto types = task.Types();
  return types ? "" : types.error().message;
}

TEST(Task, InfersTheTypeOfEveryValue) {
  auto types = Example().Types();
  ASSERT_TRUE(types.has_value()) << types.error().message;
  EXPECT_EQ(types->size(), 7u);
  EXPECT_EQ(types->at("t0"), F32({1, 4, 4, 3}));
  EXPECT_EQ(*Example().OutputType(), F32({1, 4, 4, 3}));
}

TEST(Task, CountsTheOperationsOfAllNodes) {
  EXPECT_EQ(Example().Flops(), 2.0 * 48 * 18 + 48 + 2 * 48);
}

TEST(Task, SurvivesJson) {
  auto read = Task::FromJson(*ParseJson(DumpJson(Example().ToJson())));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, Example().Canonical());
  EXPECT_EQ(DumpJson(read->ToJson()), DumpJson(Example().ToJson()));
  EXPECT_EQ(read->Fingerprint(), Example().Fingerprint());
}

TEST(Task, WritesTheJsonOfItsDocument) {
  Task task;
  task.target = "t";
  task.inputs = {{"i0", F32({2})}};
  task.nodes = {{"LeakyRelu", {"i0"}, "t0", {}}};
  task.output = "t0";
  EXPECT_EQ(
      DumpJson(task.ToJson()),
      R"({"inputs":[{"constant":false,"dtype":"f32","name":"i0","shape":[2]}],)"
      R"("nodes":[{"attributes":{"alpha":0.009999999776482582},"inputs":["i0"],"op":"LeakyRelu","output":"t0"}],)"
      R"("output":"t0","target":"t","version":1})");
}

TEST(Task, KeepsTheFingerprintItHadBeforeThereWasAnAccuracyToChoose) {
  EXPECT_EQ(Example().Fingerprint(), "b55c72233becbdc6f5b2861eb229f09b");
  EXPECT_FALSE(Example().ToJson().contains("accuracy"));
}

TEST(Task, IsAnotherTaskWhereItIsStrict) {
  Task strict = Example();
  strict.accuracy = Accuracy::kStrict;
  EXPECT_NE(strict.Fingerprint(), Example().Fingerprint());
  EXPECT_EQ(strict.ToJson()["accuracy"], "strict");
  const auto read = Task::FromJson(strict.ToJson());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->accuracy, Accuracy::kStrict);
  EXPECT_EQ(read->Fingerprint(), strict.Fingerprint());
}

TEST(Task, RefusesAnAccuracyThatThereIsNot) {
  for (const Json& accuracy : {Json("exact"), Json("fast"), Json(1), Json()}) {
    Json json = Example().ToJson();
    json["accuracy"] = accuracy;
    const auto read = Task::FromJson(json);
    ASSERT_FALSE(read) << accuracy;
    EXPECT_THAT(read.error().message, HasSubstr("accuracy"));
  }
  EXPECT_EQ(*ParseAccuracy("strict"), Accuracy::kStrict);
  EXPECT_EQ(*ParseAccuracy("fast"), Accuracy::kFast);
  EXPECT_THAT(ParseAccuracy("exact").error().message, HasSubstr("strict and fast"));
}

TEST(Task, HasAFingerprintOf32Digits) {
  EXPECT_THAT(Example().Fingerprint(), testing::MatchesRegex("[0-9a-f]{32}"));
}

TEST(Task, HasTheSameFingerprintWhetherDefaultsAreSpelledOutOrNot) {
  Task task = Example();
  task.nodes[0].attributes.Set("strides", Ints{1, 1});
  task.nodes[0].attributes.Set("group", int64_t{1});
  task.nodes[2].attributes.Set("max", int64_t{6});
  EXPECT_EQ(task.Fingerprint(), Example().Fingerprint());
}

TEST(Task, HasAnotherFingerprintWhenAnythingChanges) {
  const std::string fingerprint = Example().Fingerprint();
  Task target = Example(), constant = Example(), stride = Example(), bound = Example(),
       shape = Example();
  target.target = "x86-64-linux-avx2-4t";
  constant.inputs[3].constant = true;
  stride.nodes[0].attributes.Set("pads", Ints{1, 1, 1, 2});
  bound.nodes[2].attributes.Erase("min");
  shape.inputs[3].type.shape = {1, 1, 1, 3};
  for (const Task& task : {target, constant, stride, bound, shape})
    EXPECT_NE(task.Fingerprint(), fingerprint);
}

TEST(Task, NamesTheNodeThatIsWrong) {
  Task task = Example();
  task.nodes[0].attributes.Set("strides", Ints{0, 1});
  EXPECT_THAT(Refusal(task), HasSubstr("node 't0' (Conv): attribute strides has the value 0"));
  task = Example();
  task.nodes[1].inputs[1] = "i9";
  EXPECT_THAT(Refusal(task), HasSubstr("node 't1' (Add): input 'i9' is neither"));
  task = Example();
  task.nodes[1].op = "Einsum";
  EXPECT_THAT(Refusal(task), HasSubstr("node 't1' (Einsum): the operator is unknown"));
}

TEST(Task, RefusesWhatNoKernelCouldHave) {
  Task task = Example();
  task.nodes[1].output = "i0";
  EXPECT_THAT(Refusal(task), HasSubstr("the name 'i0' is taken"));
  task = Example();
  task.inputs[0].name = "a b";
  EXPECT_THAT(Refusal(task), HasSubstr("'a b' is no name"));
  task = Example();
  task.output = "t1";
  EXPECT_THAT(Refusal(task), HasSubstr("should be the last node's, 't2'"));
  task = Example();
  task.nodes.clear();
  EXPECT_THAT(Refusal(task), HasSubstr("has no nodes"));
  task = Example();
  task.inputs[0].type.shape = {0, 4, 4, 2};
  EXPECT_THAT(Refusal(task), HasSubstr("has no elements"));
  task.inputs[0].type.shape = {1 << 20, 1 << 20, 1, 2};
  EXPECT_THAT(Refusal(task), HasSubstr("more elements than the 2147483647"));
}

TEST(Task, RefusesALaterVersionAndUnknownFields) {
  Json json = Example().ToJson();
  json["version"] = 9;
  EXPECT_EQ(Task::FromJson(json).error().code, ErrorCode::kTooNew);
  json = Example().ToJson();
  json["nodes"][0]["attributes"]["auto_pad"] = "VALID";
  EXPECT_THAT(Task::FromJson(json).error().message,
              HasSubstr("node 0 of the task: Conv has no attribute 'auto_pad'; it takes strides, "
                        "pads, dilations"));
  json = Example().ToJson();
  json["inputs"][1]["shape"][0] = 1.5;
  EXPECT_THAT(Task::FromJson(json).error().message,
              HasSubstr("input 1 of the task: field 'shape'"));
  json = Example().ToJson();
  json["quality"] = 1;
  EXPECT_THAT(Task::FromJson(json).error().message, HasSubstr("field 'quality' is unknown"));
}

TEST(Task, DescribesItselfInOnnxOrder) {
  EXPECT_EQ(Example().Describe(), "Conv 1x2x4x4 3x2x3x3 pads=1 +Add +Clip(min=0,max=6)");
}

TEST(Task, DescribesBroadcastOperandsAndDefaultsShortly) {
  Task task = Example();
  task.inputs.erase(task.inputs.begin() + 2);
  task.inputs[2].type.shape = {1, 1, 1, 3};
  task.nodes[0].inputs.pop_back();
  task.nodes[0].attributes.Set("strides", Ints{1, 1});
  EXPECT_EQ(task.Describe(), "Conv 1x2x4x4 3x2x3x3 pads=1 bias=0 +Add(1x3x1x1) +Clip(min=0,max=6)");
}

TEST(RunReference, RunsTheNodesInOrder) {
  Task task;
  task.inputs = {{"i0", F32({1, 2})}, {"i1", F32({2, 2}), true}, {"i2", F32({2}), true}};
  task.nodes = {{"MatMul", {"i0", "i1"}, "t0", {}},
                {"Add", {"t0", "i2"}, "t1", {}},
                {"Relu", {"t1"}, "t2", {}}};
  task.output = "t2";
  const Tensor a = Tensor::Float({1, 2}, {1, 2}), b = Tensor::Float({2, 2}, {1, 10, 100, 1000}),
               c = Tensor::Float({2}, {-1000, 1});
  const std::vector<const Tensor*> inputs = {&a, &b, &c};
  auto result = RunReference(task, inputs);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->type(), F32({1, 2}));
  EXPECT_THAT(std::vector<float>(result->data<float>(), result->data<float>() + 2),
              ElementsAre(0, 2011));
}

TEST(RunReference, RefusesInputsThatDoNotFit) {
  Task task;
  task.inputs = {{"i0", F32({2})}};
  task.nodes = {{"Relu", {"i0"}, "t0", {}}};
  task.output = "t0";
  const Tensor three = Tensor::Float({3}, {1, 2, 3});
  const std::vector<const Tensor*> inputs = {&three}, none;
  EXPECT_EQ(RunReference(task, inputs).error().message,
            "input 'i0' is f32[3] and should be f32[2]");
  EXPECT_EQ(RunReference(task, none).error().message, "the task takes 1 inputs, not 0");
}

RC_GTEST_PROP(TaskProperty, ReaderSurvivesAnyDamage, ()) {
  Rng rng(*rc::gen::arbitrary<uint64_t>());
  Json json = Example().ToJson();
  for (int64_t i = 1 + rng.Below(3); i > 0; --i) Damage(json, rng);
  auto read = Task::FromJson(json);
  if (read) {
    RC_ASSERT(read->Types().has_value());
    auto again = Task::FromJson(read->ToJson());
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->Fingerprint() == read->Fingerprint());
    RC_ASSERT(!read->Describe().empty());
  } else {
    RC_ASSERT(!read.error().message.empty());
  }
}

}  // namespace
}  // namespace whet
