#include "imgtool/external_mounts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

pb::mnt_entry Bind(uint32_t device, uint32_t mnt_id, const std::string& root,
                   const std::string& mountpoint, uint32_t fstype = pb::UNSUPPORTED) {
  pb::mnt_entry mount = SampleMount(fstype, mnt_id, 44, mountpoint);
  mount.set_root_dev(device);
  mount.set_root(root);
  return mount;
}

std::vector<std::string> NeedKeys(const std::vector<pb::mnt_entry>& entries) {
  const auto mounts = SampleMounts(7, entries);
  std::vector<std::string> mountpoints;
  for (const DumpedMount* mount : MountsThatNeedKeys(mounts)) {
    mountpoints.push_back(mount->entry.mountpoint());
  }
  return mountpoints;
}

using Names = std::vector<std::string>;

TEST(ExternalMounts, FilesOfTheHostNeedKeysAndWhatARestorerMakesDoesNot) {
  EXPECT_EQ(NeedKeys({SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::PROC, 47, 44, "/proc"),
                      Bind(9, 50, "/etc/hosts", "/etc/hosts"),
                      Bind(9, 51, "/var/lib/docker/x/hostname", "/etc/hostname")}),
            (Names{"/etc/hosts", "/etc/hostname"}));
}

TEST(ExternalMounts, ABindMountInsideTheDumpNeedsNone) {
  EXPECT_EQ(
      NeedKeys({SampleMount(pb::AUFS, 44, 1, "/"), Bind(44, 50, "/data", "/ro", pb::AUFS),
                SampleMount(pb::TMPFS, 51, 44, "/tmp"), Bind(51, 52, "/sub", "/other", pb::TMPFS)}),
      Names{});
}

TEST(ExternalMounts, OfSeveralMountsOfTheHostTheWidestIsEnough) {
  EXPECT_EQ(NeedKeys({SampleMount(pb::AUFS, 44, 1, "/"), Bind(9, 50, "/vol/a/b", "/b"),
                      Bind(9, 51, "/vol/a", "/a"), Bind(9, 52, "/vol/a", "/again")}),
            Names{"/a"});
}

TEST(ExternalMounts, AUnionBelowTheRootNeedsOneToo) {
  EXPECT_EQ(NeedKeys({SampleMount(pb::UNSUPPORTED, 44, 1, "/"),
                      SampleMount(pb::OVERLAYFS, 50, 44, "/mnt/u"),
                      Bind(50, 51, "/sub", "/sub", pb::OVERLAYFS)}),
            Names{"/mnt/u"});
}

TEST(ExternalMounts, OfTheRootsOfSeveralNamespacesTheFirstIsGiven) {
  const auto first = SampleMounts(7, {SampleMount(pb::AUFS, 44, 1, "/")});
  auto mounts = SampleMounts(
      8, {Bind(44, 61, "/work", "/work", pb::AUFS), SampleMount(pb::OVERLAYFS, 60, 2, "/"),
          SampleMount(pb::PROC, 62, 60, "/proc")});
  mounts.insert(mounts.begin(), first.begin(), first.end());
  const auto needed = MountsThatNeedKeys(mounts);
  ASSERT_EQ(needed.size(), 1U) << "one is bound from the first namespace's root";
  EXPECT_EQ(needed[0]->entry.mnt_id(), 60U);
}

TEST(ExternalMounts, WhatHasAKeyNeedsNoOther) {
  pb::mnt_entry with_key = Bind(9, 50, "/etc/hosts", "/etc/hosts");
  with_key.set_ext_key("hosts");
  pb::mnt_entry old = Bind(9, 51, "key", "/etc/old");
  old.set_ext_mount(true);
  EXPECT_EQ(NeedKeys({SampleMount(pb::AUFS, 44, 1, "/"), with_key, old}), Names{});
}

TEST(ExternalMounts, AnUnknownFileSystemNeedsOne) {
  EXPECT_EQ(
      NeedKeys({SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::UNSUPPORTED, 50, 44, "/vol")}),
      Names{"/vol"});
}

}  // namespace
}  // namespace ckpt
