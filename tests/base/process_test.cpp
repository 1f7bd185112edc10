#include "base/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace whet {
namespace {

using std::chrono::milliseconds;

TEST(Processes, OutputAndExitCodeComeBack) {
  const ProcessResult result = RunProcess({"sh", "-c", "echo out; echo err >&2; exit 3"}).value();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(Processes, ArgumentsReachTheProgramUnchanged) {
  EXPECT_EQ(RunProcess({"printf", "%s|", "a b", "$HOME", "'"}).value().output, "a b|$HOME|'|");
}

TEST(Processes, AMissingProgramIsNotFound) {
  const auto result = RunProcess({"whet-no-such-program"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(result.error().message, testing::HasSubstr("whet-no-such-program"));
}

TEST(Processes, ASignalShowsInTheExitCode) {
  EXPECT_EQ(RunProcess({"sh", "-c", "kill -SEGV $$"}).value().exit_code, 128 + 11);
}

TEST(Processes, ATimeoutEndsTheProgramAndItsChildren) {
  const ProcessResult result =
      RunProcess({"sh", "-c", "echo started; sleep 100 & wait"}, {.timeout = milliseconds(200)})
          .value();
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.output, "started\n");
}

TEST(Processes, AChildLeftBehindDoesNotHoldUpTheResult) {
  EXPECT_EQ(RunProcess({"sh", "-c", "sleep 3 & echo done"}).value().output, "done\n");
}

TEST(Processes, StayInTheGroupOfTheCallerIfAsked) {
  const std::vector<std::string> group = {"sh", "-c", "cut -d' ' -f5 /proc/$$/stat"};
  EXPECT_EQ(RunProcess(group, {.own_group = false}).value().output, fmt::format("{}\n", getpgrp()));
  EXPECT_NE(RunProcess(group).value().output, fmt::format("{}\n", getpgrp()));
}

TEST(Processes, RunInTheDirectoryAskedFor) {
  EXPECT_EQ(RunProcess({"pwd"}, {.directory = "/"}).value().output, "/\n");
}

TEST(Processes, OutputIsCutAfterAMebibyte) {
  const ProcessResult result = RunProcess({"head", "-c", "3000000", "/dev/zero"}).value();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output.size(), 1u << 20);
}

}  // namespace
}  // namespace whet
