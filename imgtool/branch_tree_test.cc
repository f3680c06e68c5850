#include "imgtool/branch_tree.h"

#include <gmock/gmock.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class BranchTreeTest : public DirectoryFixture {
 protected:
  BranchTree Open() { return BranchTree::Open(directory_).value(); }
};

TEST_F(BranchTreeTest, FindsFilesWithoutFollowingLinks) {
  fs::create_directory(directory_ + "/sub");
  Put("sub/file", "12345");
  fs::create_symlink("sub", directory_ + "/link");
  const BranchTree tree = Open();
  EXPECT_EQ(tree.Find("/sub/file").value()->st_size, 5);
  EXPECT_TRUE(S_ISDIR(tree.Find("").value()->st_mode));
  EXPECT_TRUE(S_ISLNK(tree.Find("/link").value()->st_mode));
  EXPECT_EQ(tree.Find("/link/file").value(), std::nullopt);
  EXPECT_EQ(tree.Find("/sub/file/x").value(), std::nullopt);
  EXPECT_EQ(tree.Find("/none").value(), std::nullopt);
  EXPECT_EQ(tree.PathOf("/sub/file"), directory_ + "/sub/file");
}

TEST_F(BranchTreeTest, WhatIsMountedBelowIsNotThere) {
  EXPECT_EQ(BranchTree::Open("/").value().Find("/proc/version").value(), std::nullopt);
  EXPECT_EQ(BranchTree::Open("/").value().Find("/proc").value(), std::nullopt);
}

TEST_F(BranchTreeTest, ReadsAFileOrSaysThatItIsNotThere) {
  Put("file", "12345");
  const BranchTree tree = Open();
  EXPECT_EQ(ReadWholeFd(tree.OpenForReading("/file").value().get(), "file").value(), "12345");
  EXPECT_EQ(tree.OpenForReading("/none").error().message, directory_ + "/none is not there");
}

TEST_F(BranchTreeTest, FindsTheNamesOfAnInode) {
  const std::string file = Put("b", "1");
  Put("other", "1");
  fs::create_directory(directory_ + "/.wh..wh.plnk");
  fs::create_hard_link(file, directory_ + "/a");
  fs::create_hard_link(file, directory_ + "/.wh..wh.plnk/27.48");
  const BranchTree tree = Open();
  EXPECT_THAT(tree.FindNamesOf(*tree.Find("/.wh..wh.plnk/27.48").value()).value(),
              ElementsAre("/a", "/b"));
  struct stat none {};
  EXPECT_THAT(tree.FindNamesOf(none).value(), IsEmpty());
}

TEST_F(BranchTreeTest, ReadsAttributesOfOverlayfs) {
  const std::string file = Put("file", "1");
  const BranchTree tree = Open();
  EXPECT_EQ(tree.OverlayAttribute("/file", "opaque"), std::nullopt);
  ASSERT_EQ(setxattr(file.c_str(), "user.overlay.opaque", "y", 1, 0), 0);
  EXPECT_EQ(tree.OverlayAttribute("/file", "opaque"), "y");
}

TEST_F(BranchTreeTest, IsADirectory) {
  EXPECT_EQ(BranchTree::Open("/no/such").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
