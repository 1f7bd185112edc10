#include "codegen/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whet {
namespace {

Status Check(const std::string& isa_of_target, const std::string& isa_here) {
  return CheckRunsOn(Target{"x86-64", "linux", isa_of_target, 2}, isa_here);
}

TEST(CheckRunsOn, AMachineRunsItsOwnInstructionSetAndSmallerOnes) {
  EXPECT_TRUE(Check("avx512", "avx512"));
  EXPECT_TRUE(Check("avx2", "avx512_vnni"));
  EXPECT_TRUE(Check("sse41", "sse41"));
  EXPECT_TRUE(CheckRunsOn(Target::Host(1), LargestIsaHere()));
}

TEST(CheckRunsOn, ATargetThatTheMachineCannotRunIsRefused) {
  const Status status = Check("avx512", "avx2");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, testing::HasSubstr("this machine has avx2"));
  EXPECT_FALSE(Check("avx512_vnni", "avx512"));
}

}  // namespace
}  // namespace whet
