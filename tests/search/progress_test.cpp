#include "search/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/search/invented_space.h"

namespace whet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ProgressState Example() {
  ProgressState state;
  state.task = 2;
  state.task_count = 12;
  state.label = "Conv 1x64x56x56 3x3";
  state.round = 4;
  state.trials = 128;
  state.max_trials = 512;
  state.best_ms = 0.4712;
  state.gflops = 490.3;
  state.rho = 0.912;
  state.noise = 0.0123;
  state.failed = 4;
  state.eta_s = 72;
  return state;
}

class ProgressTest : public testing::Test {
 protected:
  std::unique_ptr<Progress> Make(ProgressMode mode, bool terminal = false, int width = 200) {
    ProgressSink sink;
    sink.write = [this](std::string_view text) { written_.emplace_back(text); };
    sink.terminal = terminal;
    sink.width = [width] { return width; };
    return MakeProgress(mode, clock_, sink);
  }
  void Advance(double seconds) { clock_.now_ns += static_cast<int64_t>(seconds * 1e9); }

  FakeClock clock_;
  std::vector<std::string> written_;
};

TEST_F(ProgressTest, TheLineReadsAsDesigned) {
  EXPECT_EQ(FormatLine(Example()),
            "[3/12] Conv 1x64x56x56 3x3  round 4  128/512 trials  best 0.471 ms 490 GFLOP/s  rho "
            "0.91  noise 1.2%  failed 4  "
            "eta 1:12");
}

TEST_F(ProgressTest, TheLineSaysWhatTheRateIsOfThePeak) {
  ProgressState state = Example();
  state.peak_share = 0.982;
  EXPECT_THAT(FormatLine(state), HasSubstr("best 0.471 ms 490 GFLOP/s (98% peak)  rho 0.91"));
  state.peak_share = 1.3;  // Winograd's algorithm does fewer operations than are counted
  EXPECT_THAT(FormatLine(state), HasSubstr("(130% peak)"));
  state.peak_share = 0.004;
  EXPECT_THAT(FormatLine(state), Not(HasSubstr("peak")));
  EXPECT_EQ(ToJson(state)["peak_share"], 0.004);
  EXPECT_TRUE(ToJson(Example())["peak_share"].is_null());
}

TEST_F(ProgressTest, TheLineHasTheShortLabelAndJsonTheFullOne) {
  ProgressState state = Example();
  state.label = "Conv 1x64x56x56 64x64x3x3 pads=1";
  state.short_label = "Conv 1x64x56x56 3x3";
  EXPECT_EQ(FormatLine(state), FormatLine(Example()));
  EXPECT_EQ(ToJson(state)["label"], state.label);
}

TEST_F(ProgressTest, ALongLabelGivesWayToTheRestOfTheLine) {
  ProgressState state = Example();
  state.label = "Conv 1x64x14x14 1x1 +Clip +Conv 3x3 grouped +Clip +Conv 1x1 +Add";
  Make(ProgressMode::kTty, true, 140)->Update(state);
  EXPECT_EQ(
      written_.back(),
      "\r\x1b[K[3/12] Conv 1x64x14x14 .. +Conv 1x1 +Add  round 4  128/512 trials  best 0.471 ms "
      "490 GFLOP/s  rho 0.91  noise 1.2%  failed 4  eta 1:12");
}

TEST_F(ProgressTest, TheLineLeavesOutWhatIsNotKnownYet) {
  ProgressState state;
  state.label = "Softmax 12x128";
  EXPECT_EQ(FormatLine(state), "[1/1] Softmax 12x128  round 0  0 trials");
}

TEST_F(ProgressTest, LongTimesHaveHours) {
  ProgressState state = Example();
  state.eta_s = 3723;
  EXPECT_THAT(FormatLine(state), HasSubstr("eta 1:02:03"));
}

TEST_F(ProgressTest, ATerminalIsWrittenAtMostTenTimesASecond) {
  auto progress = Make(ProgressMode::kTty);
  for (int i = 0; i < 100; ++i) {
    progress->Update(Example());
    Advance(0.01);
  }
  EXPECT_EQ(written_.size(), 10u);
  for (const std::string& line : written_) EXPECT_THAT(line, testing::StartsWith("\r"));
}

TEST_F(ProgressTest, ATerminalLineIsCutToItsWidth) {
  auto progress = Make(ProgressMode::kTty, true, 40);
  progress->Update(Example());
  EXPECT_EQ(written_.back(), "\r\x1b[K[3/12] Conv 1x64x56x56 3x3  round 4  12");
}

TEST_F(ProgressTest, CuttingDoesNotSplitACharacter) {
  auto progress = Make(ProgressMode::kTty, true, 21);
  ProgressState state = Example();
  state.label =
      "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
      "\u00e9";
  progress->Update(state);
  EXPECT_EQ(written_.back().size(), 4 + 7 + 2 * 13u);
}

TEST_F(ProgressTest, ALogGetsALineEveryFiveSeconds) {
  auto progress = Make(ProgressMode::kPlain);
  for (int i = 0; i < 100; ++i) {
    progress->Update(Example());
    Advance(0.2);
  }
  EXPECT_EQ(written_.size(), 4u);
  EXPECT_EQ(written_.front(), FormatLine(Example()) + "\n");
}

TEST_F(ProgressTest, TheLastStateIsShownWhenItEnds) {
  auto progress = Make(ProgressMode::kPlain);
  progress->Update(Example());
  ProgressState last = Example();
  last.trials = 512;
  progress->Update(last);
  progress->Finish();
  progress->Finish();
  EXPECT_THAT(written_, ElementsAre(FormatLine(Example()) + "\n", FormatLine(last) + "\n"));
}

TEST_F(ProgressTest, AutoAsksWhetherItIsATerminal) {
  Make(ProgressMode::kAuto, true)->Update(Example());
  EXPECT_THAT(written_.back(), testing::StartsWith("\r"));
  Make(ProgressMode::kAuto, false)->Update(Example());
  EXPECT_THAT(written_.back(), testing::EndsWith("\n"));
}

TEST_F(ProgressTest, JsonLinesHoldTheSameAsObjects) {
  Make(ProgressMode::kJson)->Update(Example());
  const auto json = ParseJson(written_.back());
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["trials"], 128);
  EXPECT_EQ((*json)["best_ms"], 0.4712);
  EXPECT_EQ((*json)["schema_version"], 1);
  ProgressState early;
  EXPECT_TRUE(ToJson(early)["best_ms"].is_null());
}

TEST_F(ProgressTest, NoneIsSilent) {
  auto progress = Make(ProgressMode::kNone);
  progress->Update(Example());
  progress->Message("hello");
  progress->Finish();
  EXPECT_TRUE(written_.empty());
}

TEST_F(ProgressTest, AMessageStandsOnALineOfItsOwn) {
  auto progress = Make(ProgressMode::kTty);
  progress->Update(Example());
  progress->Message("Conv cannot be tuned");
  EXPECT_EQ(written_.back(), "\r\x1b[KConv cannot be tuned\n");
}

TEST_F(ProgressTest, ModesAreNamed) {
  EXPECT_EQ(*ParseProgressMode("plain"), ProgressMode::kPlain);
  const auto unknown = ParseProgressMode("loud");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("auto, tty, plain, json and none"));
}

}  // namespace
}  // namespace whet
