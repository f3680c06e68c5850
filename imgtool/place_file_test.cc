#include "imgtool/place_file.h"

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

namespace fs = std::filesystem;

struct stat StatusOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

class PlaceFileTest : public testing::Test {
 protected:
  PlaceFileTest() {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    EXPECT_TRUE(WriteWholeFile(Path("source"), AsBytes("pages"), 0640).has_value());
  }
  ~PlaceFileTest() override { fs::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  const std::string directory_ = testing::TempDir() + "/place_file_test";
};

TEST_F(PlaceFileTest, InOneFileSystemNoByteIsCopied) {
  EXPECT_EQ(PlaceFile(Path("source"), Path("target")).value(), Placement::kHardLinked);
  EXPECT_EQ(StatusOf(Path("source")).st_ino, StatusOf(Path("target")).st_ino);
}

TEST_F(PlaceFileTest, AnExistingTargetStays) {
  ASSERT_TRUE(WriteWholeFile(Path("target"), AsBytes("other"), 0600).has_value());
  const auto placed = PlaceFile(Path("source"), Path("target"));
  ASSERT_TRUE(placed.has_error());
  EXPECT_NE(placed.error().message.find("(EEXIST)"), std::string::npos);
  EXPECT_EQ(ReadWholeFile(Path("target")).value(), "other");
}

// /dev/shm is a file system of its own, so that link(2) says EXDEV.
class OtherFileSystemTest : public PlaceFileTest {
 protected:
  void SetUp() override {
    struct stat here = StatusOf(directory_);
    struct stat there {};
    if (stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev) {
      GTEST_SKIP() << "/dev/shm is no other file system than " << directory_;
    }
    target_ = "/dev/shm/place_file_test." + std::to_string(getpid());
  }
  void TearDown() override { unlink(target_.c_str()); }

  std::string target_;
};

TEST_F(OtherFileSystemTest, ACopyHasTheContentOwnerModeAndTimes) {
  const auto placed = PlaceFile(Path("source"), target_);
  ASSERT_TRUE(placed.has_value()) << placed.error().message;
  EXPECT_NE(placed.value(), Placement::kHardLinked);
  EXPECT_EQ(ReadWholeFile(target_).value(), "pages");
  const struct stat source = StatusOf(Path("source"));
  const struct stat target = StatusOf(target_);
  EXPECT_EQ(target.st_mode, source.st_mode);
  EXPECT_EQ(target.st_uid, source.st_uid);
  EXPECT_EQ(target.st_mtim.tv_sec, source.st_mtim.tv_sec);
  EXPECT_EQ(target.st_mtim.tv_nsec, source.st_mtim.tv_nsec);
}

TEST_F(OtherFileSystemTest, AFailedCopyLeavesNothing) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small{2, old_limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto placed = PlaceFile(Path("source"), target_);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  ASSERT_TRUE(placed.has_error());
  EXPECT_NE(placed.error().message.find("(EFBIG)"), std::string::npos);
  EXPECT_FALSE(fs::exists(target_));
}

}  // namespace
}  // namespace ckpt
