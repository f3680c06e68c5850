#include "imgtool/aufs_fixup_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "formats/image_file.h"
#include "imgtool/sample_dump.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A container on an AUFS of 2014: the mapped file has its branch path and the host's mount.
class AufsFixupTest : public testing::Test {
 protected:
  AufsFixupTest() {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/rootfs/lib");
    dump_.emplace(root_ + "/dump");
    pb::reg_file_entry mapped = SampleRegFile(2, "/d/ID-init/lib/c.so");
    mapped.set_mnt_id(22);
    mapped.set_size(7);
    mapped.set_mode(S_IFREG | 0644);
    pb::reg_file_entry opened = SampleRegFile(1, "/bin/sh");
    opened.set_mnt_id(44);
    dump_->WriteFiles({opened, mapped});
    dump_->Write(ImageType::kMm, 42, std::vector{SampleMm(1, {1, 2})});
    dump_->Write(ImageType::kMnts, 7,
                 std::vector{SampleMount(pb::AUFS, 44, 1, "/", "rw,si=1f,dio")});
    dump_->Write(
        ImageType::kCkptRaw, 0,
        std::vector{SampleUnionFact(44, "/", {{"/d/ID", "rw"}, {"/d/ID-init", "ro+wh"}}),
                    SampleMappingFact(SampleMapping(2, "/d/ID-init/lib/c.so", "/lib/c.so"))});
    dump_->WriteFile("pages-1.img", std::string(4096, 'p'));
    before_ = ReadTree(root_);
  }
  ~AufsFixupTest() override { fs::remove_all(root_); }

  ToolRun Fixup(std::vector<std::string> options) const {
    options.insert(options.begin(), {"aufs-fixup", dump_->directory()});
    return RunTool(options);
  }
  std::string Out() const { return root_ + "/out"; }
  void ExpectUntouched() const { EXPECT_EQ(ReadTree(root_), before_); }
  std::string WriteMap(const std::string& text) {
    EXPECT_TRUE(WriteWholeFile(root_ + "/web.map", AsBytes(text), 0600));
    before_ = ReadTree(root_);
    return root_ + "/web.map";
  }
  static pb::reg_file_entry FileIn(const std::string& directory, size_t entry) {
    return ReadEntries<pb::file_entry>(directory + "/files.img").value()[entry].reg();
  }

  const std::string root_ = testing::TempDir() + "/aufs_fixup_command_test";
  std::optional<SampleDump> dump_;
  Tree before_;
};

constexpr std::string_view kReport =
    R"(ckpt-raw.img: entry 1: mapping.map_files_path: "/d/ID-init/lib/c.so" -> "/lib/c.so"
    raw-facts: files.img: entry 1 is repaired, file 2
files.img: entry 1: reg.name: "/d/ID-init/lib/c.so" -> "/lib/c.so"
    paths: in branch 1 of union 7:44, "/d/ID-init"; map_files of pid 42 links to it, maps says "/lib/c.so"
files.img: entry 1: reg.mnt_id: 22 -> 44
    mount-ids: the repaired path leads to the mount at "/" (mountpoints-7.img: entry 0)
mountpoints-7.img: entry 0: options: "rw,si=1f,dio" -> "rw,dio"
    mounts: of use to the old host only: si
ckpt-raw.img: a new entry
    mounts: mountpoints-7.img: entry 0 as it was, by which a later run knows it
note: union 7:44: size and mode of 1 file not verified: its mountpoint is the root of a namespace that is not this one (say where it is mounted with --root)
)";

TEST_F(AufsFixupTest, ADryRunReportsEveryChangeAndWritesNothing) {
  const ToolRun run = Fixup({"--dry-run"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, std::string(kReport) + "5 changes in 3 images; nothing written (--dry-run)\n");
  EXPECT_EQ(run.err, "");
  ExpectUntouched();
}

TEST_F(AufsFixupTest, TheOutputHoldsTheChangesAndTheInputStays) {
  const ToolRun run = Fixup({"-o", Out()});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, std::string(kReport) + "5 changes in 3 images; written to " + Out() +
                         ", 2 files hard-linked\n");
  EXPECT_EQ(FileIn(Out(), 1).name(), "/lib/c.so");
  EXPECT_EQ(FileIn(Out(), 1).mnt_id(), 44);
  EXPECT_TRUE(fs::equivalent(Out() + "/pages-1.img", dump_->Path("pages-1.img")));
  fs::remove_all(Out());
  ExpectUntouched();
}

TEST_F(AufsFixupTest, ADryRunWithAnOutputWritesNothingEither) {
  EXPECT_EQ(Fixup({"-o", Out(), "--dry-run"}).code, 0);
  ExpectUntouched();
}

TEST_F(AufsFixupTest, ASecondRunFindsNothingToDo) {
  ASSERT_EQ(Fixup({"--in-place"}).code, 0);
  before_ = ReadTree(root_);
  const ToolRun again = Fixup({"--in-place"});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "nothing to do; nothing written (the dump stays as it is)\n");
  ExpectUntouched();
}

TEST_F(AufsFixupTest, InPlaceAndOutputGiveTheSame) {
  ASSERT_EQ(Fixup({"-o", Out()}).code, 0);
  ASSERT_EQ(Fixup({"--in-place"}).code, 0);
  EXPECT_EQ(ReadTree(Out()), ReadTree(dump_->directory()));
}

TEST_F(AufsFixupTest, SizeAndModeComeFromTheRootThatIsGiven) {
  ASSERT_TRUE(WriteWholeFile(root_ + "/rootfs/lib/c.so", AsBytes("123456789"), 0755));
  const ToolRun run = Fixup({"-o", Out(), "--root", root_ + "/rootfs"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("files.img: entry 1: reg.size: 7 -> 9\n"));
  EXPECT_EQ(FileIn(Out(), 1).size(), 9U);
  EXPECT_EQ(FileIn(Out(), 1).mode(), static_cast<uint32_t>(S_IFREG | 0755));
}

TEST_F(AufsFixupTest, ARootWithoutTheFileIsAnErrorAndNothingIsWritten) {
  const ToolRun run = Fixup({"--in-place", "--root", root_ + "/rootfs"});
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "imgtool aufs-fixup: files.img: entry 1: \"/d/ID-init/lib/c.so\" would become "
            "\"/lib/c.so\", which is not below " +
                root_ + "/rootfs\n");
  ExpectUntouched();
}

TEST_F(AufsFixupTest, AMapReplacesWhatWasRecorded) {
  const std::string map =
      WriteMap("branch-map 1\nunion web\n branch rw /d/ID-init/lib\n branch rw /d/ID-init\n");
  const ToolRun run = Fixup({"--dry-run", "--branches", map});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "imgtool aufs-fixup: warning: " + map +
                         ":3: branch /d/ID-init/lib lies inside branch /d/ID-init\n"
                         "imgtool aufs-fixup: warning: " +
                         map + ":2: union web has 2 writable branches, most have one\n");
  EXPECT_THAT(run.out, HasSubstr("in branch 0 of union web, \"/d/ID-init/lib\""));
  ExpectUntouched();
}

TEST_F(AufsFixupTest, ABrokenMapIsRefusedWithItsLine) {
  const ToolRun run = Fixup({"--in-place", "-b", WriteMap("branch-map 1\nunion u\nbranch rw d\n")});
  EXPECT_EQ(run.code, 4);
  EXPECT_EQ(run.err, "imgtool aufs-fixup: " + root_ + "/web.map:3: path \"d\" is not absolute\n");
  ExpectUntouched();
}

TEST_F(AufsFixupTest, WithoutRecordedBranchesAMapIsAskedFor) {
  fs::remove(dump_->Path("ckpt-raw.img"));
  const ToolRun run = Fixup({"--dry-run"});
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.err, "imgtool aufs-fixup: " + dump_->directory() +
                         ": no branches of a union mount are recorded there (ckpt-raw.img); give a "
                         "map with --branches\n");
}

TEST_F(AufsFixupTest, NothingIsWrittenWithoutBeingToldWhere) {
  const ToolRun run = Fixup({});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err,
            "imgtool aufs-fixup: one of -o OUT, --in-place and --dry-run is needed: nothing is "
            "written over the input without --in-place\n");
  EXPECT_EQ(Fixup({"-o", Out(), "--in-place"}).code, 2);
  EXPECT_EQ(RunTool({"aufs-fixup"}).code, 2);
  EXPECT_EQ(RunTool({"aufs-fixup", root_ + "/a", root_ + "/b", "--dry-run"}).code, 2);
  ExpectUntouched();
}

TEST_F(AufsFixupTest, AnOutputThatExistsIsAUsageError) {
  const ToolRun run = Fixup({"-o", root_ + "/rootfs"});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool aufs-fixup: " + root_ + "/rootfs exists already\n");
  ExpectUntouched();
}

TEST_F(AufsFixupTest, WhatIsNoDumpIsNotFound) {
  const ToolRun run = RunTool({"aufs-fixup", root_ + "/none", "--dry-run"});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, StartsWith("imgtool aufs-fixup: realpath(\"" + root_ + "/none\")"));
}

TEST_F(AufsFixupTest, TheReportCanBeJson) {
  const ToolRun run = Fixup({"--dry-run", "--json"});
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(run.out, StartsWith("{\n    \"edits\": [\n"));
  EXPECT_THAT(run.out, HasSubstr("\"field\": \"reg.mnt_id\",\n            \"old\": 22,\n"));
  EXPECT_THAT(run.out, EndsWith("\"written\": null,\n    \"reason\": \"--dry-run\"\n}\n"));
}

}  // namespace
}  // namespace ckpt
