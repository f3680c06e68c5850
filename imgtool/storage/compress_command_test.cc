#include "imgtool/storage/compress_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "formats/image_version.h"
#include "formats/page_frames.h"
#include "formats/pagemap.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/sample_archive.h"
#include "imgtool/sample_dump.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class CompressCommandTest : public DirectoryFixture {
 protected:
  void SetUp() override {
    DirectoryFixture::SetUp();
    dump_.emplace(directory_ + "/dump");
    WriteInventory(2);
    dump_->WriteFile("pages-1.img", Pages());
    dump_->WriteFile("pages-2.img", "");
    dump_->WriteFile("notes", "kept");
    fs::create_symlink("../before", dump_->Path("parent"));
    ASSERT_EQ(chmod(dump_->Path("pages-1.img").c_str(), 0604), 0);
    const timespec times[2] = {{1000, 5}, {2000, 7}};
    ASSERT_EQ(utimensat(AT_FDCWD, dump_->Path("pages-1.img").c_str(), times, 0), 0);
    before_ = ReadTree(dump_->directory());
  }

  void WriteInventory(uint32_t version) {
    pb::inventory_entry inventory;
    inventory.set_img_version(version);
    inventory.set_dump_uptime(77);
    dump_->Write<pb::inventory_entry>(ImageType::kInventory, 0, {inventory});
  }

  static std::string Pages() {
    std::string pages;
    for (int i = 0; pages.size() < 3 * kPageFrameBytes / 2; ++i) pages += std::to_string(i);
    pages.resize(3 * kPageFrameBytes / 2 / 4096 * 4096);
    return pages;
  }

  Tree TreeNow() const { return ReadTree(dump_->directory()); }

  uint32_t VersionNow() const {
    const auto image = ReadSingleEntry<pb::inventory_entry>(dump_->Path("inventory.img"));
    return image.value().img_version();
  }

  std::string Out() const { return directory_ + "/out"; }

  std::optional<SampleDump> dump_;
  Tree before_;
};

struct stat StatusOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status;
}

TEST_F(CompressCommandTest, CompressesInPlaceAndBringsEveryByteBack) {
  const ToolRun run = RunTool({"compress", dump_->directory()});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(run.out.starts_with(dump_->directory() + ": 2 pages images compressed, " +
                                  std::to_string(Pages().size()) + " -> "))
      << run.out;
  EXPECT_NE(run.out.find("kept for `imgtool undo`"), std::string::npos) << run.out;
  const Tree compressed = TreeNow();
  EXPECT_FALSE(compressed.contains("pages-1.img"));
  EXPECT_LT(compressed.at("pages-1.img.zst").size(), Pages().size());
  EXPECT_EQ(compressed.at("pages-2.img.zst").size(), 17U);
  EXPECT_EQ(compressed.at("parent"), "-> ../before");
  EXPECT_EQ(VersionNow(), WithZstdMark(2));
  const struct stat status = StatusOf(dump_->Path("pages-1.img.zst"));
  EXPECT_EQ(status.st_mode & 07777U, 0604U);
  EXPECT_EQ(status.st_mtim.tv_sec, 2000);

  const ToolRun back = RunTool({"decompress", dump_->directory(), "-j", "3"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(TreeNow(), before_);
  EXPECT_EQ(StatusOf(dump_->Path("pages-1.img")).st_mtim.tv_nsec, 7);
  EXPECT_EQ(StatusOf(dump_->Path("pages-1.img")).st_mode & 07777U, 0604U);
}

TEST_F(CompressCommandTest, UndoTakesItBack) {
  ASSERT_EQ(RunTool({"compress", dump_->directory()}).code, 0);
  ASSERT_EQ(RunTool({"undo", dump_->directory()}).code, 0);
  EXPECT_EQ(TreeNow(), before_);
}

TEST_F(CompressCommandTest, WritesANewDump) {
  const ToolRun run = RunTool({"compress", dump_->directory(), "-o", Out(), "--level", "1"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(TreeNow(), before_);
  EXPECT_TRUE(fs::exists(Out() + "/pages-1.img.zst"));
  EXPECT_EQ(run.out.find("undo"), std::string::npos);
  const std::string again = directory_ + "/again";
  ASSERT_EQ(RunTool({"decompress", Out(), "-o", again}).code, 0);
  EXPECT_EQ(ReadTree(again), before_);
}

TEST_F(CompressCommandTest, NeverWritesOverWhatIsThere) {
  fs::create_directory(Out());
  const ToolRun run = RunTool({"compress", dump_->directory(), "-o", Out()});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool compress: " + Out() + " exists already\n");
}

TEST_F(CompressCommandTest, SaysThatThereIsNothingToDo) {
  const std::string& dump = dump_->directory();
  EXPECT_EQ(RunTool({"decompress", dump}).err,
            "imgtool decompress: " + dump + ": the pages are not compressed already\n");
  ASSERT_EQ(RunTool({"compress", dump}).code, 0);
  const ToolRun run = RunTool({"compress", dump});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool compress: " + dump + ": the pages are compressed already\n");
}

TEST_F(CompressCommandTest, RefusesWhatCriuCompressed) {
  WriteInventory(3);
  const ToolRun run = RunTool({"compress", dump_->directory()});
  EXPECT_EQ(run.code, 5);
  EXPECT_EQ(run.err, "imgtool compress: " + dump_->Path("inventory.img") +
                         ": images of version 3 (compressed by CRIU), supported are 1 and 2\n");
}

TEST_F(CompressCommandTest, RefusesAnInventoryThatWouldNotComeBack) {
  std::string bytes = ReadWholeFile(dump_->Path("inventory.img")).value();
  // The version in two bytes where one would do.
  ASSERT_EQ(bytes.substr(8, 2), "\x08\x02");
  bytes.replace(8, 2, std::string("\x08\x82\x00", 3));
  bytes[4] = static_cast<char>(bytes[4] + 1);
  dump_->WriteFile("inventory.img", bytes);
  const ToolRun run = RunTool({"compress", dump_->directory()});
  EXPECT_EQ(run.code, 5) << run.out;
  EXPECT_NE(run.err.find("img_version is not encoded as protobuf does"), std::string::npos)
      << run.err;
}

TEST_F(CompressCommandTest, ABrokenFrameLeavesTheDumpAsItIs) {
  ASSERT_EQ(RunTool({"compress", dump_->directory()}).code, 0);
  std::string bytes = ReadWholeFile(dump_->Path("pages-1.img.zst")).value();
  bytes[1000] = static_cast<char>(~bytes[1000]);
  dump_->WriteFile("pages-1.img.zst", bytes);
  const Tree broken = TreeNow();
  const ToolRun run = RunTool({"decompress", dump_->directory()});
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find("/pages-1.img.zst: frame 0 at offset 0: zstd: "), std::string::npos)
      << run.err;
  EXPECT_EQ(TreeNow(), broken);
}

TEST_F(CompressCommandTest, RefusesLevelsAndThreadsThatCannotBe) {
  EXPECT_EQ(RunTool({"compress", dump_->directory(), "--level", "20"}).err,
            "imgtool compress: --level 20: 1 to 19 are allowed\n");
  EXPECT_EQ(RunTool({"compress", dump_->directory(), "-j", "0"}).err,
            "imgtool compress: --threads 0: 1 to 1024 are allowed\n");
}

TEST_F(CompressCommandTest, ACompressedDumpIsRewrittenLikeOthers) {
  pb::utsns_entry host;
  host.set_nodename("old");
  host.set_domainname("");
  dump_->Write(ImageType::kUtsns, 9, std::vector{host});
  const std::string& dump = dump_->directory();
  ASSERT_EQ(RunTool({"compress", dump}).code, 0);
  const std::string pages = TreeNow().at("pages-1.img.zst");
  const ToolRun run = RunTool({"rewrite", dump, "--in-place", "--hostname", "new"});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(TreeNow().at("pages-1.img.zst"), pages);
  EXPECT_EQ(VersionNow(), WithZstdMark(2));
}

TEST_F(CompressCommandTest, CompressedPagesBecomeZerosInAnAnonymousDump) {
  ImageEncoder image(ImageType::kPagemap);
  pb::pagemap_head head;
  head.set_pages_id(1);
  ASSERT_TRUE(image.Append(head));
  ASSERT_TRUE(image.Append(MakePagemapEntry(0x1000, Pages().size() / kPageBytes, kPagesPresent)));
  dump_->WriteFile("pagemap-42.img", image.bytes());
  const std::string& dump = dump_->directory();
  ASSERT_EQ(RunTool({"compress", dump}).code, 0);
  const ToolRun run = RunTool({"rewrite", dump, "--in-place", "--anonymise"});
  ASSERT_EQ(run.code, 0) << run.err;
  ASSERT_EQ(RunTool({"decompress", dump}).code, 0);
  EXPECT_EQ(TreeNow().at("pages-1.img"), std::string(Pages().size(), '\0'));
}

TEST_F(CompressCommandTest, ReadsAnArchiveIntoANewDump) {
  const std::string archive = directory_ + "/a.tar";
  WriteCompressed(archive,
                  SampleTar({{"checkpoint/inventory.img", before_.at("inventory.img")},
                             {"checkpoint/pages-1.img", Pages()}}),
                  Compression::kGzip);
  const ToolRun in_place = RunTool({"compress", archive});
  EXPECT_EQ(in_place.code, 2);
  EXPECT_EQ(in_place.err, "imgtool compress: " + archive +
                              ": only a directory can be changed in its place; give -o OUT\n");
  const ToolRun run = RunTool({"compress", archive, "-o", Out()});
  ASSERT_EQ(run.code, 0) << run.err;
  ASSERT_EQ(RunTool({"decompress", Out()}).code, 0);
  EXPECT_EQ(ReadTree(Out()).at("pages-1.img"), Pages());
}

}  // namespace
}  // namespace ckpt
