#include "schedules/task_label.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedules/task.h"

namespace whet {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::string DescriptionOf(const std::string& spelling) {
  const auto task = ParseTaskSpelling(spelling, "x86-64-linux-avx2-2t");
  if (!task) ADD_FAILURE() << task.error().message;
  return task ? task->Describe() : "";
}

constexpr char kBlock[] =
    "Conv(x=1x64x14x14,w=384x64x1x1)+Clip(max=6,min=0)+Conv(w=384x1x3x3,pads=1,strides=2,group=384)"
    "+Clip(max=6,min=0)+Conv(w=96x384x1x1)";

TEST(ShortLabel, IsTheDescriptionWhereThatFits) {
  const std::string description = DescriptionOf("Conv(x=1x64x56x56,w=64x64x3x3,pads=1)+Relu");
  EXPECT_EQ(ShortLabel(description), description);
  EXPECT_EQ(ShortLabel("resnet50.conv3x3_56_64"), "resnet50.conv3x3_56_64");
}

TEST(ShortLabel, OfABlockNamesItsOperatorsAndWindows) {
  EXPECT_EQ(ShortLabel(DescriptionOf(kBlock)),
            "Conv 1x64x14x14 1x1 +Clip +Conv 3x3/2 grouped +Clip +Conv 1x1");
}

TEST(ShortLabel, OfOneOperatorKeepsAllThatTellsItsSize) {
  const std::string description = DescriptionOf("MatMul(a=12x384x768,b=768x3072)+Add+Gelu");
  EXPECT_EQ(ShortLabel(description, 40), "MatMul 12x384x768 768x3072 +Add +Gelu");
}

TEST(ShortLabel, IsCutWhereItIsStillTooLong) {
  EXPECT_EQ(ShortLabel(DescriptionOf(kBlock), 48),
            "Conv 1x64x14x14 1x1 .. grouped +Clip +Conv 1x1");
}

TEST(CutMiddle, CutsBetweenWordsAndInsideOfALongOne) {
  EXPECT_EQ(CutMiddle("short", 8), "short");
  EXPECT_EQ(CutMiddle("one two three four five", 20), "one two .. four five");
  EXPECT_EQ(CutMiddle("abcdefghijklmnopqrstuvwxyz", 12), "abcd .. wxyz");
}

TEST(CutMiddle, NeverTakesMoreThanTheWidthOrHalfACharacter) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "\u00e9 \u00fc\u00e9";
  for (size_t width = 8; width < 80; ++width) {
    const std::string cut = CutMiddle(text, width);
    size_t columns = 0;
    for (const char c : cut) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    EXPECT_LE(columns, width);
    EXPECT_GE(columns, width / 2);
    for (size_t i = 0; i < cut.size(); ++i) {
      if (static_cast<unsigned char>(cut[i]) < 0xc0) continue;
      ASSERT_LT(i + 1, cut.size());
      EXPECT_EQ(static_cast<unsigned char>(cut[i + 1]) & 0xc0, 0x80);
    }
  }
}

TEST(TableLabels, TellDifferentTasksApart) {
  const std::string narrow = DescriptionOf(kBlock);
  std::string wide = kBlock;
  wide.replace(wide.find("96x384"), 6, "64x384");
  const std::vector<NamedFingerprint> rows = {{narrow, "0123456789abcdef"},
                                              {DescriptionOf(wide), "fedcba9876543210"},
                                              {narrow, "0123456789abcdef"},
                                              {"MatMul 8x8 8x8", "00"}};
  const std::vector<std::string> labels = TableLabels(rows);
  ASSERT_THAT(labels, SizeIs(4));
  EXPECT_THAT(labels[0], testing::EndsWith(" 01234567"));
  EXPECT_THAT(labels[1], testing::EndsWith(" fedcba98"));
  EXPECT_EQ(labels[0], labels[2]);
  EXPECT_EQ(labels[3], "MatMul 8x8 8x8");
  for (const std::string& label : labels) EXPECT_LE(label.size(), kLabelWidth);
}

TEST(TableLabels, OfTheSameTaskTwiceNeedNoDigits) {
  const std::vector<NamedFingerprint> rows = {{"Relu 4x4", "01"}, {"Relu 4x4", "01"}};
  EXPECT_THAT(TableLabels(rows), ElementsAre("Relu 4x4", "Relu 4x4"));
}

}  // namespace
}  // namespace whet
