#include "imgtool/mount_table.h"

#include <gtest/gtest.h>

#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

MountTable SampleTable() {
  MountTable table;
  // Backwards, as CRIU writes it, with two more mounts upon the one at /mnt/u.
  table.AddNamespace(
      7, SampleMounts(
             7, {SampleMount(pb::OVERLAYFS, 52, 51, "/mnt/u"),
                 SampleMount(pb::TMPFS, 51, 50, "/mnt/u"), SampleMount(pb::AUFS, 50, 44, "/mnt/u"),
                 SampleMount(pb::PROC, 47, 44, "/proc"), SampleMount(pb::AUFS, 44, 29, "/")}));
  table.AddNamespace(8, SampleMounts(8, {SampleMount(pb::UNSUPPORTED, 60, 29, "/jail")}));
  return table;
}

MapUnion At(std::string mountpoint) {
  MapUnion mount;
  mount.mountpoint = std::move(mountpoint);
  return mount;
}

TEST(MountTableTest, APathBelongsToTheLongestAndUppermostMount) {
  const MountTable table = SampleTable();
  EXPECT_EQ(table.Owner(7, "/etc/x")->entry.mnt_id(), 44U);
  EXPECT_EQ(table.Owner(7, "/proc/1")->entry.mnt_id(), 47U);
  EXPECT_EQ(table.Owner(7, "/process")->entry.mnt_id(), 44U);
  EXPECT_EQ(table.Owner(7, "/mnt/u/x")->entry.mnt_id(), 52U);
  EXPECT_EQ(table.Owner(8, "/etc/x"), nullptr);
  EXPECT_EQ(table.Owner(9, "/"), nullptr);
}

TEST(MountTableTest, ACircleOfParentsEnds) {
  MountTable table;
  table.AddNamespace(
      1, SampleMounts(1, {SampleMount(pb::TMPFS, 2, 3, "/"), SampleMount(pb::TMPFS, 3, 2, "/")}));
  EXPECT_NE(table.Owner(1, "/x"), nullptr);
}

TEST(MountTableTest, IdsOfAllNamespacesAreListed) {
  const MountTable table = SampleTable();
  EXPECT_EQ(table.Find(60)->place.Text(), "mountpoints-8.img: entry 0");
  EXPECT_EQ(table.Find(22), nullptr);
  EXPECT_EQ(table.Find(-1), nullptr);
}

TEST(MountTableTest, AUnionIsFoundByIdOrElseByMountpoint) {
  const MountTable table = SampleTable();
  EXPECT_EQ(table.FindUnion(7, At("/"))->entry.mnt_id(), 44U);
  EXPECT_EQ(table.FindUnion(7, At("/proc")), nullptr);  // proc is no union
  EXPECT_EQ(table.FindUnion(8, At("/jail"))->entry.mnt_id(), 60U);
  MapUnion by_id = At("/elsewhere");
  by_id.mnt_id = 50;
  EXPECT_EQ(table.FindUnion(7, by_id)->entry.mnt_id(), 50U);
  by_id.mnt_ns_id = 8;
  EXPECT_EQ(table.FindUnion(7, by_id), nullptr);
}

}  // namespace
}  // namespace ckpt
