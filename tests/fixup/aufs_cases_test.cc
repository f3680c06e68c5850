// What an AUFS of 2014 left in dumps, case by case: a container's mapped file has the path of its
// branch and the host's mount. The branches are directories of the test's own; the program is run
// as a user would.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/proto/pipes.pb.h"
#include "imgtool/sample_dump.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int32_t kHostMount = 22;
constexpr uint32_t kUnionMount = 44;

class AufsCase : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        MakeTestDirectory(testing::UnitTest::GetInstance()->current_test_info()->name()).value();
    dump_.emplace(root_ + "/dump");
    mounts_ = {SampleMount(pb::AUFS, kUnionMount, 29, "/", "si=1f,dio"),
               SampleMount(pb::PROC, 47, kUnionMount, "/proc")};
    map_ = fmt::format(
        "branch-map 1\nunion web\ntype aufs\nbranch rw /d/ID at {0}/rw\n"
        "branch ro+wh /d/ID-init at {0}/init\nbranch ro+wh /d/base at {0}/base\n",
        root_);
    for (const char* branch : {"/rw", "/init", "/base"}) fs::create_directory(root_ + branch);
  }

  void Put(const std::string& path, const std::string& bytes = "12345") {
    fs::create_directories(fs::path(root_ + "/" + path).parent_path());
    ASSERT_TRUE(WriteWholeFile(root_ + "/" + path, AsBytes(bytes), 0644).has_value());
  }

  // A file that is only mapped, as the dump of a raw kernel has it.
  pb::reg_file_entry& AddMapped(const std::string& name) {
    pb::reg_file_entry& file =
        files_.emplace_back(SampleRegFile(static_cast<uint32_t>(files_.size() + 1), name));
    file.set_mnt_id(kHostMount);
    file.set_size(5);
    file.set_mode(S_IFREG | 0644);
    return file;
  }

  void WriteDump() {
    dump_->WriteFiles(files_);
    std::vector<uint32_t> mapped;
    for (const pb::reg_file_entry& file : files_) mapped.push_back(file.id());
    dump_->Write(ImageType::kMm, 42, std::vector{SampleMm(999, mapped)});
    dump_->Write(ImageType::kMnts, 7, mounts_);
  }

  CommandResult Run(std::vector<std::string> more = {}) {
    if (!fs::exists(dump_->Path("files.img"))) WriteDump();
    const std::string map = map_is_a_word_ ? map_ : root_ + "/web.map";
    if (!map_is_a_word_) {
      EXPECT_TRUE(WriteWholeFile(map, AsBytes(map_), 0600).has_value());
    }
    std::vector<std::string> command = {RunfilePath("imgtool/imgtool"),
                                        "aufs-fixup",
                                        dump_->directory(),
                                        "--in-place",
                                        "--branches",
                                        map};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command).value();
  }

  // What the names of the files became, or the error.
  std::vector<std::string> Fix(const std::vector<std::string>& more = {}) {
    const CommandResult run = Run(more);
    report_ = run.output;
    if (run.exit_status != 0) return {run.errors};
    std::vector<std::string> names;
    for (const pb::reg_file_entry& file : Files()) names.push_back(file.name());
    return names;
  }

  std::vector<pb::reg_file_entry> Files() {
    std::vector<pb::reg_file_entry> files;
    const auto entries = ReadEntries<pb::file_entry>(dump_->Path("files.img")).value();
    for (const pb::file_entry& entry : entries) files.push_back(entry.reg());
    return files;
  }

  using Names = std::vector<std::string>;
  std::string root_;
  std::optional<SampleDump> dump_;
  std::vector<pb::reg_file_entry> files_;
  std::vector<pb::mnt_entry> mounts_;
  std::string map_;
  bool map_is_a_word_ = false;
  std::string report_;
};

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
  Fix({"--on-deleted", "ghost"});
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

TEST_F(AufsCase, OldDumpsHaveTheirFilesInAnotherImage) {
  Put("base/x");
  AddMapped("/d/base/x");
  WriteDump();
  fs::remove(dump_->Path("files.img"));
  dump_->Write(ImageType::kRegFiles, 0, files_);
  ASSERT_TRUE(WriteWholeFile(root_ + "/web.map", AsBytes(map_), 0600).has_value());
  const CommandResult run =
      RunCommand({RunfilePath("imgtool/imgtool"), "aufs-fixup", dump_->directory(), "--in-place",
                  "--branches", root_ + "/web.map"})
          .value();
  EXPECT_EQ(run.exit_status, 0) << run.errors;
  EXPECT_EQ(ReadEntries<pb::reg_file_entry>(dump_->Path("reg-files.img")).value()[0].name(), "/x");
}

TEST_F(AufsCase, KeysOfInheritedFilesAreNoPaths) {
  AddMapped("/d/base/x").set_ext(true);
  EXPECT_EQ(Fix(), Names{"/d/base/x"});
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

TEST_F(AufsCase, EachDumpOfAChainIsRepaired) {
  Put("base/x");
  AddMapped("/d/base/x");
  WriteDump();
  SampleDump parent(root_ + "/parent");
  parent.WriteFiles(files_);
  parent.Write(ImageType::kMm, 42, std::vector{SampleMm(999, {1})});
  parent.Write(ImageType::kMnts, 7, mounts_);
  fs::create_symlink("../parent", dump_->Path("parent"));
  EXPECT_EQ(Fix(), Names{"/x"});
  const auto files = ReadEntries<pb::file_entry>(parent.Path("files.img")).value();
  EXPECT_EQ(files[0].reg().name(), "/x");
}

TEST_F(AufsCase, OptionsSayWhatTheyTake) {
  AddMapped("/x");
  EXPECT_THAT(Fix({"--on-deleted", "rewrite"})[0],
              HasSubstr("--on-deleted=rewrite: one of error, ghost expected"));
  EXPECT_THAT(Fix({"--on-shadowed", "x"})[0], HasSubstr("one of error, rewrite, ghost expected"));
  EXPECT_THAT(Fix({"--ext-mount-map", "hosts"})[0],
              HasSubstr("--ext-mount-map hosts: MOUNTPOINT:KEY or auto expected"));
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

TEST_F(AufsCase, NamesOfSocketsAndWatchesFollow) {
  pb::file_entry socket;
  socket.set_type(pb::UNIXSK);
  socket.set_id(1);
  pb::unix_sk_entry& usk = *socket.mutable_usk();
  usk.set_id(1);
  for (const auto set :
       {&pb::unix_sk_entry::set_ino, &pb::unix_sk_entry::set_type, &pb::unix_sk_entry::set_state,
        &pb::unix_sk_entry::set_flags, &pb::unix_sk_entry::set_uflags,
        &pb::unix_sk_entry::set_backlog, &pb::unix_sk_entry::set_peer}) {
    (usk.*set)(1);
  }
  *usk.mutable_fown() = SampleRegFile(1, "/").fown();
  pb::sk_opts_entry& options = *usk.mutable_opts();
  options.set_so_sndbuf(1);
  options.set_so_rcvbuf(1);
  options.set_so_snd_tmo_sec(0);
  options.set_so_snd_tmo_usec(0);
  options.set_so_rcv_tmo_sec(0);
  options.set_so_rcv_tmo_usec(0);
  usk.set_name(std::string("/d/ID/run/socket\0", 17));
  usk.set_mnt_id(kHostMount);
  pb::file_entry watch;
  watch.set_type(pb::INOTIFY);
  watch.set_id(2);
  watch.mutable_ify()->set_id(2);
  watch.mutable_ify()->set_flags(0);
  *watch.mutable_ify()->mutable_fown() = usk.fown();
  for (const uint64_t inode : {11U, 12U}) {
    pb::inotify_wd_entry& wd = *watch.mutable_ify()->add_wd();
    wd.set_id(2);
    wd.set_i_ino(inode);
    wd.set_mask(1);
    wd.set_ignored_mask(0);
    wd.set_s_dev(kUnionMount);
    wd.set_wd(static_cast<uint32_t>(inode));
    wd.mutable_f_handle()->set_bytes(8);
    wd.mutable_f_handle()->set_type(1);
    wd.mutable_f_handle()->add_handle(1);
  }
  watch.mutable_ify()->mutable_wd(0)->mutable_f_handle()->set_path("/d/base/etc");
  watch.mutable_ify()->mutable_wd(0)->mutable_f_handle()->set_mnt_id(kHostMount);
  dump_->Write(ImageType::kFiles, 0, std::vector{socket, watch});
  dump_->Write(ImageType::kMnts, 7, mounts_);
  pb::irmap_cache_entry cached;
  cached.set_dev(kUnionMount);
  cached.set_inode(12);
  cached.set_path("/var/log");
  dump_->Write(ImageType::kIrmapCache, 0, std::vector{cached});

  const CommandResult run = Run();
  ASSERT_EQ(run.exit_status, 0) << run.errors;
  const auto files = ReadEntries<pb::file_entry>(dump_->Path("files.img")).value();
  EXPECT_EQ(files[0].usk().name(), std::string("/run/socket\0", 12));
  EXPECT_EQ(files[0].usk().mnt_id(), int32_t{kUnionMount});
  EXPECT_EQ(files[1].ify().wd(0).f_handle().path(), "/etc");
  EXPECT_EQ(files[1].ify().wd(0).f_handle().mnt_id(), kUnionMount);
  EXPECT_EQ(files[1].ify().wd(1).f_handle().path(), "/var/log");
}

// A program, a working and a root directory, a descriptor, the node of a fifo, a renamed file.
TEST_F(AufsCase, WhateverRefersToAFileItIsTheUnions) {
  for (const char* name : {"exe", "cwd", "root", "descriptor", "fifo", "linked"}) {
    Put(std::string("base/") + name);
    AddMapped(std::string("/d/base/") + name);
  }
  dump_->WriteFiles(files_);
  dump_->Write(ImageType::kMm, 42, std::vector{SampleMm(1, {})});
  dump_->Write(ImageType::kFs, 42, std::vector{SampleFs(2, 3)});
  dump_->Write(ImageType::kIds, 42, std::vector{SampleIds(1, 7)});
  pb::fdinfo_entry descriptor;
  descriptor.set_id(4);
  descriptor.set_flags(0);
  descriptor.set_type(pb::REG);
  descriptor.set_fd(3);
  dump_->Write(ImageType::kFdinfo, 1, std::vector{descriptor});
  pb::fifo_entry fifo;
  fifo.set_id(9);
  fifo.set_pipe_id(1);
  fifo.set_regf_id(5);
  dump_->Write(ImageType::kFifo, 0, std::vector{fifo});
  pb::remap_file_path_entry remap;
  remap.set_orig_id(1);
  remap.set_remap_id(6);
  remap.set_remap_type(pb::LINKED);
  dump_->Write(ImageType::kRemapFpath, 0, std::vector{remap});
  dump_->Write(ImageType::kMnts, 7, mounts_);
  EXPECT_EQ(Fix(), (Names{"/exe", "/cwd", "/root", "/descriptor", "/fifo", "/linked"}));
  for (const pb::reg_file_entry& file : Files()) EXPECT_EQ(file.mnt_id(), int32_t{kUnionMount});
}

TEST_F(AufsCase, TheBuildIdIsThatOfTheFileThatIsTaken) {
  Put("base/lib/c.so");
  AddMapped("/d/base/lib/c.so").add_build_id(7);
  fs::create_directories(root_ + "/rw/lib");
  fs::copy_file("/bin/true", root_ + "/rw/lib/c.so");
  EXPECT_EQ(Fix({"--on-shadowed", "rewrite"}), Names{"/lib/c.so"});
  EXPECT_EQ(Files()[0].size(), fs::file_size("/bin/true"));
  // What Debian's linker puts there is a SHA-1.
  EXPECT_EQ(Files()[0].build_id_size(), 5) << report_;
}

TEST_F(AufsCase, MountsCanBeMadeLikeThatOfAReferenceFile) {
  pb::mnt_entry bind = SampleMount(pb::AUFS, 50, kUnionMount, "/ro", "si=1f,dio");
  bind.set_root_dev(kUnionMount);
  bind.set_root("/data");
  mounts_.push_back(bind);
  const CommandResult run =
      Run({"--mount-ref", "46 44 254:1 /etc/hosts /etc/hosts rw - ext4 /dev/root rw,discard",
           "--mount-root", "/var/lib/docker/aufs/mnt/ID"});
  ASSERT_EQ(run.exit_status, 0) << run.errors;
  const auto mounts = ReadEntries<pb::mnt_entry>(dump_->Path("mountpoints-7.img")).value();
  for (const size_t i : {0U, 2U}) {
    EXPECT_EQ(mounts[i].root_dev(), 254U << 20 | 1U);
    EXPECT_EQ(mounts[i].fstype(), uint32_t{pb::UNSUPPORTED});
    EXPECT_EQ(mounts[i].source(), "/dev/root");
    EXPECT_EQ(mounts[i].options(), "discard");
  }
  EXPECT_EQ(mounts[0].root(), "/var/lib/docker/aufs/mnt/ID");
  EXPECT_EQ(mounts[2].root(), "/var/lib/docker/aufs/mnt/ID/data");
}

TEST_F(AufsCase, MountsOfTheHostAreListedAndGetKeys) {
  for (const char* name : {"/etc/hosts", "/etc/resolv.conf"}) {
    pb::mnt_entry bind = SampleMount(pb::UNSUPPORTED, name == std::string("/etc/hosts") ? 46 : 48,
                                     kUnionMount, name);
    bind.set_root(name);
    bind.set_root_dev(9);
    mounts_.push_back(bind);
  }
  CommandResult run = Run();
  EXPECT_THAT(run.output, HasSubstr("\"/etc/hosts\" at \"/etc/hosts\" shows what no other mount of "
                                    "its namespace does"));
  run = Run({"--ext-mount-map", "/etc/hosts:hosts", "--ext-mount-map", "auto"});
  ASSERT_EQ(run.exit_status, 0) << run.errors;
  const auto mounts = ReadEntries<pb::mnt_entry>(dump_->Path("mountpoints-7.img")).value();
  EXPECT_EQ(mounts[2].ext_key(), "hosts");
  EXPECT_EQ(mounts[3].ext_key(), "/etc/resolv.conf");
  EXPECT_THAT(Run({"--ext-mount-map", "/none:x"}).errors,
              HasSubstr("nothing in the dump is mounted at \"/none\"; mounts that need a key: "
                        "none"));
}

}  // namespace
}  // namespace ckpt
