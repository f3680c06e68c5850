#include "process/union_mounts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"
#include "process/child_for_test.h"

namespace ckpt {
namespace {

using Branches = std::vector<UnionBranch>;

class UnionMountsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base_ = std::filesystem::canonical(::testing::TempDir()).string() + "/unions";
    std::filesystem::remove_all(base_);
    std::filesystem::create_directories(base_);
    sources_.aufs_sysfs = base_ + "/sysfs";
  }
  void TearDown() override { std::filesystem::remove_all(base_); }

  void WriteSysfs(const std::string& name, const std::string& text) {
    const std::string path = sources_.aufs_sysfs + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    ASSERT_TRUE(WriteWholeFile(path, AsBytes(text), 0600).has_value());
  }
  std::string MakeDirectory(const std::string& name) {
    std::filesystem::create_directories(base_ + "/" + name);
    return base_ + "/" + name;
  }
  Result<std::vector<UnionMount>> Find(const std::string& mountinfo) {
    return FindUnionMounts(ParseMountinfo(mountinfo).value(), sources_);
  }
  Branches BranchesOf(const std::string& mountinfo) {
    const auto unions = Find(mountinfo);
    EXPECT_TRUE(unions.has_value()) << unions.error().message;
    return unions.value().at(0).branches;
  }

  std::string base_;
  UnionSources sources_;
};

TEST_F(UnionMountsTest, AnAufsMountHasTheBranchesOfItsId) {
  WriteSysfs("si_78be709e5fa7cad8/br0", "/diff/ID=rw\n");
  WriteSysfs("si_78be709e5fa7cad8/br1", "/diff/ID-init=ro+wh\n");
  WriteSysfs("si_0/br0", "/other=rw\n");
  const auto unions = Find(
      "37 1 254:0 / / rw - ext4 /dev/vda rw\n"
      "38 37 0:26 / /union rw,relatime - aufs none rw,si=78be709e5fa7cad8,dio\n"
      "39 37 0:27 /sub /t/bind rw,relatime - aufs none rw,si=0\n");
  ASSERT_TRUE(unions.has_value()) << unions.error().message;
  ASSERT_EQ(unions.value().size(), 2U);
  EXPECT_EQ(unions.value()[0],
            (UnionMount{38,
                        "/union",
                        "/",
                        "aufs",
                        "78be709e5fa7cad8",
                        "none",
                        "rw,si=78be709e5fa7cad8,dio",
                        {{"/diff/ID", "rw", {}}, {"/diff/ID-init", "ro", {"wh"}}}}));
  EXPECT_EQ(unions.value()[1].root, "/sub");
  EXPECT_EQ(unions.value()[1].branches, (Branches{{"/other", "rw", {}}}));
}

TEST_F(UnionMountsTest, BranchesAreOrderedByNumberAndOtherFilesPassedOver) {
  Branches expected;
  for (int i = 0; i < 12; ++i) {
    WriteSysfs(fmt::format("si_1/br{}", i), fmt::format("/b{}=ro\n", i));
    WriteSysfs(fmt::format("si_1/brid{}", i), fmt::format("{}\n", 64 + i));
    expected.push_back({fmt::format("/b{}", i), "ro", {}});
  }
  WriteSysfs("si_1/xi_path", "/dev/shm/aufs.xino\n");
  EXPECT_EQ(ReadAufsBranches(sources_.aufs_sysfs, "1").value(), expected);
}

TEST_F(UnionMountsTest, WithoutBranchFilesTheOptionsCount) {
  const std::string line = "38 1 0:26 / / rw - aufs none rw,si=5,dio,br:/t/rw=rw:/t/e=q=ro+wh\n";
  const Branches expected = {{"/t/rw", "rw", {}}, {"/t/e=q", "ro", {"wh"}}};
  EXPECT_EQ(BranchesOf(line), expected);
  WriteSysfs("si_5/xi_path", "/dev/shm/aufs.xino\n");
  EXPECT_EQ(BranchesOf(line), expected);
}

TEST_F(UnionMountsTest, ABranchFileThatDoesNotParseIsNamed) {
  WriteSysfs("si_5/br0", "/t/rw\n");
  EXPECT_EQ(Find("38 1 0:26 / /u rw - aufs none rw,si=5\n").error().message,
            "aufs at /u: " + sources_.aufs_sysfs +
                "/si_5/br0: found \"/t/rw\", expected \"PATH=PERMISSION\"");
}

TEST_F(UnionMountsTest, AnIdIsNotFoundInsideAnotherOption) {
  WriteSysfs("si_7/br0", "/right=rw\n");
  WriteSysfs("si_6/br0", "/wrong=rw\n");
  EXPECT_EQ(BranchesOf("38 1 0:26 / / rw - aufs none rw,xsi=6,si=7\n"),
            (Branches{{"/right", "rw", {}}}));
}

TEST_F(UnionMountsTest, SymbolicLinksOfLayersAreResolved) {
  const std::string layer = MakeDirectory("overlay2/0123/diff");
  MakeDirectory("overlay2/l");
  std::filesystem::create_directory_symlink("../0123/diff", base_ + "/overlay2/l/ABC");
  EXPECT_EQ(
      BranchesOf(fmt::format("9 1 0:5 / / rw - overlay o rw,lowerdir={}/overlay2/l/ABC\n", base_)),
      (Branches{{layer, "ro", {}}}));
}

TEST_F(UnionMountsTest, RelativeLayersAreFoundAboveTheUpperOneOrTheMountpoint) {
  const std::string layer = MakeDirectory("overlay2/0123/diff");
  const std::string upper = MakeDirectory("overlay2/4567/diff");
  MakeDirectory("overlay2/l");
  std::filesystem::create_directory_symlink("../0123/diff", base_ + "/overlay2/l/ABC");
  const Branches expected = {{upper, "rw", {}}, {layer, "ro", {}}};
  EXPECT_EQ(BranchesOf("9 1 0:5 / / rw - overlay o rw,lowerdir=l/ABC,upperdir=" + upper + "\n"),
            expected);
  EXPECT_EQ(
      BranchesOf("9 1 0:5 / " + base_ +
                 "/overlay2/4567/merged rw - overlay o rw,lowerdir=l/ABC,upperdir=4567/diff\n"),
      expected);
}

TEST_F(UnionMountsTest, AGivenWorkingDirectoryIsTheOnlyOne) {
  const std::string layer = MakeDirectory("home/l/ABC");
  MakeDirectory("elsewhere");
  const std::string line = "9 1 0:5 / / rw - overlay o rw,lowerdir=l/ABC\n";
  sources_.working_directory = base_ + "/home";
  EXPECT_EQ(BranchesOf(line), (Branches{{layer, "ro", {}}}));
  sources_.working_directory = base_ + "/elsewhere";
  EXPECT_EQ(BranchesOf(line), (Branches{{"l/ABC", "ro", {}}}));
}

TEST_F(UnionMountsTest, LayersThatAreNowhereStayAsGiven) {
  EXPECT_EQ(BranchesOf("9 1 0:5 / / rw - overlay o rw,lowerdir=l/NONE:/no/such/layer\n"),
            (Branches{{"l/NONE", "ro", {}}, {"/no/such/layer", "ro", {}}}));
}

TEST_F(UnionMountsTest, UnionsOfFuseAreListedWithoutBranches) {
  for (const char* fstype : {"fuse.fuse-overlayfs", "fuse.unionfs-fuse", "fuse.mergerfs"}) {
    const auto unions =
        Find(fmt::format("9 1 0:5 / /m rw - {} {} rw,user_id=0,group_id=0\n", fstype, fstype));
    ASSERT_EQ(unions.value().size(), 1U);
    EXPECT_EQ(unions.value()[0].fstype, fstype);
    EXPECT_TRUE(unions.value()[0].branches.empty());
  }
}

TEST_F(UnionMountsTest, OtherFilesystemsAreNoUnions) {
  EXPECT_TRUE(Find("9 1 0:5 / / rw - ext4 /dev/vda rw,lowerdir=/x\n"
                   "8 1 0:4 / /m rw - fuse.sshfs host:/ rw\n")
                  .value()
                  .empty());
}

// The kernel's own words: layers with odd names, mounted in a namespace of the child's own.
int MountOverlay(const std::string& base, const std::function<void()>& ready) {
  const std::string options = "lowerdir=" + base + "/lo\\:w\\\\er:" + base +
                              "/sec\\,ond third,upperdir=" + base + "/upper,workdir=" + base +
                              "/work";
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("t", base.c_str(), "tmpfs", 0, nullptr) != 0) {
    return 1;
  }
  for (const char* name : {"lo:w\\er", "sec,ond third", "upper", "work", "merged"}) {
    if (mkdir((base + "/" + name).c_str(), 0700) != 0) return 2;
  }
  if (mount("o", (base + "/merged").c_str(), "overlay", 0, options.c_str()) != 0) return 3;
  ready();
  while (true) pause();
}

TEST_F(UnionMountsTest, TheLayersOfALiveOverlayAreFound) {
  const ChildForTest child([this](const auto& ready) { return MountOverlay(base_, ready); });
  const auto mounts = ReadMounts(child.pid(), FallbackKernelFeatures());
  ASSERT_TRUE(mounts.has_value()) << mounts.error().message;
  const auto unions = FindUnionMounts(mounts.value(), sources_);
  ASSERT_TRUE(unions.has_value()) << unions.error().message;
  ASSERT_FALSE(unions.value().empty());
  const UnionMount& found = unions.value().back();
  EXPECT_EQ(found.mountpoint, base_ + "/merged");
  EXPECT_EQ(found.branches, (Branches{{base_ + "/upper", "rw", {}},
                                      {base_ + "/lo:w\\er", "ro", {}},
                                      {base_ + "/sec,ond third", "ro", {}}}))
      << found.options;
}

}  // namespace
}  // namespace ckpt
