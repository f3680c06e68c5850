#include "imgtool/union_files.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class UnionFilesTest : public testing::Test {
 protected:
  UnionFilesTest() {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/bin");
    std::ofstream(root_ + "/bin/sh") << "12345";
    EXPECT_EQ(chmod((root_ + "/bin/sh").c_str(), 0750), 0);
  }
  ~UnionFilesTest() override { fs::remove_all(root_); }

  const std::string root_ = testing::TempDir() + "/union_files_test";
};

TEST_F(UnionFilesTest, AFileIsFoundWithSizeAndMode) {
  const UnionFiles files = UnionFiles::Open(root_).value();
  EXPECT_EQ(files.Find("/bin/sh").value(), (FileFacts{5, S_IFREG | 0750}));
  EXPECT_TRUE(S_ISDIR(files.Find("/").value()->mode));
}

TEST_F(UnionFilesTest, WhatIsNotThereIsNothing) {
  const UnionFiles files = UnionFiles::Open(root_).value();
  EXPECT_FALSE(files.Find("/bin/no").value());
  EXPECT_FALSE(files.Find("/bin/sh/x").value());
}

TEST_F(UnionFilesTest, NoLinkLeadsOutOfTheRoot) {
  fs::create_symlink("/bin", root_ + "/usr");
  fs::create_symlink("../../..", root_ + "/up");
  const UnionFiles files = UnionFiles::Open(root_).value();
  EXPECT_EQ(files.Find("/usr/sh").value(), (FileFacts{5, S_IFREG | 0750}));
  EXPECT_EQ(files.Find("/up/bin/sh").value(), (FileFacts{5, S_IFREG | 0750}));
  EXPECT_TRUE(S_ISLNK(files.Find("/usr").value()->mode));
}

TEST_F(UnionFilesTest, ARootThatIsNotThereIsAnError) {
  EXPECT_EQ(UnionFiles::Open(root_ + "/none").error().code, ErrorCode::kNotFound);
}

TEST_F(UnionFilesTest, AMountedUnionIsOneAtItsMountpointOnly) {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    GTEST_SKIP() << "no permission to mount";
  }
  fs::create_directories(root_ + "/other");
  fs::create_directories(root_ + "/union");
  const std::string options = "lowerdir=" + root_ + "/bin:" + root_ + "/other";
  if (mount("overlay", (root_ + "/union").c_str(), "overlay", 0, options.c_str()) != 0) {
    GTEST_SKIP() << "no overlayfs";
  }
  EXPECT_TRUE(IsUnionMountpoint(root_ + "/union"));
  EXPECT_FALSE(IsUnionMountpoint(root_ + "/union/sh"));
  EXPECT_EQ(umount((root_ + "/union").c_str()), 0);
  EXPECT_FALSE(IsUnionMountpoint(root_ + "/union"));
}

TEST_F(UnionFilesTest, APlainDirectoryIsNoUnion) {
  EXPECT_FALSE(IsUnionMountpoint(root_));
  EXPECT_FALSE(IsUnionMountpoint(root_ + "/none"));
}

}  // namespace
}  // namespace ckpt
