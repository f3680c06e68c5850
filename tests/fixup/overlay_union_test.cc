// What imgtool works out from the layers of an overlay, against what the kernel shows of the same
// layers in a real mount, after the changes that the kernel makes to the upper one.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "imgtool/branch_map_text.h"
#include "imgtool/layer_stack.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class OverlayUnion : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        MakeTestDirectory(testing::UnitTest::GetInstance()->current_test_info()->name()).value();
    // The upper directory of an overlay cannot lie in another overlay, as in a container.
    ASSERT_EQ(mount("tmpfs", root_.c_str(), "tmpfs", 0, nullptr), 0) << strerror(errno);
    for (const char* name : {"/upper", "/work", "/l1", "/l2", "/merged"}) {
      fs::create_directory(root_ + name);
    }
    Add("l2/lib/a", "lowest");
    Add("l2/lib/b", "lowest");
    Add("l2/lib/deep/c", "lowest");
    Add("l1/lib/b", "middle");
    Add("l1/etc/d", "middle");
    Add("l2/etc/d", "lowest");
    Add("l2/was_directory/x", "lowest");
    Add("l2/was_file", "lowest");
  }
  void TearDown() override {
    umount2((root_ + "/merged").c_str(), MNT_DETACH);
    umount2(root_.c_str(), MNT_DETACH);
  }

  std::string root_;

  void Add(const std::string& path, const std::string& bytes) {
    fs::create_directories(fs::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path) << bytes;
  }
  // Of the union, which is where the kernel makes whiteouts and copies.
  std::string Merged(const std::string& path) const { return root_ + "/merged/" + path; }

  void Mount(const std::string& more = "") {
    const std::string options =
        fmt::format("lowerdir={0}/l1:{0}/l2,upperdir={0}/upper,workdir={0}/work{1}", root_, more);
    ASSERT_EQ(mount("overlay", Merged("").c_str(), "overlay", 0, options.c_str()), 0)
        << strerror(errno);
  }

  LayerStack Open() const {
    const std::string map = fmt::format(
        "branch-map 1\nunion u\ntype overlay\nbranch rw {0}/upper\nbranch ro {0}/l1\n"
        "branch ro {0}/l2\n",
        root_);
    return LayerStack::Open(ParseBranchMap(map, "m").value().unions[0]).value();
  }

  // All names of all layers and of the mount: each has to be in both or in neither, and the same.
  void ExpectTheSame() const {
    std::set<std::string> names;
    for (const char* tree : {"/upper", "/l1", "/l2", "/merged"}) AddNames(root_ + tree, names);
    const LayerStack stack = Open();
    for (const std::string& name : names) ExpectTheSameFile(stack, name);
  }

 private:
  static void AddNames(const std::string& tree, std::set<std::string>& names) {
    for (const auto& file : fs::recursive_directory_iterator(tree)) {
      names.insert(file.path().string().substr(tree.size()));
    }
  }

  void ExpectTheSameFile(const LayerStack& stack, const std::string& name) const {
    struct stat shown {};
    const bool is_shown = lstat((root_ + "/merged" + name).c_str(), &shown) == 0;
    const LayerFile file = stack.Find(name).value();
    EXPECT_EQ(file.found, is_shown) << name << ": " << file.absence;
    if (!file.found || !is_shown) return;
    EXPECT_EQ(file.status.st_mode, shown.st_mode) << name;
    if (!S_ISREG(shown.st_mode)) return;
    EXPECT_EQ(file.status.st_size, shown.st_size) << name;
    std::ifstream worked_out(stack.tree(file.branch).PathOf(file.rest));
    std::ifstream in_mount(root_ + "/merged" + name);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(worked_out), {}),
              std::string(std::istreambuf_iterator<char>(in_mount), {}))
        << name;
  }
};

TEST_F(OverlayUnion, ShowsTheTopmostFiles) {
  Mount();
  ExpectTheSame();
  EXPECT_EQ(Open().Find("/lib/b").value().branch, 1U);
  EXPECT_EQ(Open().Find("/lib/a").value().branch, 2U);
}

TEST_F(OverlayUnion, ShowsCopiesAndHidesWhatWasDeleted) {
  Mount();
  std::ofstream(Merged("lib/a"), std::ios::app) << " and more";
  ASSERT_EQ(chmod(Merged("etc/d").c_str(), 0700), 0);
  fs::remove(Merged("lib/b"));
  fs::remove_all(Merged("lib/deep"));
  ExpectTheSame();
  EXPECT_EQ(Open().Find("/lib/a").value().branch, 0U);
  EXPECT_EQ(Open().Find("/lib/b").value().absence, "branch 0 has a whiteout for \"/lib/b\"");
}

TEST_F(OverlayUnion, ShowsRenamedFilesUnderTheirNewNames) {
  Mount();
  fs::rename(Merged("lib/a"), Merged("lib/renamed"));
  std::ofstream(Merged("lib/a")) << "another file under the old name";
  ExpectTheSame();
}

TEST_F(OverlayUnion, ShowsReplacedTypesAndDirectoriesThatWereMadeAgain) {
  Mount();
  fs::remove_all(Merged("was_directory"));
  std::ofstream(Merged("was_directory")) << "a file now";
  fs::remove(Merged("was_file"));
  fs::create_directory(Merged("was_file"));
  fs::remove_all(Merged("lib"));
  fs::create_directory(Merged("lib"));
  std::ofstream(Merged("lib/new")) << "alone in an opaque directory";
  ExpectTheSame();
  EXPECT_FALSE(Open().Find("/lib/a").value().found);
}

TEST_F(OverlayUnion, FollowsTheRedirectsOfRenamedDirectories) {
  Mount(",redirect_dir=on");
  fs::rename(Merged("lib"), Merged("library"));
  fs::create_directory(Merged("other"));
  fs::rename(Merged("etc"), Merged("other/etc"));
  ExpectTheSame();
  EXPECT_TRUE(Open().Find("/library/deep/c").value().found);
  EXPECT_TRUE(Open().Find("/other/etc/d").value().found);
}

// A container engine in a container has its layers in an overlay. Where the layers of that lie on
// several file systems, files have other devices than their directories.
TEST_F(OverlayUnion, CanBeALayerItselfThoughItsFilesHaveDevicesOfTheirOwn) {
  ASSERT_EQ(mount("other", (root_ + "/l1").c_str(), "tmpfs", 0, nullptr), 0);
  Add("l1/lib/apart", "on another file system");
  Mount(",xino=off");
  struct stat file {};
  struct stat directory {};
  ASSERT_EQ(stat(Merged("lib/apart").c_str(), &file), 0);
  ASSERT_EQ(stat(Merged("lib").c_str(), &directory), 0);
  ASSERT_NE(file.st_dev, directory.st_dev);
  const std::string map =
      fmt::format("branch-map 1\nunion u\ntype aufs\nbranch ro+wh {}/merged\n", root_);
  const LayerStack stack = LayerStack::Open(ParseBranchMap(map, "m").value().unions[0]).value();
  EXPECT_TRUE(stack.Find("/lib/apart").value().found);
  EXPECT_EQ(stack.tree(0).FindNamesOf(file).value(), std::vector<std::string>{"/lib/apart"});
}

}  // namespace
}  // namespace ckpt
