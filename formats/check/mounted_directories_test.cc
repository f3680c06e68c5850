#include "formats/check/mounted_directories.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

pb::mnt_entry Mount(uint32_t device, const char* root, uint32_t fstype = pb::UNSUPPORTED) {
  pb::mnt_entry mount;
  mount.set_root_dev(device);
  mount.set_root(root);
  mount.set_fstype(fstype);
  return mount;
}

TEST(MountedDirectories, ADirectoryAboveIsWiderByWholeComponents) {
  const auto above = Mount(9, "/vol/a");
  const auto below = Mount(9, "/vol/a/b/c");
  const auto beside = Mount(9, "/vol/a-b");
  const auto elsewhere = Mount(8, "/vol/a/b");
  const auto of_other_type = Mount(9, "/vol/a/b", pb::TMPFS);
  MountedDirectories directories;
  for (const auto* mount : {&below, &above, &beside, &elsewhere, &of_other_type}) {
    directories.Add(*mount, false);
  }
  EXPECT_TRUE(directories.HasWider(below));
  for (const auto* mount : {&above, &beside, &elsewhere, &of_other_type}) {
    EXPECT_FALSE(directories.HasWider(*mount)) << mount->ShortDebugString();
  }
  const auto whole = Mount(9, "/");
  directories.Add(whole, false);
  EXPECT_TRUE(directories.HasWider(above));
  EXPECT_FALSE(directories.HasWider(whole));
}

TEST(MountedDirectories, OfTwoThatShowTheSameTheGivenOneIsToBeBoundFromOrElseTheFirst) {
  const auto first = Mount(9, "/vol");
  const auto second = Mount(9, "/vol");
  MountedDirectories directories;
  directories.Add(first, false);
  directories.Add(second, false);
  EXPECT_FALSE(directories.HasWider(first));
  EXPECT_TRUE(directories.HasWider(second));
  const auto given = Mount(9, "/vol");
  directories.Add(given, true);
  EXPECT_TRUE(directories.HasWider(first));
}

TEST(MountedDirectories, AKeyOfOldImagesIsNoPath) {
  const auto old = Mount(9, "hosts");
  MountedDirectories directories;
  directories.Add(old, false);
  EXPECT_FALSE(directories.HasWider(old));
}

}  // namespace
}  // namespace ckpt
