// A dump that was repaired is not repaired again: the first run takes away what tells its mounts
// apart (AUFS's ids, devices), and a second one with the same options must not take others for
// them.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "imgtool/sample_dump.h"
#include "tests/fixup/aufs_case.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

class AufsSecondRun : public AufsCase {
 protected:
  // The union as /sys/fs/aufs names it.
  void MapNames(const std::vector<std::string>& ids) {
    map_.clear();
    for (const std::string& id : ids) map_ += "/sys/fs/aufs/si_" + id + "/br0:/d/base=rw\n";
  }

  void ExpectTheSameAgain(const std::vector<std::string>& options = {}) {
    const CommandResult first = Run(options);
    ASSERT_EQ(first.exit_status, 0) << first.errors;
    EXPECT_THAT(first.output, HasSubstr("mounts: "));
    const Tree repaired = ReadTree(dump_->directory());
    const CommandResult second = Run(options);
    EXPECT_EQ(second.exit_status, 0) << second.errors;
    EXPECT_THAT(second.output, HasSubstr("nothing to do; nothing written"));
    EXPECT_EQ(ReadTree(dump_->directory()), repaired);
  }

  std::vector<pb::mnt_entry> MountsNow() const {
    return ReadEntries<pb::mnt_entry>(dump_->Path("mountpoints-7.img")).value();
  }
};

constexpr const char* kOfTheHost = "26 1 254:1 / / rw,relatime - ext4 /dev/root rw,discard";

TEST_F(AufsSecondRun, ABindMountOfTheReferencesFileSystemIsNoUnion) {
  MapNames({"1f"});
  pb::mnt_entry hosts = SampleMount(pb::UNSUPPORTED, 46, kUnionMount, "/etc/hosts", "rw,discard");
  hosts.set_root_dev(254U << 20 | 1);
  hosts.set_root("/var/lib/docker/containers/ID/hosts");
  hosts.set_source("/dev/root");
  mounts_.push_back(hosts);
  AddMapped("/d/base/x");
  const std::string moved = "/var/lib/docker/vfs/dir/ID";
  ExpectTheSameAgain({"--mount-ref", kOfTheHost, "--mount-root", moved});
  EXPECT_EQ(MountsNow()[0].root(), moved);
  EXPECT_EQ(MountsNow()[0].root_dev(), hosts.root_dev());
  EXPECT_EQ(MountsNow()[2].SerializeAsString(), hosts.SerializeAsString());

  ASSERT_EQ(Run({"--mount-ref", kOfTheHost, "--mount-root", "/elsewhere"}).exit_status, 0);
  EXPECT_EQ(MountsNow()[0].root(), "/elsewhere");
  EXPECT_EQ(MountsNow()[2].SerializeAsString(), hosts.SerializeAsString());
}

TEST_F(AufsSecondRun, TheRootIsNotTakenForAUnionBelowIt) {
  MapNames({"1f"});
  const std::string layers = "lowerdir=/l,upperdir=/u,workdir=/w";
  mounts_ = {SampleMount(pb::OVERLAYFS, 50, 29, "/", layers),
             SampleMount(pb::AUFS, kUnionMount, 50, "/mnt/u", "si=1f")};
  AddMapped("/d/base/x");
  ExpectTheSameAgain();
  EXPECT_EQ(MountsNow()[0].options(), layers);
  EXPECT_EQ(Files()[0].name(), "/mnt/u/x");
}

TEST_F(AufsSecondRun, UnionsThatLostTheirIdsAreStillThoseOfTheMap) {
  MapNames({"1", "2"});
  mounts_ = {SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1"),
             SampleMount(pb::AUFS, 45, kUnionMount, "/mnt/u", "si=2")};
  AddMapped("/proc/version");
  ExpectTheSameAgain();
  ExpectTheSameAgain({"--mount-ref", kOfTheHost});
  EXPECT_EQ(MountsNow()[0].source(), "/dev/root");
  EXPECT_EQ(MountsNow()[1].source(), "none");
}

TEST_F(AufsSecondRun, AMapOfOtherUnionsIsAnErrorAsBefore) {
  MapNames({"1", "2"});
  mounts_ = {SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1")};
  AddMapped("/proc/version");
  ExpectTheSameAgain();
  MapNames({"3", "4"});
  const CommandResult other = Run();
  EXPECT_EQ(other.exit_status, 3);
  EXPECT_THAT(other.errors, HasSubstr("the dump has none of the unions of the map"));
}

// What is left alone for doubts must not be changed by the second run for want of them.
TEST_F(AufsSecondRun, AFileThatWasLeftAloneStays) {
  map_ = "/sys/fs/aufs/si_1f/br0:/mnt=rw\n";
  mounts_ = {SampleMount(pb::OVERLAYFS, 50, 29, "/", "lowerdir=/l"),
             SampleMount(pb::AUFS, kUnionMount, 50, "/mnt/u", "si=1f")};
  AddMapped("/mnt/u/x").set_mnt_id(50);
  const CommandResult first = Run();
  ASSERT_EQ(first.exit_status, 0) << first.errors;
  EXPECT_THAT(first.output, HasSubstr("left alone: "));
  EXPECT_THAT(Run().output, testing::AllOf(HasSubstr("left alone: "), HasSubstr("nothing to do")));
  EXPECT_EQ(Files()[0].name(), "/mnt/u/x");
}

}  // namespace
}  // namespace ckpt
