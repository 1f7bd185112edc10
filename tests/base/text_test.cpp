// The small text formats of base: JSON access, tables, fingerprints, times.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "base/table.h"

namespace whet {
namespace {

using testing::HasSubstr;

TEST(JsonParsing, SaysAtWhichByteTheMistakeIs) {
  const auto json = ParseJson("{\"a\": 1,, }");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(json.error().message, "not JSON: mistake at byte 9");
  EXPECT_FALSE(ParseJson(""));
  EXPECT_FALSE(ParseJson("1e999"));
}

TEST(JsonParsing, RefusesAMillionBrackets) {
  EXPECT_THAT(ParseJson(std::string(1000000, '[')).error().message, HasSubstr("deeper"));
  EXPECT_TRUE(ParseJson("[\"" + std::string(1000000, '[') + "\"]"));
}

TEST(JsonFields, AreConvertedOrExplained) {
  const Json json =
      ParseJson(R"({"n": 3, "x": 1.5, "s": "text", "big": 5000000000, "u": 18446744073709551615})")
          .value();
  EXPECT_EQ(Field<int>(json, "n").value(), 3);
  EXPECT_EQ(Field<double>(json, "n").value(), 3.0);
  EXPECT_EQ(Field<std::string>(json, "s").value(), "text");
  EXPECT_EQ(Field<int64_t>(json, "big").value(), 5000000000);
  EXPECT_THAT(Field<int>(json, "none").error().message, HasSubstr("'none' is missing"));
  EXPECT_THAT(Field<int>(json, "s").error().message, HasSubstr("wrong type"));
  EXPECT_THAT(Field<int>(Json(3), "s").error().message, HasSubstr("expected an object"));
  EXPECT_EQ(FieldOr(json, "none", 7).value(), 7);
  EXPECT_FALSE(FieldOr(json, "s", 7));
}

TEST(JsonFields, WholeNumbersAreNeitherRoundedNorWrapped) {
  const Json json =
      ParseJson(R"({"x": 1.5, "big": 5000000000, "u": 18446744073709551615, "m": -1})").value();
  EXPECT_FALSE(Field<int64_t>(json, "x"));
  EXPECT_FALSE(Field<int>(json, "big"));
  EXPECT_FALSE(Field<int64_t>(json, "u"));
  EXPECT_FALSE(Field<uint64_t>(json, "m"));
}

TEST(JsonText, OfBytesThatAreNotUtf8IsStillJson) {
  EXPECT_TRUE(ParseJson(DumpJson(Json("\xff\xfe"))));
}

TEST(Tables, AlignNumbersRightAndTextLeft) {
  Table table({"name", "ms", "note"});
  table.AddRow({"conv", "12.5", "é"});
  table.AddRow({"a", "1", "long note"});
  table.AddRow({"none", "-", ""});
  EXPECT_EQ(table.ToString(),
            "name    ms  note\n"
            "----  ----  ---------\n"
            "conv  12.5  é\n"
            "a        1  long note\n"
            "none     -\n");
}

TEST(Fingerprints, AreTheXxh3OfTheBytes) {
  EXPECT_EQ(Fingerprint(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(Fingerprint("a").size(), 32u);
  EXPECT_NE(Fingerprint("a"), Fingerprint("b"));
}

TEST(SystemClock, NeverStepsBackAndPrintsUtc) {
  const int64_t before = Clock::System().MonotonicNs();
  EXPECT_GE(Clock::System().MonotonicNs(), before);
  EXPECT_TRUE(
      std::regex_match(Clock::System().NowUtc(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
}

}  // namespace
}  // namespace whet
