#include "imgtool/storage/squash_command.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "formats/page_ranges.h"
#include "formats/pagemap.h"
#include "formats/proto/inventory.pb.h"
#include "imgtool/directory_fixture.h"
#include "imgtool/sample_dump.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

// A pagemap and its pages: a letter is the content of a present page, "<" a page in the parent, "-"
// no page, "~" a lazy one. The first page is at 0x1000.
using Memory = std::string;

class SquashCommandTest : public DirectoryFixture {
 protected:
  std::string MakeDump(const std::string& name, const Memory& memory, const Memory& shared,
                       const std::string& parent) {
    SampleDump dump(directory_ + "/" + name);
    pb::inventory_entry inventory;
    inventory.set_img_version(2);
    dump.Write<pb::inventory_entry>(ImageType::kInventory, 0, {inventory});
    WriteMemory(dump, ImageType::kPagemap, 42, 1, memory);
    WriteMemory(dump, ImageType::kShmemPagemap, 7, 2, shared);
    dump.WriteFile("core-42.img", "core of " + name);
    if (!parent.empty()) fs::create_symlink("../" + parent, dump.Path("parent"));
    return dump.directory();
  }

  static void WriteMemory(SampleDump& dump, ImageType type, uint64_t id, uint32_t pages_id,
                          const Memory& memory) {
    ImageEncoder image(type);
    pb::pagemap_head head;
    head.set_pages_id(pages_id);
    ASSERT_TRUE(image.Append(head));
    std::string pages;
    for (size_t i = 0; i < memory.size(); ++i) {
      if (memory[i] == '-') continue;
      const uint32_t flags = memory[i] == '<'   ? kPagesInParent
                             : memory[i] == '~' ? kPagesLazy
                                                : kPagesPresent;
      ASSERT_TRUE(image.Append(MakePagemapEntry((i + 1) * kPageBytes, 1, flags)));
      if (flags == kPagesPresent) pages.append(kPageBytes, memory[i]);
    }
    dump.WriteFile(ImageFileName(type, id), image.bytes());
    dump.WriteFile(ImageFileName(ImageType::kPages, pages_id), pages);
  }

  // As Memory, without looking at any parent.
  static Memory Read(const std::string& path, ImageType type, uint64_t id) {
    std::vector<DumpDirectory> alone;
    alone.push_back(DumpDirectory::Open(path).value());
    const auto opened = PageRanges::Open(alone, type, id);
    if (opened.has_error()) return opened.error().message;
    const auto& ranges = opened.value().ranges();
    if (ranges.empty()) return "";
    Memory memory(ranges.back().end() / kPageBytes - 1, '-');
    for (const StoredRange& range : ranges) {
      for (uint64_t at = range.start; at < range.end(); at += kPageBytes) {
        std::string page(kPageBytes, '?');
        const auto read = opened.value().Read(at, std::as_writable_bytes(std::span(page)));
        memory[at / kPageBytes - 1] = range.is_lazy ? '~' : read.has_error() ? '!' : page[17];
      }
    }
    return memory;
  }

  std::string Out() const { return directory_ + "/out"; }
};

TEST_F(SquashCommandTest, AChainOfFourBecomesOneDump) {
  MakeDump("1", "abcdefgh", "ABCD", "");
  MakeDump("2", "a<<<ef<<", "<<CD", "1");
  MakeDump("3", "<X<<<<-h", "<<<<", "2");
  const std::string dump = MakeDump("4", "<<<YZ<-<", "E<<<", "3");
  const ToolRun run = RunTool({"squash", dump, "-o", Out()});
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, Out() + ": 4 dumps became one, 2 pagemaps, 45056 bytes of pages\n");
  EXPECT_EQ(Read(Out(), ImageType::kPagemap, 42), "aXcYZf-h");
  EXPECT_EQ(Read(Out(), ImageType::kShmemPagemap, 7), "EBCD");
  EXPECT_FALSE(fs::exists(fs::symlink_status(Out() + "/parent")));
  EXPECT_EQ(ReadWholeFile(Out() + "/core-42.img").value(), "core of 4");
  EXPECT_EQ(fs::file_size(Out() + "/pages-1.img"), 7 * kPageBytes);
}

TEST_F(SquashCommandTest, NeighboursBecomeOneEntryWithBothCounts) {
  MakeDump("1", "abcd", "", "");
  const std::string dump = MakeDump("2", "<B<<", "", "1");
  ASSERT_EQ(RunTool({"squash", dump, "-o", Out()}).code, 0);
  const auto entries =
      ReadEntries<pb::pagemap_entry>(Out() + "/" + ImageFileName(ImageType::kPagemap, 42)).value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].nr_pages(), 4U);
  EXPECT_EQ(entries[0].compat_nr_pages(), 4U);
  EXPECT_EQ(entries[0].flags(), kPagesPresent);
}

TEST_F(SquashCommandTest, LeavesTheChainAsItIs) {
  MakeDump("1", "abcd", "", "");
  const std::string dump = MakeDump("2", "<B<<", "", "1");
  const Tree before = ReadTree(directory_);
  ASSERT_EQ(RunTool({"squash", dump, "-o", Out()}).code, 0);
  fs::remove_all(Out());
  EXPECT_EQ(ReadTree(directory_), before);
}

TEST_F(SquashCommandTest, LazyPagesStayLazy) {
  MakeDump("1", "ab", "", "");
  const std::string dump = MakeDump("2", "<~", "", "1");
  ASSERT_EQ(RunTool({"squash", dump, "-o", Out()}).code, 0);
  EXPECT_EQ(Read(Out(), ImageType::kPagemap, 42), "a~");
}

TEST_F(SquashCommandTest, ReadsCompressedLayersAndWritesAsTheYoungestIs) {
  const std::string first = MakeDump("1", "abcd", "AB", "");
  const std::string second = MakeDump("2", "<B<<", "<Y", "1");
  ASSERT_EQ(RunTool({"compress", first}).code, 0);
  ASSERT_EQ(RunTool({"squash", second, "-o", Out()}).code, 0);
  EXPECT_TRUE(fs::exists(Out() + "/pages-1.img"));
  EXPECT_EQ(Read(Out(), ImageType::kPagemap, 42), "aBcd");
  ASSERT_EQ(RunTool({"compress", second}).code, 0);
  const std::string compressed = directory_ + "/compressed";
  ASSERT_EQ(RunTool({"squash", second, "-o", compressed}).code, 0);
  EXPECT_FALSE(fs::exists(compressed + "/pages-1.img"));
  EXPECT_EQ(Read(compressed, ImageType::kPagemap, 42), "aBcd");
  EXPECT_EQ(Read(compressed, ImageType::kShmemPagemap, 7), "AY");
  ASSERT_EQ(RunTool({"decompress", compressed}).code, 0);
  EXPECT_EQ(ReadTree(compressed), ReadTree(Out()));
}

TEST_F(SquashCommandTest, ADumpWithoutPagesImageGetsOne) {
  MakeDump("1", "abcd", "", "");
  const std::string dump = MakeDump("2", "<<", "", "1");
  fs::remove(dump + "/pages-1.img");
  ASSERT_EQ(RunTool({"squash", dump, "-o", Out()}).code, 0);
  EXPECT_EQ(Read(Out(), ImageType::kPagemap, 42), "ab");
}

TEST_F(SquashCommandTest, NamesAPageThatTheParentsLack) {
  MakeDump("1", "a", "", "");
  const std::string dump = MakeDump("2", "<<", "", "1");
  const ToolRun run = RunTool({"squash", dump, "-o", Out()});
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find("are left to a parent that lacks the one at 0x2000"), std::string::npos)
      << run.err;
  EXPECT_FALSE(fs::exists(Out()));
}

TEST_F(SquashCommandTest, WantsAPlaceForTheResult) {
  const ToolRun run = RunTool({"squash", MakeDump("1", "a", "", "")});
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "imgtool squash: no place for the full dump given: -o OUT\n");
}

}  // namespace
}  // namespace ckpt
