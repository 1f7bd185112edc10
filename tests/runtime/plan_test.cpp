#include "runtime/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "fake_plan.h"

namespace whet {
namespace {

using testing::FakePlan;
using ::testing::HasSubstr;

TEST(Plan, ComesBackFromJsonAsItWas) {
  const PlanSpec plan = FakePlan();
  const std::string text = plan.ToJson().dump();
  const PlanSpec back = PlanSpec::FromJson(ParseJson(text).value()).value();
  EXPECT_EQ(back, plan);
  EXPECT_EQ(back.ToJson().dump(), text);
}

TEST(Plan, KeepsItsChecksAndReadsPlansThatHaveNone) {
  PlanSpec plan = FakePlan();
  plan.inputs.push_back({"i", {DataType::kInt64, {2}}});
  plan.values.push_back({{DataType::kInt64, {2}}, Place::kInput, 1});
  plan.checks = {{1, 5, 7}};
  Json json = plan.ToJson();
  EXPECT_EQ(PlanSpec::FromJson(json).value(), plan);
  json.erase("checks");
  EXPECT_TRUE(PlanSpec::FromJson(json).value().checks.empty());
}

TEST(Plan, RefusesALaterVersion) {
  Json json = FakePlan().ToJson();
  json["version"] = 2;
  const auto plan = PlanSpec::FromJson(json);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kTooNew);
  EXPECT_THAT(plan.error().message, HasSubstr("version 2"));
}

struct BadPlan {
  const char* what;
  void (*edit)(PlanSpec&);
  const char* message;
};

class BadPlans : public ::testing::TestWithParam<BadPlan> {};

TEST_P(BadPlans, AreRefusedWithOneSentence) {
  PlanSpec plan = FakePlan();
  GetParam().edit(plan);
  const Status status = plan.Validate();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Plan, BadPlans,
    ::testing::Values(
        BadPlan{"no_threads", [](PlanSpec& p) { p.threads = 0; }, "0 threads"},
        BadPlan{"negative_arena", [](PlanSpec& p) { p.arena_bytes = -1; }, "-1 bytes"},
        BadPlan{"huge_arena", [](PlanSpec& p) { p.arena_bytes = INT64_MAX; }, "bytes"},
        BadPlan{"negative_extent", [](PlanSpec& p) { p.inputs[0].type.shape[1] = -3; },
                "inputs[0]: extent -3 is negative"},
        BadPlan{"overflowing_shape",
                [](PlanSpec& p) {
                  p.values[2].type.shape = {INT64_MAX, INT64_MAX};
                },
                "2^31"},
        BadPlan{"hidden_huge_extent",
                [](PlanSpec& p) {
                  p.values[2].type.shape = {0, INT64_MAX};
                },
                "2^31"},
        BadPlan{"too_many_dimensions", [](PlanSpec& p) { p.values[2].type.shape.assign(17, 1); },
                "17 dimensions"},
        BadPlan{"missing_input", [](PlanSpec& p) { p.values[0].offset = 1; },
                "values[0]: input 1 does not exist"},
        BadPlan{"negative_output", [](PlanSpec& p) { p.values[3].offset = -1; },
                "output -1 does not exist"},
        BadPlan{"view_larger_than_its_input",
                [](PlanSpec& p) {
                  p.values[0].type.shape = {2, 4};
                },
                "does not fit input 'x'"},
        BadPlan{"behind_the_arena", [](PlanSpec& p) { p.values[2].offset = 192; },
                "24 bytes at offset 192 do not fit the 192 bytes of the arena"},
        BadPlan{"offset_that_overflows", [](PlanSpec& p) { p.values[2].offset = INT64_MAX - 63; },
                "do not fit"},
        BadPlan{"unaligned_offset", [](PlanSpec& p) { p.values[1].offset = 8; },
                "not a multiple of 64"},
        BadPlan{"negative_offset", [](PlanSpec& p) { p.values[1].offset = -64; }, "offset -64"},
        BadPlan{"strange_symbol", [](PlanSpec& p) { p.kernels[0].symbol = "a b"; },
                "kernels[0]: symbol 'a b'"},
        BadPlan{"empty_symbol", [](PlanSpec& p) { p.kernels[0].symbol.clear(); }, "symbol ''"},
        BadPlan{"missing_kernel", [](PlanSpec& p) { p.steps[0].kernel = 2; },
                "steps[0]: kernel 2 does not exist"},
        BadPlan{"missing_value", [](PlanSpec& p) { p.steps[1].args[1] = 5; },
                "value 5 does not exist"},
        BadPlan{"check_of_no_step",
                [](PlanSpec& p) {
                  p.checks = {{3, 0, 1}};
                },
                "checks[0]: step 3 does not exist"},
        BadPlan{"check_of_no_value",
                [](PlanSpec& p) {
                  p.checks = {{0, -1, 1}};
                },
                "value -1 does not exist"},
        BadPlan{"check_of_floats",
                [](PlanSpec& p) {
                  p.checks = {{0, 0, 1}};
                },
                "indices of type f32"},
        BadPlan{"no_arguments", [](PlanSpec& p) { p.steps[1].args.clear(); }, "0 arguments"},
        BadPlan{"copy_of_three",
                [](PlanSpec& p) {
                  p.steps[2].args = {3, 4, 4};
                },
                "3 arguments"},
        BadPlan{"copy_of_another_size",
                [](PlanSpec& p) {
                  p.values[2].type.shape = {5};
                  p.steps[2].args = {2, 4};
                },
                "copies f32[5] to f32[6]"},
        BadPlan{"write_to_a_constant",
                [](PlanSpec& p) {
                  p.steps[0].args = {0, 1};
                },
                "place 'constant'"},
        BadPlan{"write_to_an_input",
                [](PlanSpec& p) {
                  p.steps[0].args = {2, 0};
                },
                "place 'input'"}),
    [](const auto& info) { return std::string(info.param.what); });

// Replaces one random node of `json` by something that does not belong there.
void EditRandomNode(Json& json, Rng& rng) {
  Json* node = &json;
  while (node->is_structured() && !node->empty() && (node == &json || rng.Chance(0.8))) {
    auto it = node->begin();
    std::advance(it, rng.Below(static_cast<int64_t>(node->size())));
    node = &*it;
  }
  const std::vector<Json> replacements{nullptr,
                                       true,
                                       -1,
                                       0,
                                       1,
                                       63,
                                       64,
                                       4096,
                                       INT64_MIN,
                                       INT64_MAX,
                                       UINT64_MAX,
                                       1e300,
                                       0.5,
                                       "",
                                       "f32",
                                       "arena",
                                       Json::array(),
                                       Json::object(),
                                       Json::array({1, -1}),
                                       Json::array({INT64_MAX, 2})};
  *node = replacements[static_cast<size_t>(rng.Below(static_cast<int64_t>(replacements.size())))];
}

TEST(Plan, RandomFieldEditsFailWithAMessageOrValidate) {
  Rng rng(11);
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    Json json = FakePlan().ToJson();
    for (int64_t edits = 1 + rng.Below(3); edits > 0; --edits) EditRandomNode(json, rng);
    const auto plan = PlanSpec::FromJson(json);
    if (plan) {
      EXPECT_TRUE(plan->Validate());
    } else {
      ++refused;
      EXPECT_FALSE(plan.error().message.empty());
    }
  }
  EXPECT_GT(refused, 2500);
}

TEST(Plan, RandomByteFlipsFailWithAMessageOrValidate) {
  Rng rng(12);
  const std::string text = FakePlan().ToJson().dump();
  for (int i = 0; i < 5000; ++i) {
    std::string flipped = text;
    for (int64_t flips = 1 + rng.Below(3); flips > 0; --flips) {
      flipped[static_cast<size_t>(rng.Below(static_cast<int64_t>(text.size())))] ^=
          static_cast<char>(1 << rng.Below(8));
    }
    const auto json = ParseJson(flipped);
    if (!json) continue;
    const auto plan = PlanSpec::FromJson(*json);
    EXPECT_TRUE(plan || !plan.error().message.empty());
  }
}

}  // namespace
}  // namespace whet
