#include "formats/page_ranges.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "formats/image_writer.h"
#include "formats/page_compression.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;

class PageRangesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/pages.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  // A dump with pagemap-5.img; each letter of `pages` is the content of one page of pages-1.img.
  std::string MakeDump(const std::string& name, const std::vector<pb::pagemap_entry>& entries,
                       const std::string& pages, const std::string& parent = "") {
    std::string path = root_ + "/" + name;
    fs::create_directories(path);
    if (!parent.empty()) fs::create_symlink("../" + parent, path + "/parent");
    ImageEncoder image(ImageType::kPagemap);
    pb::pagemap_head head;
    head.set_pages_id(1);
    EXPECT_TRUE(image.Append(head).has_value());
    for (const auto& entry : entries) EXPECT_TRUE(image.Append(entry).has_value());
    EXPECT_TRUE(WriteImageFile(path + "/pagemap-5.img", image).has_value());
    std::string bytes;
    for (char page : pages) bytes.append(kPageBytes, page);
    EXPECT_TRUE(WriteWholeFile(path + "/pages-1.img", AsBytes(bytes), 0644).has_value());
    return path;
  }

  static void Compress(const std::string& dump) {
    const PagesImage plain = PagesImage::OpenPlain(dump + "/pages-1.img").value();
    const UniqueFd fd = OpenFile(dump + "/pages-1.img.zst", O_RDWR | O_CREAT, 0644).value();
    const PagesToWrite image = PagesOf(plain, fd.get(), "pages");
    EXPECT_TRUE(CompressPages({&image, 1}, {}));
    fs::remove(dump + "/pages-1.img");
  }

  static Result<PageRanges> Open(const std::string& path) {
    CKPT_TRY(auto chain, OpenDumpChain(path));
    return PageRanges::Open(chain, ImageType::kPagemap, 5);
  }

  static std::string ErrorOf(const std::string& path) {
    auto pages = Open(path);
    return pages.has_error() ? pages.error().message : "(no error)";
  }

  // One letter for each page, or the error.
  static std::string ReadPages(const PageRanges& pages, uint64_t start, size_t page_count) {
    std::string bytes(page_count * kPageBytes, '?');
    auto read = pages.Read(start, std::as_writable_bytes(std::span(bytes)));
    if (read.has_error()) return read.error().message;
    std::string letters;
    for (size_t i = 0; i < page_count; ++i) letters.push_back(bytes[i * kPageBytes + i]);
    return letters;
  }

  std::string root_;
};

TEST_F(PageRangesTest, ReadsPagesOfOneDump) {
  auto path = MakeDump(
      "1",
      {MakePagemapEntry(0x1000, 2, kPagesPresent), MakePagemapEntry(0x3000, 1, kPagesPresent),
       MakePagemapEntry(0x9000, 1, kPagesPresent)},
      "abcd");
  auto pages = Open(path);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  EXPECT_EQ(ReadPages(pages.value(), 0x1000, 3), "abc");
  EXPECT_EQ(ReadPages(pages.value(), 0x2000, 1), "b");
  EXPECT_EQ(ReadPages(pages.value(), 0x9000, 1), "d");
  EXPECT_EQ(ReadPages(pages.value(), 0x3000, 2), path + "/pagemap-5.img: no page at 0x4000");
}

TEST_F(PageRangesTest, LooksPagesUpInTheParentsThatHaveThem) {
  MakeDump("1", {MakePagemapEntry(0x1000, 6, kPagesPresent)}, "abcdef");
  MakeDump("2",
           {MakePagemapEntry(0x1000, 1, kPagesInParent), MakePagemapEntry(0x2000, 1, kPagesPresent),
            MakePagemapEntry(0x3000, 4, kPagesInParent)},
           "B", "1");
  auto path = MakeDump(
      "3",
      {MakePagemapEntry(0x1000, 4, kPagesInParent), MakePagemapEntry(0x5000, 1, kPagesPresent)},
      "E", "2");
  auto pages = Open(path);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  EXPECT_EQ(ReadPages(pages.value(), 0x1000, 5), "aBcdE");
  std::vector<size_t> layers;
  for (const StoredRange& range : pages.value().ranges()) layers.push_back(range.layer);
  EXPECT_EQ(layers, (std::vector<size_t>{2, 1, 2, 0}));
  EXPECT_EQ(pages.value().ranges()[2].file_offset, 2 * kPageBytes);
}

TEST_F(PageRangesTest, ReadsCompressedLayersAsItReadsPlainOnes) {
  const auto first = MakeDump("1", {MakePagemapEntry(0x1000, 4, kPagesPresent)}, "abcd");
  const auto path = MakeDump(
      "2",
      {MakePagemapEntry(0x1000, 2, kPagesInParent), MakePagemapEntry(0x3000, 1, kPagesPresent),
       MakePagemapEntry(0x4000, 1, kPagesInParent)},
      "C", "1");
  Compress(first);
  EXPECT_EQ(ReadPages(Open(path).value(), 0x1000, 4), "abCd");
  Compress(path);
  auto pages = Open(path);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  EXPECT_EQ(ReadPages(pages.value(), 0x1000, 4), "abCd");
  EXPECT_EQ(pages.value().pages_name(0), path + "/pages-1.img.zst");
}

TEST_F(PageRangesTest, RefusesACompressedPagesImageOfFewerPages) {
  auto path = MakeDump("1", {MakePagemapEntry(0x1000, 3, kPagesPresent)}, "ab");
  Compress(path);
  EXPECT_EQ(ErrorOf(path),
            path + "/pages-1.img.zst: 8192 bytes, " + path + "/pagemap-5.img needs 12288");
}

TEST_F(PageRangesTest, NamesAPageThatTheParentLacks) {
  MakeDump("1", {MakePagemapEntry(0x1000, 2, kPagesPresent)}, "ab");
  auto path = MakeDump("2", {MakePagemapEntry(0x1000, 3, kPagesInParent)}, "", "1");
  EXPECT_EQ(ErrorOf(path), path +
                               "/pagemap-5.img: pages from 0x1000 to 0x4000 are left to a "
                               "parent that lacks the one at 0x3000");
}

TEST_F(PageRangesTest, NamesAPageLeftToNoParent) {
  auto path = MakeDump("1", {MakePagemapEntry(0x1000, 3, kPagesInParent)}, "");
  EXPECT_EQ(ErrorOf(path), path +
                               "/pagemap-5.img: pages from 0x1000 to 0x4000 are left to a "
                               "parent that lacks the one at 0x1000");
}

TEST_F(PageRangesTest, RefusesAPagesImageThatIsTooShort) {
  auto path = MakeDump("1", {MakePagemapEntry(0x1000, 3, kPagesPresent)}, "ab");
  EXPECT_EQ(ErrorOf(path),
            path + "/pages-1.img: 8192 bytes, " + path + "/pagemap-5.img needs 12288");
}

TEST_F(PageRangesTest, DoesNotReadLazyPages) {
  auto path = MakeDump("1",
                       {MakePagemapEntry(0x1000, 1, kPagesPresent | kPagesLazy),
                        MakePagemapEntry(0x2000, 1, kPagesLazy)},
                       "a");
  auto pages = Open(path);
  ASSERT_TRUE(pages.has_value()) << pages.error().message;
  EXPECT_EQ(ReadPages(pages.value(), 0x1000, 1), "a");
  EXPECT_EQ(ReadPages(pages.value(), 0x1000, 2),
            path + "/pagemap-5.img: the page at 0x2000 is lazy, not in the dump");
}

TEST_F(PageRangesTest, SaysThatThereIsNoPagemap) {
  fs::create_directories(root_ + "/1");
  auto pages = Open(root_ + "/1");
  ASSERT_TRUE(pages.has_error());
  EXPECT_EQ(pages.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace ckpt
