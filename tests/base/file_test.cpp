#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

namespace whet {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return directory_.path() / name; }
  size_t Entries() const {
    return std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator());
  }
  TemporaryDirectory directory_ = TemporaryDirectory::Create("whet-file-test").value();
};

TEST_F(Files, ReadBackWhatWasWritten) {
  std::string bytes(100000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
  for (const std::string& text : {std::string(), std::string("short"), bytes}) {
    ASSERT_TRUE(WriteFileAtomically(Path("file"), text));
    EXPECT_EQ(ReadFile(Path("file")).value(), text);
  }
  EXPECT_EQ(Entries(), 1u);  // no temporary file stays
}

TEST_F(Files, AMissingFileIsNotFound) {
  EXPECT_EQ(ReadFile(Path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadFile(Path("none/deeper")).error().code, ErrorCode::kNotFound);
}

TEST_F(Files, ADirectoryIsNoFile) {
  EXPECT_THAT(ReadFile(directory_.path()).error().message, HasSubstr("a directory"));
  EXPECT_THAT(WriteFileAtomically(directory_.path(), "x").error().message,
              HasSubstr("is a directory"));
}

TEST_F(Files, WritingIntoAMissingDirectoryFailsWithTheReason) {
  const Status status = WriteFileAtomically(Path("none/file"), "x");
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_THAT(status.error().message, HasSubstr("No such file or directory"));
}

TEST_F(Files, AFullDiskFailsWithTheReason) {
  EXPECT_THAT(WriteFileAtomically("/dev/full", "x").error().message, HasSubstr("No space left"));
}

TEST_F(Files, ADeviceIsWrittenToAndNotReplaced) {
  ASSERT_TRUE(WriteFileAtomically("/dev/null", "x"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Files, ASymbolicLinkStaysAndItsFileIsReplaced) {
  ASSERT_TRUE(WriteFileAtomically(Path("real"), "old"));
  fs::create_symlink("real", Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("real")).value(), "new");
}

TEST_F(Files, ReplacingKeepsThePermissions) {
  ASSERT_TRUE(WriteFileAtomically(Path("file"), "old"));
  fs::permissions(Path("file"), fs::perms(0640));
  ASSERT_TRUE(WriteFileAtomically(Path("file"), "new"));
  EXPECT_EQ(fs::status(Path("file")).permissions(), fs::perms(0640));
}

TEST_F(Files, APipeIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(ReadFile(Path("pipe")).error().message, HasSubstr("a device or pipe"));
}

TEST(TemporaryDirectories, DisappearWithEverythingInThem) {
  fs::path path;
  {
    TemporaryDirectory directory = TemporaryDirectory::Create("whet-test").value();
    const TemporaryDirectory moved = std::move(directory);
    path = moved.path();
    fs::create_directories(path / "a" / "b");
    ASSERT_TRUE(WriteFileAtomically(path / "a" / "b" / "file", "x"));
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace whet
