#include "codegen/worker_protocol.h"

#include <gtest/gtest.h>

namespace whet {
namespace {

TEST(FrameReader, FindsFramesHoweverTheStreamIsCut) {
  const std::string stream =
      EncodeFrame(Json{{"id", 1}}) + EncodeFrame(Json::array()) + EncodeFrame(Json{{"id", 2}});
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader;
    std::vector<Json> frames;
    for (size_t at = 0; at < stream.size(); at += piece) {
      reader.Append(std::string_view(stream).substr(at, piece));
      while (true) {
        auto frame = reader.Next();
        ASSERT_TRUE(frame);
        if (!*frame) break;
        frames.push_back(std::move(**frame));
      }
    }
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[0]["id"], 1);
    EXPECT_EQ(frames[1], Json::array());
    EXPECT_EQ(frames[2]["id"], 2);
  }
}

TEST(FrameReader, RefusesALengthThatNoPeerSends) {
  FrameReader reader;
  reader.Append("\xff\xff\xff\xff");
  const auto frame = reader.Next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::kCorrupt);
}

TEST(FrameReader, RefusesAFrameThatIsNotJson) {
  FrameReader reader;
  reader.Append(std::string("\x03\0\0\0{,}", 7));
  const auto frame = reader.Next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::kCorrupt);
}

TEST(EncodeFrame, TakesTextThatIsNotUtf8) {
  FrameReader reader;
  reader.Append(EncodeFrame(Json{{"message", "last \xff words"}}));
  const auto frame = reader.Next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_NE((**frame)["message"].get<std::string>().find("words"), std::string::npos);
}

TEST(JobResult, SurvivesTheWayThroughJson) {
  for (const JobStatus status :
       {JobStatus::kOk, JobStatus::kError, JobStatus::kCrash, JobStatus::kTimeout,
        JobStatus::kOutOfMemory, JobStatus::kWorkerLost}) {
    const JobResult result{status, "why", Json{{"x", 1}}, 2.5};
    const auto back = JobResult::FromJson(result.ToJson());
    ASSERT_TRUE(back) << Name(status);
    EXPECT_EQ(back->status, status);
    EXPECT_EQ(back->message, "why");
    EXPECT_EQ(back->payload, result.payload);
    EXPECT_EQ(back->ms, 2.5);
  }
}

TEST(JobResult, RefusesAStatusThatDoesNotExist) {
  EXPECT_FALSE(JobResult::FromJson(Json{{"status", "splendid"}}));
  EXPECT_FALSE(JobResult::FromJson(Json{{"message", ""}}));
}

}  // namespace
}  // namespace whet
