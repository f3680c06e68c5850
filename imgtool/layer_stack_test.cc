#include "imgtool/layer_stack.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// Branches b0, b1, b2 below the test's directory; what wins is told as "BRANCH:NAME".
class LayerStackTest : public DirectoryFixture {
 protected:
  void AddFile(const std::string& path, const std::string& bytes = "x") {
    fs::create_directories(fs::path(directory_ + "/" + path).parent_path());
    Put(path, bytes);
  }
  void AddDirectory(const std::string& path) { fs::create_directories(directory_ + "/" + path); }
  // The spelling that every user may set.
  void SetAttribute(const std::string& path, const std::string& name, const std::string& value) {
    ASSERT_EQ(setxattr((directory_ + "/" + path).c_str(), ("user.overlay." + name).c_str(),
                       value.data(), value.size(), 0),
              0);
  }

  void UseBranches(const std::string& type, const std::vector<std::string>& permissions) {
    std::string text = "branch-map 1\nunion u\ntype " + type + "\n";
    for (size_t i = 0; i < permissions.size(); ++i) {
      const std::string at = directory_ + "/b" + std::to_string(i);
      fs::create_directories(at);
      text += fmt::format("branch {} /old/b{} at {}\n", permissions[i], i, at);
    }
    map_ = ParseBranchMap(text, "m").value();
  }

  std::string Find(const std::string& rest) {
    const LayerStack stack = LayerStack::Open(map_.unions[0]).value();
    const LayerFile file = stack.Find(rest).value();
    return file.found ? fmt::format("{}:{}", file.branch, file.rest) : file.absence;
  }

  BranchMap map_;
};

TEST_F(LayerStackTest, TheTopmostFileWins) {
  UseBranches("aufs", {"rw", "ro+wh", "ro+wh"});
  AddFile("b1/lib/x");
  AddFile("b2/lib/x");
  AddFile("b2/lib/only");
  EXPECT_EQ(Find("/lib/x"), "1:/lib/x");
  EXPECT_EQ(Find("/lib/only"), "2:/lib/only");
  EXPECT_EQ(Find("/lib"), "1:/lib");
  EXPECT_EQ(Find(""), "0:");
  EXPECT_EQ(Find("/lib/none"), "no branch has \"/lib/none\"");
  EXPECT_EQ(Find("/lib/x/y/z"), "\"/lib/x\" is no directory");
  const LayerStack stack = LayerStack::Open(map_.unions[0]).value();
  EXPECT_EQ(stack.Find("/lib/x/y/z").value().obstacle, "/lib/x");
  EXPECT_EQ(stack.Find("/lib/none/y").value().obstacle, "");
}

TEST_F(LayerStackTest, WhiteoutsOfAufsHideInRwAndRoWhBranches) {
  AddFile("b0/.wh.top");
  AddFile("b1/.wh.middle");
  AddFile("b2/top");
  AddFile("b2/middle");
  UseBranches("aufs", {"rw", "ro+wh", "ro+wh"});
  EXPECT_EQ(Find("/top"), "branch 0 has a whiteout for \"/top\"");
  EXPECT_EQ(Find("/middle"), "branch 1 has a whiteout for \"/middle\"");
}

TEST_F(LayerStackTest, PlainRoBranchesHonourNeitherWhiteoutsNorOpaqueMarks) {
  AddFile("b1/.wh.x");
  AddFile("b1/d/.wh..wh..opq");
  AddFile("b2/x");
  AddFile("b2/d/y");
  UseBranches("aufs", {"rw", "ro", "ro"});
  EXPECT_EQ(Find("/x"), "2:/x");
  EXPECT_EQ(Find("/d/y"), "2:/d/y");
  UseBranches("aufs", {"rw", "rr+wh", "ro"});
  EXPECT_EQ(Find("/x"), "branch 1 has a whiteout for \"/x\"");
  EXPECT_EQ(Find("/d/y"), "no branch has \"/d/y\"");
}

TEST_F(LayerStackTest, AWhiteoutIsARegularFile) {
  AddDirectory("b0/.wh.x");
  AddFile("b1/x");
  UseBranches("aufs", {"rw", "ro+wh"});
  EXPECT_EQ(Find("/x"), "1:/x");
}

TEST_F(LayerStackTest, AWhitedOutDirectoryHidesAllBelowAndCanBeMadeAgain) {
  AddFile("b0/.wh.d");
  AddFile("b1/d/x");
  UseBranches("aufs", {"rw", "ro+wh"});
  EXPECT_EQ(Find("/d/x"), "branch 0 has a whiteout for \"/d\"");
}

TEST_F(LayerStackTest, AFileReplacedByADirectoryAndTheReverse) {
  AddFile("b0/was_file/new");
  AddFile("b1/was_file");
  AddFile("b0/was_directory");
  AddFile("b1/was_directory/old");
  UseBranches("aufs", {"rw", "ro+wh"});
  EXPECT_EQ(Find("/was_file"), "0:/was_file");
  EXPECT_EQ(Find("/was_file/new"), "0:/was_file/new");
  EXPECT_EQ(Find("/was_directory"), "0:/was_directory");
  EXPECT_EQ(Find("/was_directory/old"), "\"/was_directory\" is no directory");
}

TEST_F(LayerStackTest, AufsLooksOnBelowAFileThatADirectoryCovers) {
  AddDirectory("b0/d");
  AddFile("b1/d");
  AddFile("b2/d/x");
  UseBranches("aufs", {"rw", "ro+wh", "ro+wh"});
  EXPECT_EQ(Find("/d/x"), "2:/d/x");
  UseBranches("overlay", {"rw", "ro", "ro"});
  EXPECT_EQ(Find("/d/x"), "no branch has \"/d/x\"");
}

TEST_F(LayerStackTest, OverlayDoesNotKnowTheMarksOfAufs) {
  AddFile("b0/.wh.x");
  AddFile("b1/x");
  UseBranches("overlay", {"rw", "ro"});
  EXPECT_EQ(Find("/x"), "1:/x");
}

TEST_F(LayerStackTest, OverlayHidesByACharacterDeviceInAnyLayer) {
  UseBranches("overlay", {"rw", "ro", "ro"});
  ASSERT_EQ(mknod((directory_ + "/b1/x").c_str(), S_IFCHR, makedev(0, 0)), 0);
  AddFile("b2/x");
  EXPECT_EQ(Find("/x"), "branch 1 has a whiteout for \"/x\"");
}

TEST_F(LayerStackTest, OverlayHidesByAnEmptyFileWithAnAttributeInAMarkedDirectory) {
  UseBranches("overlay", {"rw", "ro"});
  AddFile("b0/d/x", "");
  AddFile("b1/d/x");
  SetAttribute("b0/d/x", "whiteout", "");
  EXPECT_EQ(Find("/d/x"), "0:/d/x");
  SetAttribute("b0/d", "opaque", "x");
  EXPECT_EQ(Find("/d/x"), "branch 0 has a whiteout for \"/d/x\"");
}

TEST_F(LayerStackTest, AnOpaqueDirectoryIsNotMerged) {
  AddFile("b0/d/.wh..wh..opq");
  AddFile("b1/d/x");
  UseBranches("aufs", {"rw", "ro+wh"});
  EXPECT_EQ(Find("/d/x"), "no branch has \"/d/x\"");
  EXPECT_EQ(Find("/d"), "0:/d");
  AddDirectory("b0/e");
  AddFile("b1/e/x");
  UseBranches("overlay", {"rw", "ro"});
  EXPECT_EQ(Find("/e/x"), "1:/e/x");
  SetAttribute("b0/e", "opaque", "y");
  EXPECT_EQ(Find("/e/x"), "no branch has \"/e/x\"");
}

TEST_F(LayerStackTest, RedirectsOfRenamedDirectoriesAreFollowed) {
  UseBranches("overlay", {"rw", "ro", "ro"});
  AddDirectory("b0/beside");
  AddFile("b1/old/x");
  SetAttribute("b0/beside", "redirect", "old");
  AddDirectory("b0/deep/er");
  AddFile("b2/far/away/y");
  SetAttribute("b0/deep/er", "redirect", "/far/away");
  EXPECT_EQ(Find("/beside/x"), "1:/old/x");
  EXPECT_EQ(Find("/deep/er/y"), "2:/far/away/y");
}

TEST_F(LayerStackTest, EveryBranchHasToBeThere) {
  UseBranches("aufs", {"rw", "ro"});
  fs::remove(directory_ + "/b1");
  EXPECT_EQ(LayerStack::Open(map_.unions[0]).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
