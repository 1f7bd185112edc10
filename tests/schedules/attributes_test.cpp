#include "schedules/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace whet {
namespace {

using ::testing::HasSubstr;

Attributes Some() {
  return {{"group", int64_t{3}},
          {"alpha", 0.1},
          {"layout", std::string("NHWC")},
          {"pads", std::vector<int64_t>{1, 2}},
          {"scales", std::vector<double>{1.0, 0.5}}};
}

TEST(Attributes, ReadBackWhatWasSet) {
  const Attributes a = Some();
  EXPECT_EQ(a.Int("group"), 3);
  EXPECT_EQ(a.Float("alpha"), 0.1);
  EXPECT_EQ(a.Float("group"), 3.0);
  EXPECT_EQ(a.String("layout"), "NHWC");
  EXPECT_EQ(a.Ints("pads"), (std::vector<int64_t>{1, 2}));
}

TEST(Attributes, FallBackWhereThereIsNoneOfTheKind) {
  const Attributes a = Some();
  EXPECT_EQ(a.Int("axis", -1), -1);
  EXPECT_EQ(a.Int("layout", 5), 5);
  EXPECT_EQ(a.Int("alpha", 5), 5);
  EXPECT_EQ(a.Float("layout", 2.5), 2.5);
  EXPECT_EQ(a.String("group", "none"), "none");
  EXPECT_EQ(a.Ints("scales", {9}), (std::vector<int64_t>{9}));
}

TEST(Attributes, ForgetWhatIsErased) {
  Attributes a = Some();
  a.Erase("group");
  a.Erase("never there");
  EXPECT_FALSE(a.Has("group"));
  EXPECT_TRUE(a.Has("pads"));
}

TEST(Attributes, SurviveJsonWithTheirKinds) {
  Attributes a = Some();
  a.Set("one", 1.0);
  a.Set("tenth", double{0.1f});
  a.Set("tiny", std::numeric_limits<double>::denorm_min());
  a.Set("infinite", std::numeric_limits<double>::infinity());
  a.Set("list", std::vector<double>{-std::numeric_limits<double>::infinity(), 3});
  a.Set("lowest", std::numeric_limits<int64_t>::min());
  a.Set("none", std::vector<int64_t>{});
  auto json = ParseJson(a.ToJson().dump());
  ASSERT_TRUE(json.has_value());
  auto read = Attributes::FromJson(*json);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, a);
}

TEST(Attributes, KeepNanInJson) {
  const Attributes a = {{"x", std::nan("")}};
  auto read = Attributes::FromJson(a.ToJson());
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(std::isnan(read->Float("x")));
}

TEST(Attributes, RefuseWhatIsNoAttributeInOneSentence) {
  for (const char* text : {R"({"a":null})", R"({"a":true})", R"({"a":{"float":"big"}})",
                           R"({"a":["x"]})", R"({"a":18446744073709551615})", R"({"a":[[1]]})"}) {
    auto read = Attributes::FromJson(*ParseJson(text));
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(read.error().message, HasSubstr("attribute 'a' should be"));
  }
  EXPECT_THAT(Attributes::FromJson(Json::array()).error().message, HasSubstr("not array"));
}

}  // namespace
}  // namespace whet
