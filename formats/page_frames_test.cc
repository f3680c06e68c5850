#include "formats/page_frames.h"

#include <gtest/gtest.h>

namespace ckpt {
namespace {

const std::vector<PageFrame> kFrames = {
    {.file_offset = 0, .start = 0, .compressed_bytes = 40, .size_bytes = 4096},
    {.file_offset = 40, .start = 4096, .compressed_bytes = 20, .size_bytes = 8192},
};

std::string MessageOf(const std::string& table, uint64_t frame_bytes) {
  const uint64_t file_bytes = frame_bytes + table.size();
  auto size = SeekTableBytes(AsBytes(table).last(kSeekTableFooterBytes), file_bytes, "p");
  if (size.has_error()) return size.error().message;
  if (size.value() > table.size()) return "longer than what the test has";
  auto frames = ParseSeekTable(AsBytes(table).last(size.value()), file_bytes, "p");
  return frames.has_error() ? frames.error().message : "";
}

std::string With(std::string table, size_t offset, uint32_t number) {
  for (size_t i = 0; i < 4; ++i) table[offset + i] = static_cast<char>(number >> 8 * i & 0xff);
  return table;
}

TEST(PageFramesTest, ATableIsReadAsItWasWritten) {
  const std::string table = EncodeSeekTable(kFrames);
  ASSERT_EQ(table.size(), 8 + 2 * 8 + 9U);
  EXPECT_EQ(
      SeekTableBytes(AsBytes(table).last(kSeekTableFooterBytes), 60 + table.size(), "p").value(),
      table.size());
  EXPECT_EQ(ParseSeekTable(AsBytes(table), 60 + table.size(), "p").value(), kFrames);
}

TEST(PageFramesTest, NoPagesAreATableAlone) {
  const std::string table = EncodeSeekTable({});
  EXPECT_EQ(table.size(), 17U);
  EXPECT_TRUE(ParseSeekTable(AsBytes(table), table.size(), "p").value().empty());
}

TEST(PageFramesTest, ReadsATableWithChecksums) {
  std::string table = EncodeSeekTable({&kFrames[0], 1});
  table.insert(16, "abcd");
  table = With(table, 4, 12 + 9);
  table[24] = '\x80';
  EXPECT_EQ(MessageOf(table, 40), "");
}

TEST(PageFramesTest, SaysWhatIsWrongWithATable) {
  const std::string table = EncodeSeekTable(kFrames);
  EXPECT_EQ(MessageOf(table, 60), "");
  EXPECT_EQ(MessageOf(With(table, 0, 7), 60),
            "p: at offset 60: frame of magic 0x00000007 and 25 bytes, expected the seek table: "
            "0x184d2a5e, 25");
  EXPECT_EQ(MessageOf(With(table, 4, 26), 60),
            "p: at offset 60: frame of magic 0x184d2a5e and 26 bytes, expected the seek table: "
            "0x184d2a5e, 25");
  EXPECT_EQ(MessageOf(With(table, 8, 0), 60),
            "p: at offset 68: frame 0: 0 bytes, 1 to 4178 are allowed");
  EXPECT_EQ(MessageOf(With(table, 8, 61), 60),
            "p: at offset 68: frame 0: 61 bytes at 0 run into the seek table at 60");
  EXPECT_EQ(MessageOf(With(table, 12, 0xffffffff), 60),
            "p: at offset 68: frame 0: 4294967295 bytes of pages, 1 to 2097152 are allowed");
  EXPECT_EQ(MessageOf(With(table, 16, 19), 60),
            "p: at offset 59: 1 bytes between the last frame and the seek table");
  EXPECT_EQ(MessageOf(With(table, 24, 100000), 60),
            "p: at offset 84: a seek table of 100000 frames has 800017 bytes, the file has 93");
  EXPECT_EQ(MessageOf(With(table, 24, 0xffffffff), 60),
            "p: at offset 84: 4294967295 frames, at most 134217728 are allowed");
  EXPECT_EQ(MessageOf(With(table, 29, 0), 60),
            "p: at offset 89: magic 0x00000000 of a seek table, expected 0x8f92eab1");
  std::string flagged = table;
  flagged[28] = 4;
  EXPECT_EQ(MessageOf(flagged, 60), "p: at offset 88: flags 0x4 of the seek table, 0x80 are known");
  EXPECT_EQ(SeekTableBytes(AsBytes("abc"), 3, "p").error().message,
            "p: at offset 0: 3 bytes, a compressed pages image has at least 17");
}

}  // namespace
}  // namespace ckpt
