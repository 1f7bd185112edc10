#include "schedules/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "tests/schedules/json_mutation.h"

namespace whet {
namespace {

using ::testing::HasSubstr;

Trace Example() {
  Trace trace;
  trace.sketch = "tile(relu<conv)";
  trace.decisions = {{"tile.x", {14, 2}}, {"pack", {}}};
  trace.directives = {
      {.kind = DirectiveKind::kPack, .stage = "w", .layout = {{0, 16}, {1, 0}}},
      {.kind = DirectiveKind::kSplit,
       .stage = "conv",
       .definition = 1,
       .loop = "x",
       .names = {"x_o", "x_i"},
       .factor = 14,
       .tail = Tail::kGuardWithIf},
      {.kind = DirectiveKind::kFuse, .stage = "relu", .loop = "yn", .names = {"n", "y"}},
      {.kind = DirectiveKind::kReorder, .stage = "relu", .names = {"c", "x", "yn"}},
      {.kind = DirectiveKind::kVectorize, .stage = "relu", .loop = "c"},
      {.kind = DirectiveKind::kUnroll, .stage = "relu", .loop = "x"},
      {.kind = DirectiveKind::kParallel, .stage = "relu", .loop = "yn"},
      {.kind = DirectiveKind::kComputeRoot, .stage = "relu"},
      {.kind = DirectiveKind::kComputeAt, .stage = "conv", .loop = "x", .at = "relu"},
      {.kind = DirectiveKind::kGpuBlocks, .stage = "relu", .loop = "yn"},
      {.kind = DirectiveKind::kGpuThreads, .stage = "relu", .loop = "x"},
      {.kind = DirectiveKind::kGpuLanes, .stage = "relu", .loop = "c"},
      {.kind = DirectiveKind::kStoreIn, .stage = "conv", .memory = "stack"},
      {.kind = DirectiveKind::kStoreRoot, .stage = "conv"},
      {.kind = DirectiveKind::kStoreAt, .stage = "conv", .loop = "y", .at = "relu"},
      {.kind = DirectiveKind::kFoldStorage, .stage = "conv", .loop = "y", .factor = 4},
      {.kind = DirectiveKind::kRfactor,
       .stage = "conv",
       .loop = "ic",
       .names = {"ic_o", "ic_i"},
       .factor = 8,
       .at = "ic_o"},
      {.kind = DirectiveKind::kPrefetch,
       .stage = "conv",
       .definition = 1,
       .loop = "ic",
       .factor = 2,
       .at = "w"},
      {.kind = DirectiveKind::kNeverPartition, .stage = "relu", .loop = "yn"},
  };
  return trace;
}

std::string Refusal(const Json& json) {
  auto trace = Trace::FromJson(json);
  return trace ? "" : trace.error().message;
}

// Example's JSON with one directive.
Json Only(Json directive) {
  return {{"version", 1},
          {"sketch", ""},
          {"decisions", Json::array()},
          {"directives", Json::array({std::move(directive)})}};
}

TEST(Trace, SurvivesJson) {
  const Trace trace = Example();
  auto json = ParseJson(DumpJson(trace.ToJson()));
  ASSERT_TRUE(json.has_value());
  auto read = Trace::FromJson(*json);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, trace);
}

TEST(Trace, RefusesAnRfactorThatKeepsNeitherOfItsLoops) {
  EXPECT_EQ(Refusal(Only({{"kind", "rfactor"},
                          {"stage", "conv"},
                          {"loop", "k"},
                          {"names", {"k_o", "k_i"}},
                          {"factor", 8},
                          {"at", "k"}})),
            "directive 0: rfactor: field 'at' is 'k' and should be 'k_o' or 'k_i'");
}

TEST(Trace, WritesTheJsonOfItsDocument) {
  Trace trace;
  trace.directives = {Example().directives[1]};
  EXPECT_EQ(
      DumpJson(trace.ToJson()),
      R"({"decisions":[],"directives":[{"definition":1,"factor":14,"kind":"split","loop":"x",)"
      R"("names":["x_o","x_i"],"stage":"conv","tail":"guard_with_if"}],"sketch":"","version":1})");
}

TEST(Trace, RefusesALaterVersion) {
  Json json = Example().ToJson();
  json["version"] = 2;
  auto read = Trace::FromJson(json);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kTooNew);
  EXPECT_EQ(read.error().message, "this trace has version 2, and this Whet reads up to version 1");
}

TEST(Trace, NamesTheDirectiveThatIsWrong) {
  Json json = Example().ToJson();
  json["directives"][3]["kind"] = "sort";
  EXPECT_THAT(Refusal(json),
              HasSubstr("directive 3: kind 'sort' is unknown; known are pack, split"));
}

TEST(Trace, RefusesDirectivesThatLackWhatTheirKindNeeds) {
  EXPECT_THAT(
      Refusal(Only({{"kind", "split"}, {"stage", "f"}, {"names", {"a", "b"}}, {"factor", 2}})),
      HasSubstr("split: field 'loop' is missing"));
  EXPECT_THAT(
      Refusal(Only(
          {{"kind", "split"}, {"stage", "f"}, {"loop", "x"}, {"names", {"a"}}, {"factor", 2}})),
      HasSubstr("'names' has 1 loops and should have 2"));
  EXPECT_THAT(Refusal(Only({{"kind", "split"},
                            {"stage", "f"},
                            {"loop", "x"},
                            {"names", {"a", "b"}},
                            {"factor", 0}})),
              HasSubstr("'factor' is 0 and should be at least 1"));
  EXPECT_THAT(Refusal(Only({{"kind", "compute_at"}, {"stage", "f"}, {"loop", "x"}})),
              HasSubstr("'at' is missing"));
  EXPECT_THAT(Refusal(Only({{"kind", "store_in"}, {"stage", "f"}, {"memory", "drawer"}})),
              HasSubstr("known are stack, heap, shared, register"));
  EXPECT_THAT(Refusal(Only({{"kind", "pack"}, {"stage", "w"}})), HasSubstr("'layout' is missing"));
  EXPECT_THAT(Refusal(Only({{"kind", "pack"}, {"stage", "w"}, {"layout", {{0, -1}}}})),
              HasSubstr("none negative"));
  EXPECT_THAT(Refusal(Only({{"kind", "unroll"}, {"stage", ""}, {"loop", "x"}})),
              HasSubstr("'stage' is empty"));
  EXPECT_THAT(Refusal(Only({{"kind", "unroll"}, {"stage", "f"}, {"loop", "x"}, {"lop", "y"}})),
              HasSubstr("field 'lop' is unknown"));
}

TEST(Trace, HashesItsDirectivesAndNothingElse) {
  Trace trace = Example();
  const uint64_t hash = trace.DirectivesHash();
  trace.sketch = "another";
  trace.decisions.clear();
  EXPECT_EQ(trace.DirectivesHash(), hash);
  std::set<uint64_t> hashes = {hash};
  auto expect_new = [&](const Trace& changed) {
    EXPECT_TRUE(hashes.insert(changed.DirectivesHash()).second);
  };
  for (size_t i = 0; i < trace.directives.size(); ++i) {
    Trace changed = trace;
    changed.directives.erase(changed.directives.begin() + static_cast<int64_t>(i));
    expect_new(changed);
    changed = trace;
    changed.directives[i].stage += "2";
    expect_new(changed);
  }
  Trace changed = trace;
  changed.directives[0].layout[0].size = 8;
  expect_new(changed);
  changed = trace;
  changed.directives[1].tail = Tail::kRoundUp;
  expect_new(changed);
  changed = trace;
  changed.directives[3].names = {"cx", "", "yn"};  // the same letters, cut elsewhere
  expect_new(changed);
}

TEST(Trace, ReadsAsHalideCalls) {
  EXPECT_EQ(Example().ToCpp(),
            R"(// w is packed, innermost first: 16 of dimension 0, all of dimension 1
conv.update(0).split(x, x_o, x_i, 14, TailStrategy::GuardWithIf);
relu.fuse(y, n, yn);
relu.reorder(c, x, yn);
relu.vectorize(c);
relu.unroll(x);
relu.parallel(yn);
relu.compute_root();
conv.compute_at(relu, x);
relu.gpu_blocks(yn);
relu.gpu_threads(x);
relu.gpu_lanes(c);
conv.store_in(MemoryType::Stack);
conv.store_root();
conv.store_at(relu, y);
conv.fold_storage(y, 4);
Func conv_part = conv.update(0).split(ic, ic_o, ic_i, 8).rfactor(ic_o, ic_o_);
conv.update(0).prefetch(w, ic, ic, 2);
relu.never_partition(yn);
)");
}

RC_GTEST_PROP(TraceProperty, ReaderSurvivesAnyDamage, ()) {
  Rng rng(*rc::gen::arbitrary<uint64_t>());
  Json json = Example().ToJson();
  for (int64_t i = 1 + rng.Below(3); i > 0; --i) Damage(json, rng);
  auto read = Trace::FromJson(json);
  if (read) {
    auto again = Trace::FromJson(read->ToJson());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == *read);
    read->ToCpp();
  } else {
    RC_ASSERT(!read.error().message.empty());
  }
}

}  // namespace
}  // namespace whet
