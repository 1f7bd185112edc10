#include "search/guess.h"

#include <gtest/gtest.h>

#include "codegen/target.h"
#include "schedules/sketch.h"
#include "search/candidate_source.h"

namespace whet {
namespace {

class GuessTest : public testing::Test {
 protected:
  const Target target_ = *Target::Parse("x86-64-linux-avx512-2t");
  const MachineModel machine_ = *target_.Machine();
  const Task task_ =
      *ParseTaskSpelling("Conv(x=1x24x18x18,w=40x24x3x3,pads=1)+Relu", target_.ToString());
};

TEST_F(GuessTest, IsTheSameOnAnyNumberOfThreads) {
  const auto base = MakeBaseModel(1);
  const auto one = GuessSchedule(task_, machine_, *base, 1);
  const auto three = GuessSchedule(task_, machine_, *base, 3);
  ASSERT_TRUE(one && three);
  EXPECT_EQ(one->DirectivesHash(), three->DirectivesHash());
}

TEST_F(GuessTest, IsNoWorseToTheModelThanTheDefaultSchedule) {
  const auto base = MakeBaseModel(1);
  const auto guess = GuessSchedule(task_, machine_, *base, 1);
  ASSERT_TRUE(guess);
  const auto source = *MakeSketchSource(task_, machine_);
  std::vector<float> rows(2 * static_cast<size_t>(source->width()));
  const auto half = static_cast<size_t>(source->width());
  ASSERT_TRUE(source->Features(*guess, std::span(rows).first(half)));
  ASSERT_TRUE(source->Features(source->Default(), std::span(rows).last(half)));
  const auto scores = base->Predict(rows, source->width());
  ASSERT_TRUE(scores);
  EXPECT_GE((*scores)[0], (*scores)[1]);
}

}  // namespace
}  // namespace whet
