#include "restorer/mount_planner.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <string>
#include <utility>
#include <vector>

namespace ckpt {
namespace {

constexpr uint32_t kDisk = 254u << 20;

pb::mnt_entry Entry(uint32_t id, uint32_t parent, const std::string& mountpoint,
                    pb::fstype type = pb::UNSUPPORTED, uint32_t device = kDisk,
                    const std::string& root = "/") {
  pb::mnt_entry entry;
  entry.set_fstype(static_cast<uint32_t>(type));
  entry.set_mnt_id(id);
  entry.set_root_dev(device);
  entry.set_parent_mnt_id(parent);
  entry.set_flags(MS_RELATIME);
  entry.set_root(root);
  entry.set_mountpoint(mountpoint);
  entry.set_source("none");
  entry.set_options("");
  return entry;
}

class MountPlannerTest : public testing::Test {
 protected:
  // Adds to the root mount, which has id 10 and shows /c of the disk.
  pb::mnt_entry& Add(pb::mnt_entry entry) {
    entries_.push_back(std::move(entry));
    return entries_.back();
  }
  pb::mnt_entry& Bind(uint32_t id, const std::string& mountpoint, const std::string& root) {
    return Add(Entry(id, 10, mountpoint, pb::UNSUPPORTED, kDisk, root));
  }

  const MountTreePlan& Plan() {
    findings_ = Findings();
    plan_ = PlanMounts(entries_, "mountpoints-9.img", contents_, externals_, findings_);
    return plan_;
  }
  std::string Error() const {
    const Result<> result = findings_.AsResult();
    return result.has_error() ? result.error().message : "";
  }
  std::string PlanError() {
    Plan();
    return Error();
  }
  // Mount ids in the order in which they are made.
  std::vector<uint32_t> Order() const {
    std::vector<uint32_t> ids;
    for (const MountPlan& mount : plan_.mounts) ids.push_back(mount.mnt_id);
    return ids;
  }
  const MountPlan& MountOf(uint32_t id) const { return plan_.mounts[plan_.by_mnt_id.at(id)]; }
  const MountSourcePlan& SourceOf(uint32_t id) const { return plan_.sources[MountOf(id).source]; }
  size_t IndexOf(uint32_t id) const { return plan_.by_mnt_id.at(id); }

  std::vector<pb::mnt_entry> entries_ = {
      Entry(10, 1, "/", pb::UNSUPPORTED, kDisk, "/c"),
  };
  std::set<uint64_t> contents_;
  ExternalMounts externals_;
  Findings findings_;
  MountTreePlan plan_;
};

TEST_F(MountPlannerTest, TheRootComesFromOutside) {
  EXPECT_EQ(PlanError(), "");
  ASSERT_EQ(plan_.mounts.size(), 1U);
  EXPECT_EQ(SourceOf(10).kind, MountSourcePlan::Kind::kRoot);
  EXPECT_EQ(SourceOf(10).place, "mountpoints-9.img: mount 10 at /");
  EXPECT_EQ(MountOf(10).attributes, uint64_t{MOUNT_ATTR_RELATIME});
}

TEST_F(MountPlannerTest, ParentsComeFirstAndTheDeeperOfTwoSiblings) {
  Add(Entry(12, 11, "/dev/pts", pb::DEVPTS, 5));
  Add(Entry(13, 10, "/a", pb::PROC, 6));
  Add(Entry(14, 10, "/a/b", pb::SYSFS, 7));
  Add(Entry(11, 10, "/dev", pb::MQUEUE, 4));
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(Order(), (std::vector<uint32_t>{10, 11, 12, 14, 13}));
  EXPECT_EQ(MountOf(12).mountpoint, "pts");
  EXPECT_EQ(MountOf(12).parent, IndexOf(11));
  EXPECT_EQ(MountOf(14).mountpoint, "a/b");
}

TEST_F(MountPlannerTest, ManyMountsTakeNoLongerThanTheyMust) {
  constexpr uint32_t kCount = 200'000;
  for (uint32_t i = 0; i < kCount; ++i) {
    Bind(100 + i, "/binds/" + std::to_string(i), "/c/data/file");
  }
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(plan_.mounts.size(), kCount + 1);
}

TEST_F(MountPlannerTest, AMountOnTopOfAnotherHasNoPathOfItsOwn) {
  Add(Entry(11, 10, "/a", pb::PROC, 6));
  Add(Entry(12, 11, "/a", pb::SYSFS, 7));
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(MountOf(12).mountpoint, "");
  EXPECT_EQ(MountOf(12).parent, IndexOf(11));
}

TEST_F(MountPlannerTest, AMountOnTopOfTheRootIsRefused) {
  Add(Entry(11, 10, "/", pb::PROC, 6));
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /: a mount on top of the root is not supported");
}

TEST_F(MountPlannerTest, AMissingParentIsNamed) {
  Add(Entry(11, 77, "/a", pb::PROC, 6));
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /a: its parent, mount 77, is not in the image");
}

TEST_F(MountPlannerTest, ParentsInACircleAreAnError) {
  Add(Entry(11, 12, "/a", pb::PROC, 6));
  Add(Entry(12, 11, "/a/b", pb::PROC, 6));
  EXPECT_EQ(PlanError(), "mountpoints-9.img: the parents of some mounts lead in a circle");
}

TEST_F(MountPlannerTest, AnIdThatIsThereTwiceIsAnError) {
  Add(Entry(10, 10, "/a", pb::PROC, 6));
  EXPECT_EQ(PlanError(), "mountpoints-9.img: two mounts have the id 10");
}

TEST_F(MountPlannerTest, TwoMountsAtOnePlaceAreAnError) {
  Add(Entry(11, 10, "/a", pb::PROC, 6));
  Add(Entry(12, 10, "/a", pb::SYSFS, 7));
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /a: another mount is there on the same parent");
}

TEST_F(MountPlannerTest, AMountIsBelowItsParent) {
  Add(Entry(11, 10, "/dev", pb::MQUEUE, 4));
  Add(Entry(12, 11, "/developer", pb::PROC, 6));
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 12 at /developer: is not below the mountpoint of its parent, "
            "/dev");
}

TEST_F(MountPlannerTest, FlagsBecomeAttributes) {
  Add(Entry(11, 10, "/a", pb::PROC, 6)).set_flags(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  Add(Entry(12, 10, "/b", pb::PROC, 6)).set_flags(MS_NOATIME | MS_NODIRATIME);
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(MountOf(11).attributes,
            uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                     MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(MountOf(12).attributes, uint64_t{MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME});
}

TEST_F(MountPlannerTest, ANewFileSystemHasItsOptions) {
  pb::mnt_entry& entry = Add(Entry(11, 10, "/tmp", pb::TMPFS, 44));
  entry.set_source("tmpfs");
  entry.set_options("rw,size=64k,,inode64,mode=755");
  entry.set_sb_flags(MS_RDONLY | MS_SYNCHRONOUS);
  contents_ = {44};
  EXPECT_EQ(PlanError(), "");
  const MountSourcePlan& source = SourceOf(11);
  EXPECT_EQ(source.kind, MountSourcePlan::Kind::kNew);
  EXPECT_EQ(source.fstype, "tmpfs");
  EXPECT_EQ(source.device, "tmpfs");
  EXPECT_EQ(source.options, (std::vector<std::pair<std::string, std::string>>{
                                {"sync", ""}, {"size", "64k"}, {"inode64", ""}, {"mode", "755"}}));
  EXPECT_TRUE(source.read_only);
  EXPECT_EQ(source.content_image, 44U);
}

TEST_F(MountPlannerTest, ATmpfsWithoutItsFilesIsAnError) {
  Add(Entry(11, 10, "/tmp", pb::TMPFS, 44));
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /tmp: tmpfs-dev-44.tar.gz.img, with its files, is "
            "missing");
}

TEST_F(MountPlannerTest, MountsOfOneDeviceShareASource) {
  Add(Entry(11, 10, "/sub", pb::TMPFS, 44, "/d/e"));
  Add(Entry(12, 10, "/tmp", pb::TMPFS, 44));
  contents_ = {44};
  Bind(13, "/bind", "/c/data");
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(MountOf(11).source, MountOf(12).source);
  EXPECT_EQ(MountOf(11).path_in_source, "d/e");
  EXPECT_EQ(MountOf(12).path_in_source, "");
  EXPECT_EQ(MountOf(13).source, MountOf(10).source);
  EXPECT_EQ(MountOf(13).path_in_source, "data");
}

TEST_F(MountPlannerTest, ABindFromOutsideOfTheRootIsRefused) {
  Bind(11, "/etc/hosts", "/container/hosts");
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /etc/hosts: shows /container/hosts, which lies outside "
            "of the container's root and is no external mount");
}

TEST_F(MountPlannerTest, AnExternalMountShowsWhatTheCommandLineSays) {
  Bind(11, "/etc/hosts", "/hosts").set_ext_key("HOSTS");
  Bind(12, "/etc/again", "/hosts");
  externals_ = {{"HOSTS", "/host/file"}};
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(SourceOf(11).kind, MountSourcePlan::Kind::kExternal);
  EXPECT_EQ(SourceOf(11).path, "/host/file");
  EXPECT_EQ(MountOf(12).source, MountOf(11).source);
}

TEST_F(MountPlannerTest, AnExternalMountWithoutAPathIsAnError) {
  Bind(11, "/etc/hosts", "/hosts").set_ext_key("HOSTS");
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /etc/hosts: is an external mount, and no "
            "--ext-mount-map HOSTS:PATH says what it shows");
}

TEST_F(MountPlannerTest, AnExternalMountThatWasFoundByItselfHasItsPathInTheDump) {
  pb::mnt_entry& entry = Bind(11, "/etc/hosts", "/hosts");
  entry.set_ext_key("CRIU:AUTOGENERATED");
  entry.set_source("/host/file");
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(SourceOf(11).path, "/host/file");
}

TEST_F(MountPlannerTest, AllThatIsNotSupportedIsNamedAtOnce) {
  Add(Entry(11, 10, "/a", pb::OVERLAYFS, 5)).set_source("overlay");
  pb::mnt_entry& other = Add(Entry(12, 10, "/b", pb::AUTO, 6));
  other.set_fsname("xfs");
  other.set_source("/dev/sdb");
  Bind(13, "/c", "/c/gone").set_deleted(true);
  Bind(14, "/d", "/dev").set_ext_key("CRIU:EXTERNAL_DEV");
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 13 at /c: shows /c/gone, which had been deleted\n"
            "mountpoints-9.img: mount 14 at /d: shows an external device, which is not supported\n"
            "mountpoints-9.img: mount 12 at /b: a file system of type xfs (source /dev/sdb) is not "
            "supported but as an external mount\n"
            "mountpoints-9.img: mount 11 at /a: a file system of type OVERLAYFS (source overlay) "
            "is not supported but as an external mount");
}

using Kind = PropagationStep::Kind;

TEST_F(MountPlannerTest, PeersJoinTheOneWithTheWidestDirectory) {
  Bind(11, "/narrow", "/c/data/x").set_shared_id(3);
  Bind(12, "/wide", "/c/data").set_shared_id(3);
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(plan_.propagation,
            (std::vector<PropagationStep>{{Kind::kShare, IndexOf(12), 0},
                                          {Kind::kJoin, IndexOf(11), IndexOf(12)}}));
}

TEST_F(MountPlannerTest, SlavesComeAfterTheirMasters) {
  pb::mnt_entry& both = Bind(11, "/both", "/c/data");
  both.set_shared_id(2);
  both.set_master_id(5);
  Bind(12, "/master", "/c/data").set_shared_id(5);
  Bind(13, "/slave", "/c/data").set_master_id(2);
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(plan_.propagation,
            (std::vector<PropagationStep>{{Kind::kShare, IndexOf(12), 0},
                                          {Kind::kJoin, IndexOf(11), IndexOf(12)},
                                          {Kind::kFollow, IndexOf(11), 0},
                                          {Kind::kShare, IndexOf(11), 0},
                                          {Kind::kJoin, IndexOf(13), IndexOf(11)},
                                          {Kind::kFollow, IndexOf(13), 0}}));
}

TEST_F(MountPlannerTest, PeersWithoutACommonDirectoryAreRefused) {
  Bind(11, "/a", "/c/a").set_shared_id(3);
  Bind(12, "/b", "/c/b").set_shared_id(3);
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /a: is in the peer group 3 with mount 12, which does "
            "not have its directory /c/a");
}

TEST_F(MountPlannerTest, MastersInACircleAreAnError) {
  pb::mnt_entry& first = Bind(11, "/a", "/c");
  first.set_shared_id(3);
  first.set_master_id(3);
  EXPECT_EQ(PlanError(),
            "mountpoints-9.img: mount 11 at /a: peer groups are slaves of each other in a circle");
}

TEST_F(MountPlannerTest, AMasterOutsideIsFollowedByWhatComesFromThere) {
  Bind(11, "/bind", "/c/data").set_master_id(99);
  Add(Entry(12, 10, "/proc", pb::PROC, 6)).set_master_id(98);
  EXPECT_EQ(PlanError(), "");
  EXPECT_TRUE(MountOf(11).follows_outside);
  EXPECT_FALSE(MountOf(12).follows_outside);
  EXPECT_TRUE(plan_.propagation.empty());
}

TEST_F(MountPlannerTest, UnbindableIsTheLastThingThatAMountBecomes) {
  Bind(11, "/bind", "/c/data").set_flags(MS_UNBINDABLE);
  Plan();
  EXPECT_EQ(plan_.propagation, (std::vector<PropagationStep>{{Kind::kUnbindable, IndexOf(11), 0}}));
}

TEST_F(MountPlannerTest, APathLeadsToTheTopmostMount) {
  Add(Entry(11, 10, "/dev", pb::MQUEUE, 4));
  Add(Entry(12, 11, "/dev/pts", pb::DEVPTS, 5));
  Add(Entry(13, 12, "/dev/pts", pb::PROC, 6));
  Plan();
  const auto mount_at = [&](std::string_view path) {
    return plan_.mounts[plan_.FindMountOf(path)].mnt_id;
  };
  EXPECT_EQ(mount_at("/"), 10U);
  EXPECT_EQ(mount_at("/developer/x"), 10U);
  EXPECT_EQ(mount_at("/dev"), 11U);
  EXPECT_EQ(mount_at("/dev/null"), 11U);
  EXPECT_EQ(mount_at("/dev/pts/0"), 13U);
}

}  // namespace
}  // namespace ckpt
