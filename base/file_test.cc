#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace ckpt {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() { std::filesystem::create_directories(directory_); }
  ~FileTest() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  const std::string directory_ = testing::TempDir() + "/file_test";
};

TEST_F(FileTest, AStagedFileAppearsOnlyWhenCommitted) {
  {
    auto staged = StagedFile::Create(Path("out"), 0640).value();
    ASSERT_TRUE(staged.Write(AsBytes("half")).has_value());
    EXPECT_FALSE(std::filesystem::exists(Path("out")));
  }
  EXPECT_EQ(ListDirectory(directory_).value(), std::vector<std::string>{});
  ASSERT_TRUE(WriteWholeFile(Path("out"), AsBytes("whole"), 0640).has_value());
  EXPECT_EQ(ReadWholeFile(Path("out")).value(), "whole");
  struct stat status {};
  ASSERT_EQ(stat(Path("out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(ListDirectory(directory_).value(), std::vector<std::string>{"out"});
}

TEST_F(FileTest, AFailedWriteLeavesTheOldContentAndNoTemporary) {
  ASSERT_TRUE(WriteWholeFile(Path("out"), AsBytes("old"), 0600).has_value());
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small{4, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto result = WriteWholeFile(Path("out"), AsBytes("longer than four bytes"), 0600);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  ASSERT_TRUE(result.has_error());
  EXPECT_NE(result.error().message.find("File too large (EFBIG)"), std::string::npos);
  EXPECT_EQ(ReadWholeFile(Path("out")).value(), "old");
  EXPECT_EQ(ListDirectory(directory_).value(), std::vector<std::string>{"out"});
}

TEST_F(FileTest, ReadingStopsAtTheLimit) {
  ASSERT_TRUE(WriteWholeFile(Path("big"), AsBytes(std::string(100, 'x')), 0600).has_value());
  EXPECT_EQ(ReadWholeFile(Path("big"), 100).value().size(), 100U);
  const auto result = ReadWholeFile(Path("big"), 99);
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().message, Path("big") + ": more than the 99 bytes allowed");
}

TEST_F(FileTest, LinksOfAnyLengthAndAnyBytesAreRead) {
  const std::string target = "/\xff" + std::string(2000, 'l');
  ASSERT_EQ(symlink(target.c_str(), Path("link").c_str()), 0);
  EXPECT_EQ(ReadLink(Path("link")).value(), target);
}

TEST_F(FileTest, AMissingFileIsNamed) {
  const auto result = ReadWholeFile(Path("none"));
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_NE(result.error().message.find(Path("none")), std::string::npos);
}

}  // namespace
}  // namespace ckpt
