// What an AUFS of 2014 left in dumps: everything that refers to a file, and mounts.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_file.h"
#include "formats/proto/pipes.pb.h"
#include "imgtool/sample_dump.h"
#include "tests/fixup/aufs_case.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using AufsReferrers = AufsCase;

TEST_F(AufsReferrers, OldDumpsHaveTheirFilesInAnotherImage) {
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

TEST_F(AufsReferrers, KeysOfInheritedFilesAreNoPaths) {
  AddMapped("/d/base/x").set_ext(true);
  EXPECT_EQ(Fix(), Names{"/d/base/x"});
}

TEST_F(AufsReferrers, EachDumpOfAChainIsRepaired) {
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

TEST_F(AufsReferrers, NamesOfSocketsAndWatchesFollow) {
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
  *usk.mutable_opts() = SampleSocketOptions();
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

// A program, a working and a root directory, a descriptor, the nodes of a fifo and of a terminal, a
// renamed file.
TEST_F(AufsReferrers, WhateverRefersToAFileItIsTheUnions) {
  for (const char* name : {"exe", "cwd", "root", "descriptor", "fifo", "linked", "tty"}) {
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
  pb::tty_file_entry tty;
  tty.set_id(10);
  tty.set_tty_info_id(1);
  tty.set_flags(0);
  *tty.mutable_fown() = files_[0].fown();
  tty.set_regf_id(7);
  dump_->Write(ImageType::kTtyFiles, 0, std::vector{tty});
  pb::remap_file_path_entry remap;
  remap.set_orig_id(1);
  remap.set_remap_id(6);
  remap.set_remap_type(pb::LINKED);
  dump_->Write(ImageType::kRemapFpath, 0, std::vector{remap});
  dump_->Write(ImageType::kMnts, 7, mounts_);
  EXPECT_EQ(Fix(), (Names{"/exe", "/cwd", "/root", "/descriptor", "/fifo", "/linked", "/tty"}));
  for (const pb::reg_file_entry& file : Files()) EXPECT_EQ(file.mnt_id(), int32_t{kUnionMount});
}

TEST_F(AufsReferrers, TheBuildIdIsThatOfTheFileThatIsTaken) {
  Put("base/lib/c.so");
  AddMapped("/d/base/lib/c.so").add_build_id(7);
  fs::create_directories(root_ + "/rw/lib");
  fs::copy_file("/bin/true", root_ + "/rw/lib/c.so");
  EXPECT_EQ(Fix({"--on-shadowed", "rewrite"}), Names{"/lib/c.so"});
  EXPECT_EQ(Files()[0].size(), fs::file_size("/bin/true"));
  // What Debian's linker puts there is a SHA-1.
  EXPECT_EQ(Files()[0].build_id_size(), 5) << report_;
}

TEST_F(AufsReferrers, MountsCanBeMadeLikeThatOfAReferenceFile) {
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

TEST_F(AufsReferrers, MountsOfTheHostAreListedAndGetKeys) {
  for (const char* name : {"/etc/hosts", "/etc/resolv.conf"}) {
    pb::mnt_entry bind = SampleMount(pb::UNSUPPORTED, name == std::string("/etc/hosts") ? 46 : 48,
                                     kUnionMount, name);
    bind.set_root(name);
    bind.set_root_dev(9);
    mounts_.push_back(bind);
  }
  CommandResult run = Run();
  EXPECT_THAT(run.output, HasSubstr("\"/etc/hosts\" at \"/etc/hosts\" shows what no other mount of "
                                    "the dump does"));
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
