#include "imgtool/storage/pack_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/sample_archive.h"
#include "imgtool/sample_dump.h"
#include "imgtool/storage/unpack_command.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class PackCommandTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    dump_.emplace(directory_ + "/dump");
    dump_->WriteFile("inventory.img", "an inventory");
    dump_->WriteFile("pages-1.img", std::string(3 << 20, 'p'));
    dump_->WriteFile("name\xff", "of no characters");
    fs::create_directory(dump_->Path("sub"));
    dump_->WriteFile("sub/" + std::string(150, 'x'), "a long name");
    fs::create_symlink("../before", dump_->Path("parent"));
    ASSERT_EQ(chmod(dump_->Path("inventory.img").c_str(), 0604), 0);
    // Where the test may not, the owner is its own.
    [[maybe_unused]] const int changed = lchown(dump_->Path("parent").c_str(), 12, 34);
    SetTime("inventory.img", 1000, 123456789);
    SetTime("parent", 3000, 5);
    SetTime("sub", 4000, 0);
    ASSERT_EQ(chmod(dump_->directory().c_str(), 0750), 0);
    SetTime("", 2000, 7);
  }

  void SetTime(const std::string& name, time_t seconds, long nanoseconds) {
    const timespec times[2] = {{1, 0}, {seconds, nanoseconds}};
    ASSERT_EQ(utimensat(AT_FDCWD, dump_->Path(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  std::string Archive() const { return directory_ + "/a.tar.zst"; }
  std::string Out() const { return directory_ + "/out"; }

  std::optional<SampleDump> dump_;
};

std::string AttributesOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return fmt::format("{:o} {} {} {}.{}", status.st_mode, status.st_uid, status.st_gid,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

TEST_F(PackCommandTest, UnpackMakesTheSameDirectoryAgain) {
  const ToolRun packed = RunTool({"pack", dump_->directory(), "-o", Archive()});
  ASSERT_EQ(packed.code, 0) << packed.err;
  EXPECT_EQ(packed.out, Archive() + ": 7 members, 3145767 bytes packed\n");
  EXPECT_LT(fs::file_size(Archive()), 100000U);
  const ToolRun unpacked = RunTool({"unpack", Archive(), "-o", Out()});
  ASSERT_EQ(unpacked.code, 0) << unpacked.err;
  EXPECT_EQ(unpacked.out, Out() + ": 7 members, 3145767 bytes unpacked\n");
  EXPECT_EQ(ReadTree(Out()), ReadTree(dump_->directory()));
  EXPECT_EQ(AttributesOf(Out()), AttributesOf(dump_->directory()));
  for (const auto& [name, content] : ReadTree(Out())) {
    EXPECT_EQ(AttributesOf(Out() + "/" + name), AttributesOf(dump_->Path(name))) << name;
  }
}

TEST_F(PackCommandTest, TheImagesLieInCheckpoint) {
  ASSERT_EQ(RunTool({"pack", dump_->directory(), "-o", Archive()}).code, 0);
  const std::string tar = ReadDecompressed(Archive());
  EXPECT_NE(tar.find("checkpoint/inventory.img"), std::string::npos);
}

TEST_F(PackCommandTest, ADirectoryWithCheckpointInItIsPackedAsItIs) {
  const std::string container = directory_ + "/container";
  fs::create_directory(container);
  fs::rename(dump_->directory(), container + "/checkpoint");
  Put("container/config.dump", "{}");
  ASSERT_EQ(RunTool({"pack", container, "-o", Archive()}).code, 0);
  ASSERT_EQ(RunTool({"unpack", Archive(), "-o", Out()}).code, 0);
  EXPECT_EQ(ReadTree(Out()), ReadTree(container));
}

TEST_F(PackCommandTest, NothingIsWrittenOver) {
  Put("a.tar.zst", "precious");
  EXPECT_EQ(RunTool({"pack", dump_->directory(), "-o", Archive()}).err,
            "imgtool pack: " + Archive() + " exists already\n");
  EXPECT_EQ(ReadWholeFile(Archive()).value(), "precious");
  EXPECT_EQ(RunTool({"pack", dump_->directory(), "-o", dump_->Path("a")}).err,
            "imgtool pack: " + dump_->Path("a") + " lies inside the dump\n");
  fs::remove(Archive());
  ASSERT_EQ(RunTool({"pack", dump_->directory(), "-o", Archive()}).code, 0);
  EXPECT_EQ(RunTool({"unpack", Archive(), "-o", dump_->directory()}).err,
            "imgtool unpack: " + dump_->directory() + " exists already\n");
}

TEST_F(PackCommandTest, AParentFarAwayIsRefused) {
  fs::remove(dump_->Path("parent"));
  fs::create_symlink("../../before", dump_->Path("parent"));
  const ToolRun run = RunTool({"pack", dump_->directory(), "-o", Archive()});
  EXPECT_EQ(run.code, 5);
  EXPECT_EQ(run.err, "imgtool pack: " + Archive() +
                         ": member checkpoint/parent: a link that leads out of the archive; "
                         "`imgtool squash` makes a dump that needs no parent\n");
  EXPECT_FALSE(fs::exists(Archive()));
}

TEST_F(PackCommandTest, WhatIsNoDumpIsRefused) {
  fs::remove(dump_->Path("inventory.img"));
  const ToolRun run = RunTool({"pack", dump_->directory(), "-o", Archive()});
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find("no inventory.img, neither there nor in checkpoint/"), std::string::npos)
      << run.err;
}

TEST_F(PackCommandTest, UnpackRefusesHostileArchives) {
  const auto refusal = [&](const std::string& tar) {
    WriteCompressed(Archive(), tar, Compression::kGzip);
    const ToolRun run = RunTool({"unpack", Archive(), "-o", Out()});
    EXPECT_EQ(run.code, 5) << run.out;
    EXPECT_FALSE(fs::exists(Out()));
    EXPECT_FALSE(fs::exists(directory_ + "/.out.imgtool-new"));
    return run.err;
  };
  const std::string end(2 * kTarBlockBytes, '\0');
  EXPECT_EQ(
      refusal(SampleTar({{"../evil", "x"}})),
      "imgtool unpack: " + Archive() + ": member ../evil: a path that leads out of the archive\n");
  EXPECT_NE(refusal(SampleTarMember("dir", "", '2', "..") + SampleTarMember("dir/x", "x") + end)
                .find("a link that leads out of the archive"),
            std::string::npos);
  EXPECT_EQ(refusal(SampleTarMember("a", "x") + SampleTarMember("a/b", "x") + end),
            "imgtool unpack: " + Archive() + ": member a/b: below what is no folder\n");
  EXPECT_EQ(refusal(SampleTarMember("a", "x") + SampleTarMember("a", "", '2', "b") + end),
            "imgtool unpack: " + Archive() + ": member a: a file that is there already\n");
}

TEST_F(PackCommandTest, ACutArchiveLeavesNothing) {
  ASSERT_EQ(RunTool({"pack", dump_->directory(), "-o", Archive()}).code, 0);
  fs::resize_file(Archive(), fs::file_size(Archive()) / 2);
  const ToolRun run = RunTool({"unpack", Archive(), "-o", Out()});
  EXPECT_EQ(run.code, 4) << run.err;
  EXPECT_FALSE(fs::exists(Out()));
}

}  // namespace
}  // namespace ckpt
