#include "imgtool/mount_lists.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "imgtool/branch_map_text.h"

namespace ckpt {
namespace {

std::string Text(FoundUnions found) {
  if (found.has_error()) return "error: " + found.error().message;
  if (!found.value()) return "none";
  return PrintBranchMap({std::move(*found.value())});
}

TEST(MountLists, UnionsAreTakenOutOfMountinfo) {
  EXPECT_EQ(Text(ReadMountLines(
                "44 29 0:24 / / rw,relatime - aufs none rw,si=1f,dio,br:/b0=rw:/b1=ro+wh\n"
                "46 44 254:0 /etc/hosts /etc/hosts rw - ext4 /dev/root rw\n"
                "50 44 0:30 / /mnt/u rw - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w\n",
                "m")),
            "branch-map 1\n"
            "union 1f\n  mountpoint /\n  type aufs\n  mnt-id 44\n  si 1f\n  device 0:24\n"
            "  branch rw /b0\n  branch ro+wh /b1\n"
            "union 50\n  mountpoint /mnt/u\n  type overlay\n  mnt-id 50\n  device 0:30\n"
            "  branch rw /u\n  branch ro /l\n");
}

TEST(MountLists, AUnionOfAufsWithoutBranchesInItsOptionsTellsNothing) {
  EXPECT_EQ(Text(ReadMountLines("44 29 0:24 / / rw - aufs none rw,si=1f,dio\n", "m")), "none");
}

TEST(MountLists, LinesOfMountsAndCommandsAreReadToo) {
  EXPECT_EQ(Text(ReadMountLines("overlay /merged overlay rw,lowerdir=/l1:/l2 0 0\n", "m")),
            "branch-map 1\nunion /merged\n  mountpoint /merged\n  type overlay\n"
            "  branch ro /l1\n  branch ro /l2\n");
  EXPECT_EQ(Text(ReadMountLines("mount -t overlay overlay /t -o index=off,workdir=/s/4/work,"
                                "upperdir=/s/4/fs,lowerdir=/s/3/fs:/s/2/fs\n",
                                "m")),
            "branch-map 1\nunion overlay\n  mountpoint /\n  type overlay\n"
            "  branch rw /s/4/fs\n  branch ro /s/3/fs\n  branch ro /s/2/fs\n");
}

TEST(MountLists, AnOptionStringByItselfIsAUnion) {
  EXPECT_EQ(Text(ReadMountLines("br:/a=rw:/b=ro+wh", "m")),
            "branch-map 1\nunion aufs\n  mountpoint /\n  type aufs\n  branch rw /a\n"
            "  branch ro+wh /b\n");
  EXPECT_EQ(Text(ReadMountLines("hello world", "m")), "none");
  EXPECT_EQ(Text(ReadMountLines("br:a=rw", "m")), "error: m:1: path \"a\" is not absolute");
}

TEST(MountLists, UnionsOfOneKindGetIdsOfTheirOwn) {
  EXPECT_EQ(Text(ReadMountLines("lowerdir=/a\nlowerdir=/b\n", "m")),
            "branch-map 1\nunion overlay\n  mountpoint /\n  type overlay\n  branch ro /a\n"
            "union overlay-2\n  mountpoint /\n  type overlay\n  branch ro /b\n");
}

TEST(MountLists, DockerInspectNamesTheDirectories) {
  EXPECT_EQ(Text(ReadInspectJson(R"([{"Id": "4f", "GraphDriver": {"Name": "overlay2", "Data": {
                "LowerDir": "/o/ID-init/diff:/o/base/diff", "MergedDir": "/o/ID/merged",
                "UpperDir": "/o/ID/diff", "WorkDir": "/o/ID/work"}}}])",
                                 "j")),
            "branch-map 1\nunion overlay\n  mountpoint /\n  type overlay\n"
            "  branch rw /o/ID/diff\n  branch ro /o/ID-init/diff\n  branch ro /o/base/diff\n");
}

TEST(MountLists, ContainerdListsMounts) {
  EXPECT_EQ(Text(ReadInspectJson(R"([{"Type": "overlay", "Source": "overlay", "Options":
                ["workdir=/s/4/work", "upperdir=/s/4/fs", "lowerdir=/s/3/fs"]}])",
                                 "j")),
            "branch-map 1\nunion overlay\n  mountpoint /\n  type overlay\n  branch rw /s/4/fs\n"
            "  branch ro /s/3/fs\n");
}

TEST(MountLists, OtherTextIsNoJsonOfThem) {
  EXPECT_EQ(Text(ReadInspectJson("", "j")), "none");
  EXPECT_EQ(Text(ReadInspectJson("{\"a\": 1}", "j")), "none");
  EXPECT_EQ(Text(ReadInspectJson("{broken", "j")), "none");
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(Text(ReadInspectJson(deep, "j")), "error: j: JSON of more than 64 levels");
}

}  // namespace
}  // namespace ckpt
