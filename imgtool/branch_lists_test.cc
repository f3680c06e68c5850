#include "imgtool/branch_lists.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "imgtool/branch_map_text.h"
#include "imgtool/directory_fixture.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// The map as text, "none" for a source of another kind, "error: ..." for an error.
std::string Text(FoundUnions found) {
  if (found.has_error()) return "error: " + found.error().message;
  if (!found.value()) return "none";
  return PrintBranchMap({std::move(*found.value())});
}

class BranchListsTest : public DirectoryFixture {
 protected:
  std::string MakeDirectory(const std::string& name) {
    fs::create_directories(directory_ + "/" + name);
    return directory_ + "/" + name;
  }
};

TEST_F(BranchListsTest, ACopyOfSysfsIsReadInTheOrderOfNumbers) {
  const std::string si = MakeDirectory("si_1f");
  for (int i = 0; i < 12; ++i) {
    Put(fmt::format("si_1f/br{}", i), fmt::format("/d/{}={}\n", i, i == 0 ? "rw" : "ro+wh"));
    Put(fmt::format("si_1f/brid{}", i), fmt::format("{}\n", 64 + i));
  }
  Put("si_1f/xi_path", "/dev/shm/aufs.xino\n");
  std::string expected =
      "branch-map 1\nunion 1f\n  mountpoint /\n  type aufs\n  si 1f\n  branch rw /d/0\n";
  for (int i = 1; i < 12; ++i) expected += fmt::format("  branch ro+wh /d/{}\n", i);
  EXPECT_EQ(Text(ReadAufsSysfs(si)), expected);
  EXPECT_EQ(Text(ReadAufsSysfs(si + "/")), expected);
  EXPECT_EQ(Text(ReadAufsSysfs(directory_)), expected);
}

TEST_F(BranchListsTest, SysfsEscapesAndEqualsSignsAreUnderstood) {
  const std::string si = MakeDirectory("copy");
  Put("copy/br0", "/t/sp\\040ace\\012\\134=rw\n");
  Put("copy/br1", "/t/e=q=ro+wh\n");
  EXPECT_EQ(Text(ReadAufsSysfs(si)),
            "branch-map 1\nunion aufs\n  mountpoint /\n  type aufs\n"
            "  branch rw /t/sp\\040ace\\012\\134\n  branch ro+wh /t/e=q\n");
}

TEST_F(BranchListsTest, ADirectoryWithoutThemIsNoCopyOfSysfs) {
  Put("brid0", "64\n");
  EXPECT_EQ(Text(ReadAufsSysfs(directory_)), "none");
}

// The form of CRIU 2.9's log, as in reports of AUFS dumps that failed.
constexpr std::string_view kLog =
    "(00.014075) type aufs source none mnt_id 44 s_dev 0x1f / @ ./ flags 0x200000 options "
    "si=f598876b0855b883,dio,dirperm1\n"
    "(00.014100) /sys/fs/aufs/si_f598876b0855b883/br0 : /var/lib/docker/aufs/diff/4f\n"
    "(00.014101) /sys/fs/aufs/si_f598876b0855b883/br10 : /var/lib/docker/aufs/diff/10\n"
    "(00.014102) /sys/fs/aufs/si_f598876b0855b883/br2 : /var/lib/docker/aufs/diff/2\n"
    "(00.014103) /sys/fs/aufs/si_f598876b0855b883/br0 : /var/lib/docker/aufs/diff/4f\n"
    "(00.020000) Dumping path for -3 fd via self 9 "
    "[/var/lib/docker/aufs/diff/2/lib/x86_64-linux-gnu/libc-2.23.so]\n"
    "(00.020001) Error (files-reg.c:694): Can't create link remap for "
    "/var/lib/docker/aufs/diff/2/lib/x86_64-linux-gnu/libc-2.23.so. Use link-remap option\n";

TEST_F(BranchListsTest, TheLogOfACriuDumpIsReadInTheOrderOfNumbers) {
  EXPECT_EQ(Text(ReadAufsLines(kLog, "dump.log")),
            "branch-map 1\nunion f598876b0855b883\n  mountpoint /\n  type aufs\n"
            "  si f598876b0855b883\n  branch rw /var/lib/docker/aufs/diff/4f\n"
            "  branch ro+wh /var/lib/docker/aufs/diff/2\n"
            "  branch ro+wh /var/lib/docker/aufs/diff/10\n");
}

TEST_F(BranchListsTest, SeveralUnionsOfALogStaySeparate) {
  EXPECT_EQ(Text(ReadAufsLines("/sys/fs/aufs/si_2/br0 : /b\n/sys/fs/aufs/si_1/br0 : /a\n", "log")),
            "branch-map 1\nunion 1\n  mountpoint /\n  type aufs\n  si 1\n  branch rw /a\n"
            "union 2\n  mountpoint /\n  type aufs\n  si 2\n  branch rw /b\n");
}

TEST_F(BranchListsTest, WhatGrepPrintsOfSysfsIsReadToo) {
  EXPECT_EQ(Text(ReadAufsLines("/sys/fs/aufs/si_1/br0:/a=rw+nolwh\n/sys/fs/aufs/si_1/br1:/b=ro\n"
                               "/sys/fs/aufs/si_1/brid0:64\n",
                               "log")),
            "branch-map 1\nunion 1\n  mountpoint /\n  type aufs\n  si 1\n"
            "  branch rw+nolwh /a\n  branch ro /b\n");
  EXPECT_EQ(Text(ReadAufsLines("nothing of that\n", "log")), "none");
}

TEST_F(BranchListsTest, OneBranchWithTwoPathsIsRefused) {
  EXPECT_EQ(Text(ReadAufsLines("/sys/fs/aufs/si_1/br0 : /a\n/sys/fs/aufs/si_1/br0 : /b\n", "log")),
            "error: log:2: branch 0 of si_1 is another one than at log:1");
}

TEST_F(BranchListsTest, DockersLayersBeginWithTheNearestParent) {
  MakeDirectory("aufs/layers");
  const std::string file = Put("aufs/layers/4f", "4f-init\n9e\n3b\n");
  EXPECT_EQ(Text(ReadDockerAufsLayers(file)),
            fmt::format("branch-map 1\nunion 4f\n  mountpoint /\n  type aufs\n"
                        "  branch rw {0}/4f\n  branch ro+wh {0}/4f-init\n  branch ro+wh {0}/9e\n"
                        "  branch ro+wh {0}/3b\n",
                        directory_ + "/aufs/diff"));
  EXPECT_EQ(Text(ReadDockerAufsLayers(Put("other", "x\n"))), "none");
}

TEST_F(BranchListsTest, LayersOfOverlay2AreResolvedThroughTheirLinks) {
  MakeDirectory("overlay2/top/diff");
  MakeDirectory("overlay2/l");
  Put("overlay2/top/lower", "l/AAA:l/BBB");
  fs::create_symlink("../one/diff", directory_ + "/overlay2/l/AAA");
  EXPECT_EQ(Text(ReadOverlayLayerDirectory(directory_ + "/overlay2/top")),
            fmt::format("branch-map 1\nunion top\n  mountpoint /\n  type overlay\n"
                        "  branch rw {0}/top/diff\n  branch ro {0}/one/diff\n"
                        "  branch ro {0}/l/BBB\n",
                        directory_ + "/overlay2"));
  EXPECT_EQ(Text(ReadOverlayLayerDirectory(directory_)), "none");
}

}  // namespace
}  // namespace ckpt
