#include "formats/pagemap.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/image_writer.h"

namespace ckpt {
namespace {

Result<Pagemap> Parse(const std::vector<pb::pagemap_entry>& entries) {
  ImageEncoder image(ImageType::kPagemap);
  pb::pagemap_head head;
  head.set_pages_id(9);
  EXPECT_TRUE(image.Append(head).has_value());
  for (const auto& entry : entries) EXPECT_TRUE(image.Append(entry).has_value());
  CKPT_TRY(auto file, ImageFile::Parse("pagemap-5.img", ImageType::kPagemap, image.bytes()));
  return ParsePagemap(file);
}

std::string ErrorOf(const std::vector<pb::pagemap_entry>& entries) {
  auto pagemap = Parse(entries);
  return pagemap.has_error() ? pagemap.error().message : "(no error)";
}

pb::pagemap_entry OldEntry(uint64_t start, uint32_t page_count) {
  pb::pagemap_entry entry;
  entry.set_vaddr(start);
  entry.set_compat_nr_pages(page_count);
  return entry;
}

TEST(PagemapTest, PlacesPresentRangesOneAfterTheOther) {
  auto pagemap =
      Parse({MakePagemapEntry(0x1000, 2, kPagesPresent),
             MakePagemapEntry(0x3000, 1, kPagesInParent), MakePagemapEntry(0x5000, 1, kPagesLazy),
             MakePagemapEntry(0x6000, 3, kPagesLazy | kPagesPresent)});
  ASSERT_TRUE(pagemap.has_value()) << pagemap.error().message;
  EXPECT_EQ(pagemap.value().pages_id, 9U);
  const auto& ranges = pagemap.value().ranges;
  ASSERT_EQ(ranges.size(), 4U);
  EXPECT_EQ(ranges[0].file_offset, 0U);
  EXPECT_EQ(ranges[0].end(), 0x3000U);
  EXPECT_EQ(ranges[1].source, PageSource::kParent);
  EXPECT_EQ(ranges[2].source, PageSource::kLazy);
  EXPECT_EQ(ranges[3].source, PageSource::kPresent);
  EXPECT_EQ(ranges[3].file_offset, 8192U);
  EXPECT_EQ(pagemap.value().present_bytes, 5 * kPageBytes);
}

TEST(PagemapTest, CountsPagesByField5WherePresentElseByField2) {
  auto newer = OldEntry(0x1000, 0);
  newer.set_nr_pages(7);
  auto pagemap = Parse({newer, OldEntry(0x10000, 3)});
  ASSERT_TRUE(pagemap.has_value());
  EXPECT_EQ(pagemap.value().ranges[0].page_count, 7U);
  EXPECT_EQ(pagemap.value().ranges[1].page_count, 3U);
}

TEST(PagemapTest, WritesBothCounts) {
  auto entry = MakePagemapEntry(0x1000, 7, kPagesPresent);
  EXPECT_EQ(entry.nr_pages(), 7U);
  EXPECT_EQ(entry.compat_nr_pages(), 7U);
  entry = MakePagemapEntry(0x1000, uint64_t{1} << 33, kPagesPresent);
  EXPECT_EQ(entry.nr_pages(), uint64_t{1} << 33);
  EXPECT_EQ(entry.compat_nr_pages(), 0xffffffffU);
}

TEST(PagemapTest, ReadsImagesOlderThanTheFlags) {
  auto in_parent = OldEntry(0x1000, 1);
  in_parent.set_in_parent(true);
  auto not_in_parent = OldEntry(0x2000, 1);
  not_in_parent.set_in_parent(false);
  auto pagemap = Parse({in_parent, not_in_parent, OldEntry(0x3000, 1)});
  ASSERT_TRUE(pagemap.has_value()) << pagemap.error().message;
  EXPECT_EQ(pagemap.value().ranges[0].source, PageSource::kParent);
  EXPECT_EQ(pagemap.value().ranges[1].source, PageSource::kPresent);
  EXPECT_EQ(pagemap.value().ranges[2].source, PageSource::kPresent);
}

TEST(PagemapTest, LeavesEmptyRangesOut) {
  auto pagemap = Parse({OldEntry(0x1000, 0)});
  ASSERT_TRUE(pagemap.has_value());
  EXPECT_TRUE(pagemap.value().ranges.empty());
}

TEST(PagemapTest, RefusesRangesThatCannotBe) {
  EXPECT_EQ(ErrorOf({OldEntry(0x1001, 1)}),
            "pagemap-5.img: entry 1 at offset 14: address 0x1001 is no multiple of 4096");
  EXPECT_EQ(
      ErrorOf({OldEntry(0x2000, 1), OldEntry(0x1000, 1)}),
      "pagemap-5.img: entry 2 at offset 23: address 0x1000 lies before 0x3000, the end of the "
      "range before");
  EXPECT_EQ(
      ErrorOf({MakePagemapEntry(0x1000, UINT64_MAX, kPagesPresent)}),
      "pagemap-5.img: entry 1 at offset 14: 18446744073709551615 pages from 0x1000 do not fit "
      "into the address space");
  EXPECT_EQ(ErrorOf({OldEntry(0xfffffffffffff000, 1)}),
            "pagemap-5.img: entry 1 at offset 14: 1 pages from 0xfffffffffffff000 do not fit into "
            "the address space");
}

TEST(PagemapTest, RefusesFlagsThatItDoesNotUnderstand) {
  EXPECT_EQ(ErrorOf({MakePagemapEntry(0x1000, 1, 12)}),
            "pagemap-5.img: entry 1 at offset 14: flags 0xc, 0x7 are known");
  EXPECT_EQ(ErrorOf({MakePagemapEntry(0x1000, 1, kPagesPresent | kPagesInParent)}),
            "pagemap-5.img: entry 1 at offset 14: flags 0x5 say both present and in the parent");
  EXPECT_EQ(ErrorOf({MakePagemapEntry(0x1000, 1, 0)}),
            "pagemap-5.img: entry 1 at offset 14: flags 0x0 do not say where the pages are");
}

TEST(PagemapTest, WantsAHead) {
  ImageEncoder image(ImageType::kPagemap);
  auto file = ImageFile::Parse("pagemap-5.img", ImageType::kPagemap, image.bytes());
  ASSERT_TRUE(file.has_value());
  auto pagemap = ParsePagemap(file.value());
  ASSERT_TRUE(pagemap.has_error());
  EXPECT_EQ(pagemap.error().message, "pagemap-5.img: 0 entries of type pagemap_head, 1 expected");
}

}  // namespace
}  // namespace ckpt
