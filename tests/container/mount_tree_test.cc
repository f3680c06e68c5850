// Mount trees that no program of tests/programs has, made of entries as images hold them.
#include "restorer/mount_tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "restorer/mount_planner.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

constexpr uint32_t kDisk = 254u << 20;
constexpr uint32_t kTmpfs = 44;

pb::mnt_entry Entry(uint32_t id, const std::string& mountpoint, const std::string& root,
                    uint32_t device = kDisk, pb::fstype type = pb::UNSUPPORTED) {
  pb::mnt_entry entry;
  entry.set_fstype(static_cast<uint32_t>(type));
  entry.set_mnt_id(id);
  entry.set_root_dev(device);
  entry.set_parent_mnt_id(id == 1 ? 0 : 1);
  entry.set_flags(MS_RELATIME);
  entry.set_root(root);
  entry.set_mountpoint(mountpoint);
  entry.set_source("source");
  entry.set_options("");
  return entry;
}

class MountTree : public testing::Test {
 protected:
  MountTree() {
    folder_ =
        MakeTestDirectory(testing::UnitTest::GetInstance()->current_test_info()->name()).value();
    root_ = folder_ + "/root";
    MakeDirectories({"root", "root/a", "root/a/b", "root/c", "root/d", "images", "outside"});
    entries_ = {Entry(1, "/", "/")};
  }

  void MakeDirectories(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      std::filesystem::create_directories(folder_ + "/" + name);
    }
  }
  pb::mnt_entry& Add(pb::mnt_entry entry) { return entries_.emplace_back(std::move(entry)); }
  // A new tmpfs with the file "inside" in it.
  pb::mnt_entry& AddTmpfs(uint32_t id, const std::string& mountpoint) {
    MakeDirectories({"content"});
    EXPECT_TRUE(WriteWholeFile(folder_ + "/content/inside", AsBytes("text"), 0600).has_value());
    EXPECT_TRUE(RunCommandWell({"tar", "czf", folder_ + "/images/tmpfs-dev-44.tar.gz.img", "-C",
                                folder_ + "/content", "."})
                    .has_value());
    return Add(Entry(id, mountpoint, "/", kTmpfs, pb::TMPFS));
  }

  // What `look` writes to the file that it is given, in a process that is in the tree.
  std::string InTree(const std::function<std::string()>& look) {
    Findings findings;
    const MountTreePlan plan =
        PlanMounts(entries_, "mountpoints-9.img", {kTmpfs}, externals_, findings);
    EXPECT_TRUE(findings.empty()) << findings.AsResult().error().message;
    const UniqueFd report = OpenFile(folder_ + "/report", O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    const pid_t child = fork();
    if (child == 0) {
      std::string text = "cannot unshare";
      if (unshare(CLONE_NEWNS) == 0) {
        const Result<> made = MakeMountTree(plan, root_, folder_ + "/images");
        text = made.has_value() ? look() : made.error().message;
      }
      _exit(WriteAll(report.get(), AsBytes(text), "report").has_value() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return ReadWholeFile(folder_ + "/report").value();
  }

  // mountpoint, options and propagation of each mount but the root, by mountpoint; peer groups by
  // letters, in the order in which they come.
  std::string MountsInTree() {
    Add(Entry(99, "/proc", "/", 6, pb::PROC));
    MakeDirectories({"root/proc"});
    return Digest(InTree([] { return ReadWholeFile("/proc/self/mountinfo").value(); }));
  }

  static std::string Digest(const std::string& mountinfo) {
    std::map<std::string, std::vector<std::string>> propagation;  // by mountpoint and options
    std::istringstream text(mountinfo);
    for (std::string line; std::getline(text, line);) {
      std::istringstream words(line);
      std::string word, mountpoint, options;
      words >> word >> word >> word >> word >> mountpoint >> options;
      std::vector<std::string>& fields = propagation[mountpoint + " " + options];
      for (words >> word; word != "-"; words >> word) fields.push_back(word);
    }
    std::string digest;
    std::map<std::string, char> groups;
    for (const auto& [mount, fields] : propagation) {
      if (mount.starts_with("/proc ")) continue;
      digest += mount;
      for (const std::string& field : fields) digest += " " + Lettered(field, groups);
      digest += "\n";
    }
    return digest;
  }

  // "shared:17" as "shared:A".
  static std::string Lettered(const std::string& field, std::map<std::string, char>& groups) {
    const size_t number = field.find(':') + 1;
    if (number == 0) return field;
    const char letter = static_cast<char>('A' + groups.size());
    return field.substr(0, number) + groups.emplace(field.substr(number), letter).first->second;
  }

  std::string folder_, root_;
  std::vector<pb::mnt_entry> entries_;
  ExternalMounts externals_;
};

TEST_F(MountTree, FlagsOfMountsAndOfSuperblocksComeBack) {
  AddTmpfs(2, "/a").set_sb_flags(MS_RDONLY);
  Add(Entry(3, "/c", "/a")).set_flags(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME);
  Add(Entry(4, "/d", "/a")).set_flags(MS_NODIRATIME | MS_NOSYMFOLLOW | MS_RELATIME);
  EXPECT_EQ(MountsInTree(),
            "/ rw,relatime\n"
            "/a rw,relatime\n"
            "/c ro,nosuid,nodev,noexec,noatime\n"
            "/d rw,nodiratime,relatime,nosymfollow\n");
  EXPECT_THAT(InTree([] {
                const UniqueFd inside(open("/a/inside", O_RDONLY));
                return std::string(inside.valid() ? "there, " : "not there, ") +
                       (open("/a/new", O_WRONLY | O_CREAT, 0600) < 0 ? strerror(errno) : "written");
              }),
              "there, Read-only file system");
}

// What is under a mount can be seen once that is gone.
TEST_F(MountTree, WhatLiesUnderAMountIsThere) {
  Add(Entry(2, "/a", "/c"));
  Add(Entry(3, "/a/b", "/d"));
  Add(Entry(4, "/a", "/", 6, pb::PROC)).set_parent_mnt_id(2);
  const std::string left = InTree([] {
    if (access("/a/self", F_OK) != 0) return std::string("no proc");
    if (umount2("/a", 0) != 0 || umount2("/a", 0) != 0) return std::string("no two mounts");
    return std::string(umount2("/a/b", 0) == 0 ? "three" : "no mount below");
  });
  EXPECT_EQ(left, "three");
}

TEST_F(MountTree, ABindShowsWhatItsDirectoryHasUnderAMount) {
  ASSERT_TRUE(WriteWholeFile(root_ + "/a/b/hidden", AsBytes(""), 0600).has_value());
  AddTmpfs(2, "/a");
  Add(Entry(3, "/c", "/a/b"));
  EXPECT_EQ(InTree([] {
              return std::string(access("/c/hidden", F_OK) == 0 ? "hidden" : "") +
                     (access("/a/b", F_OK) == 0 ? " uncovered" : "");
            }),
            "hidden");
}

TEST_F(MountTree, PeersAndSlavesReceiveFromEachOther) {
  entries_[0].set_shared_id(5);
  Add(Entry(2, "/a", "/d")).set_shared_id(3);
  Add(Entry(3, "/c", "/d")).set_master_id(3);
  pb::mnt_entry& both = Add(Entry(4, "/d", "/d"));
  both.set_shared_id(4);
  both.set_master_id(3);
  EXPECT_EQ(MountsInTree(),
            "/ rw,relatime shared:A\n"
            "/a rw,relatime shared:B\n"
            "/c rw,relatime master:B\n"
            "/d rw,relatime shared:C master:B\n");
}

TEST_F(MountTree, AnUnbindableMountIsOne) {
  Add(Entry(2, "/a", "/c")).set_flags(MS_RELATIME | MS_UNBINDABLE);
  EXPECT_EQ(MountsInTree(),
            "/ rw,relatime\n"
            "/a rw,relatime unbindable\n");
}

TEST_F(MountTree, AnExternalMountFollowsTheHostOnlyWhereTheDumpDid) {
  const std::string outside = folder_ + "/outside";
  ASSERT_EQ(mount(outside.c_str(), outside.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(mount(nullptr, outside.c_str(), nullptr, MS_SHARED, nullptr), 0);
  for (const uint32_t id : {2U, 3U}) {
    Add(Entry(id, id == 2 ? "/a" : "/c", "/outside", 7)).set_ext_key("KEY");
  }
  entries_.back().set_master_id(77);
  externals_ = {{"KEY", outside}};
  EXPECT_EQ(MountsInTree(),
            "/ rw,relatime\n"
            "/a rw,relatime\n"
            "/c rw,relatime master:A\n");
  umount2(outside.c_str(), MNT_DETACH);
}

TEST_F(MountTree, AMountpointIsNotLookedForThroughALink) {
  MakeDirectories({"outside/target"});
  ASSERT_EQ(symlink((folder_ + "/outside").c_str(), (root_ + "/link").c_str()), 0);
  Add(Entry(2, "/link/target", "/a"));
  EXPECT_THAT(InTree([] { return std::string("made"); }),
              HasSubstr("mount 2 at /link/target: link/target: "));
}

TEST_F(MountTree, AnOptionThatTheKernelDoesNotTakeIsNamed) {
  AddTmpfs(2, "/a").set_options("size=lots");
  EXPECT_THAT(InTree([] { return std::string("made"); }),
              HasSubstr("mount 2 at /a: fsconfig of tmpfs (size=lots): e tmpfs: Bad value for "
                        "'size'"));
}

}  // namespace
}  // namespace ckpt
