// What an AUFS of 2014 left in dumps, case by case: paths of mapped files, and what they are now.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "imgtool/sample_dump.h"
#include "tests/fixup/aufs_case.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(AufsCase, TheInitSiblingIsABranchOfItsOwn) {
  Put("init/etc/x");
  Put("rw/etc/y");
  AddMapped("/d/ID-init/etc/x");
  AddMapped("/d/ID/etc/y");
  AddMapped("/d/ID-removing/etc/z");
  EXPECT_EQ(Fix(), (Names{"/etc/x", "/etc/y", "/d/ID-removing/etc/z"}));
  EXPECT_EQ(Files()[0].mnt_id(), int32_t{kUnionMount});
}

TEST_F(AufsCase, TwelveBranchesOfALogSortAsNumbers) {
  std::string log;
  for (const int i : {0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9}) {
    log += fmt::format("(00.01) /sys/fs/aufs/si_1f/br{0} : {1}/b{0}\n", i, root_);
  }
  Put("b2/x", "23456");
  Put("b10/x", "12345");
  for (int i = 0; i < 12; ++i) fs::create_directories(fmt::format("{}/b{}", root_, i));
  map_ = log;
  AddMapped(root_ + "/b2/x");
  EXPECT_EQ(Fix(), Names{"/x"}) << "br2 is above br10";
}

TEST_F(AufsCase, AnyByteOfANameStays) {
  const std::string odd = "/a b\tc\\d\ne=f\xff(deleted)/x (deleted)";
  Put("base" + odd);
  AddMapped("/d/base" + odd);
  EXPECT_EQ(Fix(), Names{odd});
}

TEST_F(AufsCase, TheBranchItselfIsTheRootOfTheUnion) {
  AddMapped("/d/base").set_mode(S_IFDIR | 0755);
  files_[0].clear_size();
  EXPECT_EQ(Fix(), Names{"/"});
}

TEST_F(AufsCase, SlashesAtTheEndOfABranchMeanNothing) {
  Put("base/x");
  map_.replace(map_.find("/d/base at"), 7, "/d//base//");
  AddMapped("/d/base/x");
  EXPECT_EQ(Fix(), Names{"/x"});
}

TEST_F(AufsCase, PathsMayHave4095Bytes) {
  map_ = "branch-map 1\nunion u\nmountpoint /mnt/union\nbranch rw /d\n";
  const std::string longest = "/d/" + std::string(4095 - 11, 'x');
  AddMapped(longest);
  EXPECT_EQ(Fix()[0].size(), 4095U);
  files_.clear();
  AddMapped(longest + "y");
  WriteDump();
  EXPECT_THAT(Fix()[0], HasSubstr("would become a path of 4096 bytes, at most 4095 are allowed"));
}

TEST_F(AufsCase, ACopyWithTheSameContentIsTaken) {
  Put("base/lib/c.so");
  Put("rw/lib/c.so");
  AddMapped("/d/base/lib/c.so");
  EXPECT_EQ(Fix(), Names{"/lib/c.so"});
  EXPECT_THAT(report_, HasSubstr("copied to branch 0, content unchanged"));
}

TEST_F(AufsCase, ACopyWithOtherContentIsAnErrorUnlessTheUserChooses) {
  Put("base/lib/c.so");
  Put("rw/lib/c.so", "1234567");
  AddMapped("/d/base/lib/c.so");
  EXPECT_THAT(Fix()[0], HasSubstr("was replaced in union web: branch 0 has another file of that "
                                  "name, not the same content (see --on-shadowed)"));
  EXPECT_EQ(Fix({"--on-shadowed", "rewrite"}), Names{"/lib/c.so"});
  EXPECT_EQ(Files()[0].size(), 7U);
}

TEST_F(AufsCase, AShadowedFileCanBecomeAGhostOfItsBranch) {
  Put("base/lib/c.so", "12345");
  Put("rw/lib/c.so", "1234567");
  AddMapped("/d/base/lib/c.so");
  EXPECT_EQ(Fix({"--on-shadowed", "ghost"}), Names{"/lib/c.so"});
  EXPECT_EQ(Files()[0].size(), 5U);
  const ImageFile ghost = ReadImageFile(dump_->Path("ghost-file-1.img")).value();
  EXPECT_EQ(AsText(ghost.entries()[0].extra), "12345");
  EXPECT_EQ(ParseEntries<pb::ghost_file_entry>(ghost).value()[0].dev(), kUnionMount);
  const auto remaps =
      ReadEntries<pb::remap_file_path_entry>(dump_->Path("remap-fpath.img")).value();
  ASSERT_EQ(remaps.size(), 1U);
  EXPECT_EQ(remaps[0].orig_id(), 1U);
  EXPECT_EQ(remaps[0].remap_id(), 1U);
  EXPECT_EQ(remaps[0].remap_type(), pb::GHOST);
}

TEST_F(AufsCase, AWhiteoutInTheTopBranchDeletes) {
  Put("base/gone");
  Put("rw/.wh.gone", "");
  AddMapped("/d/base/gone");
  EXPECT_THAT(Fix()[0], HasSubstr("was deleted in union web: branch 0 has a whiteout for "
                                  "\"/gone\" (see --on-deleted)"));
  EXPECT_EQ(Fix({"--on-deleted", "ghost"}), Names{"/gone"});
  EXPECT_TRUE(fs::exists(dump_->Path("ghost-file-1.img")));
}

TEST_F(AufsCase, AWhiteoutCountsInRoWhAndNotInRo) {
  Put("base/x");
  Put("init/.wh.x", "");
  AddMapped("/d/base/x");
  EXPECT_THAT(Fix()[0], HasSubstr("branch 1 has a whiteout"));
  map_.replace(map_.find("ro+wh /d/ID-init"), 5, "ro   ");
  EXPECT_EQ(Fix(), Names{"/x"});
}

TEST_F(AufsCase, AnOpaqueDirectoryHidesWhatIsBelow) {
  Put("base/d/x");
  Put("rw/d/.wh..wh..opq", "");
  AddMapped("/d/base/d/x");
  EXPECT_THAT(Fix()[0], HasSubstr("was deleted in union web: no branch has \"/d/x\""));
}

TEST_F(AufsCase, FilesAndDirectoriesThatReplacedEachOther) {
  Put("base/was_file");
  fs::create_directories(root_ + "/rw/was_file");
  AddMapped("/d/base/was_file");
  EXPECT_THAT(Fix()[0], HasSubstr("was replaced in union web"));
  files_.clear();
  Put("base/was_directory/x");
  Put("rw/was_directory");
  AddMapped("/d/base/was_directory/x");
  WriteDump();
  EXPECT_THAT(Fix()[0], HasSubstr("was deleted in union web: \"/was_directory\" is no directory"));
}

TEST_F(AufsCase, ARenamedFileHasTheNameThatMapsGave) {
  Put("base/lib/old");
  Put("rw/lib/.wh.old", "");
  Put("rw/lib/new");
  Put("rw/lib/old", "another file under the old name");
  AddMapped("/d/base/lib/old");
  dump_->Write(ImageType::kCkptRaw, 0,
               std::vector{SampleMappingFact(SampleMapping(1, "/d/base/lib/old", "/lib/new"))});
  EXPECT_EQ(Fix(), Names{"/lib/new"});
}

TEST_F(AufsCase, APseudoLinkGetsANameOfItsInode) {
  Put("base/lib/hard");
  fs::create_directories(root_ + "/base/.wh..wh.plnk");
  fs::create_hard_link(root_ + "/base/lib/hard", root_ + "/base/.wh..wh.plnk/27.48");
  AddMapped("/d/base/.wh..wh.plnk/27.48");
  EXPECT_EQ(Fix(), Names{"/lib/hard"});
}

TEST_F(AufsCase, AnOrphanCanOnlyBecomeAGhost) {
  Put("rw/.wh..wh.orph/1234");
  AddMapped("/d/ID/.wh..wh.orph/1234");
  EXPECT_THAT(Fix()[0], HasSubstr("was deleted in union web: it is a name of AUFS itself"));
  EXPECT_EQ(Fix({"--on-deleted", "ghost"}), Names{"/1234"}) << "AUFS takes no file in there";
  EXPECT_TRUE(fs::exists(dump_->Path("ghost-file-1.img")));
}

TEST_F(AufsCase, TwoNamespacesHaveTwoUnionsOfOneLayer) {
  AddMapped("/d/base/x");
  AddMapped("/d/base/x");
  dump_->WriteFiles(files_);
  for (const uint32_t container : {1U, 2U}) {
    dump_->Write(ImageType::kMm, container, std::vector{SampleMm(999, {container})});
    dump_->Write(ImageType::kIds, container, std::vector{SampleIds(container, 6 + container)});
    dump_->Write(ImageType::kMnts, 6 + container,
                 std::vector{SampleMount(pb::AUFS, 40 + container, 29, "/",
                                         fmt::format("si={}", container))});
  }
  map_ =
      "/sys/fs/aufs/si_1/br0:/d/one=rw\n/sys/fs/aufs/si_1/br1:/d/base=ro\n"
      "/sys/fs/aufs/si_2/br0:/d/two=rw\n/sys/fs/aufs/si_2/br1:/d/base=ro\n";
  EXPECT_EQ(Fix(), (Names{"/x", "/x"}));
  EXPECT_EQ(Files()[0].mnt_id(), 41);
  EXPECT_EQ(Files()[1].mnt_id(), 42);
}

TEST_F(AufsCase, AUnionBelowTheRootIsEnteredAndBecomesExternal) {
  map_ = "branch-map 1\nunion u\nmountpoint /mnt/u\nbranch rw /d/ID\n";
  mounts_ = {SampleMount(pb::UNSUPPORTED, 40, 29, "/"),
             SampleMount(pb::AUFS, kUnionMount, 40, "/mnt/u", "si=1f")};
  AddMapped("/d/ID/x");
  EXPECT_EQ(Fix(), Names{"/mnt/u/x"});
  const auto mounts = ReadEntries<pb::mnt_entry>(dump_->Path("mountpoints-7.img")).value();
  EXPECT_EQ(mounts[1].ext_key(), "/mnt/u");
  EXPECT_EQ(mounts[1].options(), "");
}

TEST_F(AufsCase, ABindMountOfTheHostOverAMappedFileIsAnError) {
  Put("init/etc/hosts");
  pb::mnt_entry hosts = SampleMount(pb::UNSUPPORTED, 46, kUnionMount, "/etc/hosts");
  hosts.set_root("/etc/hosts");
  mounts_.push_back(hosts);
  AddMapped("/d/ID-init/etc/hosts");
  EXPECT_THAT(Fix()[0], HasSubstr("would become \"/etc/hosts\", which mount 46 at \"/etc/hosts\" "
                                  "covers"));
}

TEST_F(AufsCase, ABindMountOfTheUnionItselfShowsWhatIsCovered) {
  Put("base/data/x");
  pb::mnt_entry bind = SampleMount(pb::AUFS, 50, kUnionMount, "/ro", "si=1f,dio");
  bind.set_root_dev(kUnionMount);
  bind.set_root("/data");
  mounts_.push_back(bind);
  mounts_.push_back(SampleMount(pb::TMPFS, 51, kUnionMount, "/data"));
  AddMapped("/d/base/data/x");
  EXPECT_EQ(Fix(), Names{"/ro/x"});
  EXPECT_EQ(Files()[0].mnt_id(), 50);
  EXPECT_EQ(ReadEntries<pb::mnt_entry>(dump_->Path("mountpoints-7.img")).value()[2].options(),
            "dio");
}

TEST_F(AufsCase, KernelsBefore315GaveNoMount) {
  Put("base/x");
  AddMapped("/d/base/x").clear_mnt_id();
  EXPECT_EQ(Fix(), Names{"/x"});
  EXPECT_EQ(Files()[0].mnt_id(), int32_t{kUnionMount});
}

TEST_F(AufsCase, WithoutFilesInSysfsTheMountOptionsAreTheMap) {
  map_is_a_word_ = true;
  map_ =
      fmt::format("44 29 0:44 / / rw - aufs none rw,si=1f,dio,br:{0}/rw=rw:{0}/base=ro+wh", root_);
  Put("base/x");
  AddMapped(root_ + "/base/x");
  EXPECT_EQ(Fix(), Names{"/x"});
}

TEST_F(AufsCase, APathInsideTheUnionThatLooksLikeABranchStaysUnlessForced) {
  Put("base/x");
  AddMapped("/d/base/x").set_mnt_id(static_cast<int32_t>(kUnionMount));
  EXPECT_EQ(Fix(), Names{"/d/base/x"}) << "reached through the union itself";
  EXPECT_THAT(report_, HasSubstr("it was reached through mount 44 of its own namespace"));
  EXPECT_EQ(Fix({"--force"}), Names{"/x"}) << report_;
}

TEST_F(AufsCase, ASecondRunChangesNothing) {
  Put("base/x");
  AddMapped("/d/base/x");
  Fix();
  const Tree once = ReadTree(dump_->directory());
  EXPECT_EQ(Fix(), Names{"/x"});
  EXPECT_THAT(report_, HasSubstr("nothing to do"));
  EXPECT_EQ(ReadTree(dump_->directory()), once);
}

TEST_F(AufsCase, OptionsSayWhatTheyTake) {
  AddMapped("/x");
  EXPECT_THAT(Fix({"--on-deleted", "rewrite"})[0],
              HasSubstr("--on-deleted=rewrite: one of error, ghost expected"));
  EXPECT_THAT(Fix({"--on-shadowed", "x"})[0], HasSubstr("one of error, rewrite, ghost expected"));
  EXPECT_THAT(
      Fix({"--ext-mount-map", "hosts"})[0],
      HasSubstr("--ext-mount-map hosts: MOUNTPOINT:KEY, N/MOUNTPOINT:KEY or auto expected"));
  EXPECT_THAT(Fix({"--mount-ref", "/no/such/file"})[0], HasSubstr("statx(\"/no/such/file\""));
}

// criu#219 and moby#30019: docker 1.13 with CRIU 2.9 on Ubuntu 14.04.
TEST_F(AufsCase, TheLogOfADumpThatFailedIsAMap) {
  constexpr std::string_view kDiff = "/var/lib/docker/aufs/diff/";
  map_ = fmt::format(
      "(00.008613) type aufs source none mnt_id 44 s_dev 0x2c / @ ./ flags 0x200000 options "
      "si=1f,dio,dirperm1\n"
      "(00.008700) /sys/fs/aufs/si_1f/br0 : {0}4f\n"
      "(00.008701) /sys/fs/aufs/si_1f/br1 : {0}4f-init\n"
      "(00.008702) /sys/fs/aufs/si_1f/br2 : {0}9e\n"
      "(00.014075) Dumping path for -3 fd via self 9 "
      "[{0}9e/lib/x86_64-linux-gnu/libc-2.23.so]\n"
      "(00.014080) Error (files-reg.c:694): Can't create link remap for {0}9e/lib/x86_64-linux-gnu/"
      "libc-2.23.so. Use link-remap option.\n",
      kDiff);
  AddMapped(fmt::format("{}9e/lib/x86_64-linux-gnu/libc-2.23.so", kDiff));
  EXPECT_EQ(Fix(), Names{"/lib/x86_64-linux-gnu/libc-2.23.so"});
  EXPECT_THAT(report_, HasSubstr("not verified"));
}

}  // namespace
}  // namespace ckpt
